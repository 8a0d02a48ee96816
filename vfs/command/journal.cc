#include "vfs/command/journal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "cas/error.h"
#include "cas/file_io.h"
#include "cas/hash.h"
#include "vfs/command/links.h"

namespace vfs {
namespace {

constexpr const char* kSteps[] = {"none", "undo", "discard", "move", "commit", "tidy"};

std::string path_of(const std::string& state) { return state + "/journal"; }
// Whether it can only be a name in upper: who puts something there would go
// wherever it leads.
bool is_in_upper(std::string_view name) {
  constexpr std::string_view kUpper = "upper/";
  if (!name.starts_with(kUpper) || name.ends_with('/')) return false;
  for (const std::string_view part : split_path(name)) {
    if (part == "..") return false;
  }
  return true;
}

std::string names_path(const std::string& state) { return state + "/work/tidy.names"; }

}  // namespace

Journal read_journal(const std::string& state) {
  const std::string target = link_target(path_of(state));
  const std::string_view text = target;
  const std::string_view step = text.substr(0, text.find(' '));
  Journal journal;
  for (size_t i = 1; i < std::size(kSteps); ++i) {
    if (step == kSteps[i]) journal.step = static_cast<Step>(i);
  }
  const std::string_view id = text.substr(std::min(text.size(), step.size() + 1));
  const bool needs_id = journal.step >= Step::move;
  if (needs_id && (id.size() != Digest::kHexLength || !digest_from_hex(id.data(), journal.snapshot))) {
    return {};
  }
  return journal;
}

void write_journal(const Store& store, const std::string& state, const Journal& journal) {
  replace_link(store, fmt::format("{} {}", kSteps[static_cast<size_t>(journal.step)],
                                  digest_text(journal.snapshot)),
               path_of(state));
}

void close_journal(const std::string& state) {
  const std::string path = path_of(state);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw system_error(path, errno);
}

std::string tidy_path(const std::string& state, size_t number) {
  return fmt::format("{}/work/tidy.{}", state, number);
}

std::string tidy_group_path(const std::string& state) { return state + "/work/tidy.group"; }

void write_tidy_names(const Store& store, const std::string& state, const TidyNames& names) {
  std::string text;
  for (const std::string& name : names) text += name + '\0';
  TemporaryFile file(store.temporary_name());
  file.write(text);
  file.finish(0600);
  file.replace(names_path(state));
}

TidyNames read_tidy_names(const std::string& state) {
  std::ifstream file(names_path(state), std::ios::binary);
  TidyNames result;
  // What leads elsewhere is left empty, since the others are called by their numbers.
  for (std::string name; std::getline(file, name, '\0');) result.push_back(is_in_upper(name) ? name : "");
  return result;
}

void remove_tidy_names(const std::string& state) { ::unlink(names_path(state).c_str()); }

}  // namespace vfs
