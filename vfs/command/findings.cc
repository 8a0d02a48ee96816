#include "vfs/command/findings.h"

#include <algorithm>
#include <filesystem>

#include "cas/error.h"
#include "vfs/command/text.h"

namespace vfs {
namespace {

// What stands before `repair`.
const char* introduction(const Finding& finding) {
  switch (finding.outcome) {
    case Finding::Outcome::left: return "not repaired";
    case Finding::Outcome::repairable: return "repair";
    case Finding::Outcome::repaired: return "repaired";
  }
  return "";
}

}  // namespace

Finding damaged_manifest(std::string why) {
  Finding finding;
  finding.what = "manifest";
  finding.where = "manifest.db";
  finding.why = std::move(why);
  finding.repair = "put it back from a copy of the store";
  return finding;
}

std::string line_of(const Finding& finding) {
  const char* kind = finding.kind == Finding::Kind::leftover  ? "leftover: "
                     : finding.kind == Finding::Kind::skipped ? "skipped: "
                                                              : "";
  std::string line = fmt::format("{}{} {}: {}", kind, finding.what, finding.where, finding.why);
  if (!finding.repair.empty()) line += fmt::format("; {}: {}", introduction(finding), finding.repair);
  return terminal_text(line);
}

std::string text_of(const Finding& finding) {
  std::string text = line_of(finding);
  for (const std::string& path : finding.serves) text += "\n  serves " + terminal_text(path);
  return text;
}

void Findings::add(Finding finding, const std::function<void()>& mend) {
  finding.outcome = Finding::Outcome::repairable;
  if (repairs()) {
    try {
      mend();
      finding.outcome = Finding::Outcome::repaired;
    } catch (const Error& error) {
      finding.outcome = Finding::Outcome::left;
      finding.repair = fmt::format("{}: {}", error.what_failed, error.why);
    } catch (const std::filesystem::filesystem_error& error) {
      finding.outcome = Finding::Outcome::left;
      finding.repair = fmt::format("{}: {}", error.path1().string(), error.code().message());
    }
  }
  list_.push_back(std::move(finding));
}

size_t Findings::left() const {
  return static_cast<size_t>(std::count_if(list_.begin(), list_.end(), [](const Finding& finding) {
    return finding.kind == Finding::Kind::violation && finding.outcome != Finding::Outcome::repaired;
  }));
}

}  // namespace vfs
