#include "vfs/command/object_check.h"

#include <sys/stat.h>

#include <set>

#include "cas/error.h"
#include "vfs/command/copies.h"
#include "vfs/command/workspace_state.h"
#include "vfs/io/for_each.h"
#include "vfs/io/interrupt.h"

namespace vfs {
namespace {

constexpr mode_t kObjectMode = 0555;

// 0 if it is gone.
mode_t mode_of(const ObjectStore& objects, const Digest& digest) {
  struct stat status;
  return ::lstat(objects.path(digest).c_str(), &status) == 0 ? status.st_mode : 0;
}

bool has_odd_mode(const ObjectStore& objects, const Digest& digest) {
  const mode_t mode = mode_of(objects, digest);
  return S_ISREG(mode) && (mode & 07777) != kObjectMode;
}

}  // namespace

void ObjectCheck::look() {
  std::vector<Digest> all;
  std::unordered_map<Digest, uint64_t, DigestHash> sizes;
  objects_.for_each([&](const Digest& digest, uint64_t size) {
    all.push_back(digest);
    sizes.emplace(digest, size);
  });
  count_ = all.size();
  enum : char { good, damaged, odd_mode };
  std::vector<char> states(all.size());
  const auto look_at = [&](size_t i) -> io::Task<> {
    const std::string problem = co_await objects_.look_for_problem(all[i]);
    states[i] = !problem.empty() ? damaged : has_odd_mode(objects_, all[i]) ? odd_mode : good;
  };
  const io::Interruptible interruptible;
  io::for_each(all.size(), io::usual_depth(), look_at);
  for (size_t i = 0; i < all.size(); ++i) {
    if (states[i] == damaged) suspects_.push_back(all[i]);
    if (states[i] == odd_mode) odd_modes_.push_back(all[i]);
  }
  for (const auto& [digest, need] : collect_needs()) {
    const auto there = sizes.find(digest);
    if (there == sizes.end()) {
      suspects_.push_back(digest);
      continue;
    }
    for (const uint64_t said : std::set({need.size, need.other_size})) {
      if (said == there->second || !objects_.problem(digest).empty()) continue;
      odd_sizes_.push_back(fmt::format("a file is said to have {} bytes, and its object {} has {}", said,
                                       digest_text(digest), there->second));
    }
  }
}

ObjectCheck::Needs ObjectCheck::collect_needs() {
  Needs needs;
  manifest_.for_each_digest([&](const Digest& digest, uint64_t size) {
    const auto [place, fresh] = needs.try_emplace(digest, Need{.size = size, .in_manifest = true});
    if (!fresh) place->second.other_size = size;
  });
  for (const WorkspaceState& state : all_states(store_)) {
    walk_upper(state.path, [&](const UpperItem& item) {
      Record record;
      parse_record(item.target.c_str(), static_cast<uint32_t>(item.target.size()), record);
      if (record.kind != RecordKind::object) return;
      Need& need = needs.try_emplace(record.object.digest, Need{.size = record.object.size}).first->second;
      need.records.push_back((state.root.empty() ? state.path : state.root) + "/" + item.path);
    });
  }
  return needs;
}

void ObjectCheck::report_object(const Digest& digest, const Need& need, bool all_told, Findings& findings) {
  Finding finding;
  finding.what = "object";
  finding.where = digest_text(digest);
  finding.why = objects_.problem(digest);
  const bool missing = finding.why == "missing";
  for (const ServedPath& served : need.serves) {
    finding.serves.push_back(digest_text(served.snapshot).substr(0, 12) + ":" + served.path);
  }
  for (const std::string& record : need.records) finding.serves.push_back(record);
  if (!all_told && need.in_manifest) finding.serves.push_back("paths that the manifest cannot tell");
  const std::optional<Copy> copy = Copies(store_).find(digest, need.size, need.serves);
  if (!missing) finding.repair = "the damaged one goes to the store's quarantine, ";
  if (finding.serves.empty()) {
    finding.repair += "nothing needs it";
    return findings.add(std::move(finding), [&] { objects_.quarantine(digest); });
  }
  if (copy) {
    finding.repair += "it is restored from " + copy->path;
    return findings.add(std::move(finding), [&] {
      if (!missing) objects_.quarantine(digest);
      manifest_.forget_file(digest);
      const auto stored = objects_.put_if_regular(copy->file.get(), copy->path);
      if (!stored || stored->digest != digest) throw Error(copy->path, "it changed while it was read");
    });
  }
  finding.repair += "no other copy is at hand: `vfs ingest` its source again, or put it back from a "
                    "copy of the store";
  if (findings.repairs()) {
    if (!missing) objects_.quarantine(digest);
    // Else the next ingest would take the file for stored, and not read it.
    manifest_.forget_file(digest);
  }
  findings.add(std::move(finding));
}

void ObjectCheck::report_mode(const Digest& digest, Findings& findings) {
  if (!has_odd_mode(objects_, digest)) return;
  Finding finding;
  finding.what = "object";
  finding.where = digest_text(digest);
  finding.why = fmt::format("its mode is {:04o}", mode_of(objects_, digest) & 07777);
  finding.repair = "it is made read-only (0555)";
  findings.add(std::move(finding), [&] {
    const auto path = objects_.path(digest);
    if (::chmod(path.c_str(), kObjectMode) != 0) throw system_error(path.string(), errno);
  });
}

void ObjectCheck::report_sizes(Findings& findings) {
  for (const std::string& why : odd_sizes_) findings.add(damaged_manifest(why));
}

void ObjectCheck::report(Findings& findings) {
  if (is_sound()) return;
  // Without the lock in between, objects may have been stored or collected.
  Needs needs = collect_needs();
  std::unordered_set<Digest, DigestHash> wrong;
  std::vector<Digest> in_order;
  for (const Digest& digest : suspects_) {
    const std::string problem = objects_.problem(digest);
    const bool gone = problem == "missing" && !needs.contains(digest);
    if (!problem.empty() && !gone && wrong.insert(digest).second) in_order.push_back(digest);
  }
  bool all_told = true;
  if (!wrong.empty()) {
    all_told = manifest_.for_each_path(wrong, [&](const Digest& digest, const ServedPath& served) {
      needs.try_emplace(digest, Need{.size = 0}).first->second.serves.push_back(served);
    });
  }
  for (const Digest& digest : in_order) {
    report_object(digest, needs.try_emplace(digest, Need{.size = 0}).first->second, all_told, findings);
  }
  report_sizes(findings);
  for (const Digest& digest : odd_modes_) report_mode(digest, findings);
}

}  // namespace vfs
