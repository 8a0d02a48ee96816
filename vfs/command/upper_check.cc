#include "vfs/command/upper_check.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "cas/error.h"
#include "cas/object_store.h"
#include "vfs/command/context.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

class UpperCheck {
 public:
  UpperCheck(const Store& store, const WorkspaceState& state, Findings& findings)
      : objects_(store), state_(state), findings_(findings) {}

  void run(bool can_open);

 private:
  // How a look-up comes to a path: is upper asked for it, and is everything below
  // it looked up step by step (see vfs/core/lookup.cc).
  struct Reach {
    bool asked;
    bool stepwise;
  };
  Reach reach_of(const std::string& path) const;

  Finding finding(const std::string& path, std::string why, std::string repair) const;
  bool base_has_directory(const std::string& path);
  void check_record(const UpperItem& item, const Record& record);
  void check_directory_record(const UpperItem& item, const Record& record);
  void check_announced(const UpperItem& item, const Record& record);
  void announce(const std::string& path, bool stepwise);

  const ObjectStore objects_;
  const WorkspaceState& state_;
  Findings& findings_;
  std::unique_ptr<Workspace> core_;  // null: it cannot be opened
};

Finding UpperCheck::finding(const std::string& path, std::string why, std::string repair) const {
  Finding finding;
  finding.what = "change";
  finding.where = (state_.root.empty() ? state_.path : state_.root) + "/" + path;
  finding.why = std::move(why);
  finding.repair = std::move(repair);
  return finding;
}

UpperCheck::Reach UpperCheck::reach_of(const std::string& path) const {
  const ChangeFilter& filter = core_->control->filter;
  uint64_t hash = kRootPathHash;
  bool stepwise = filter.may_have_changed_subtree(hash);
  for (size_t start = 0; start < path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    hash = path_hash_append(hash, path.data() + start, static_cast<uint32_t>(end - start));
    if (!stepwise && !filter.may_have_changed(hash)) return {false, false};
    stepwise = stepwise || filter.may_have_changed_subtree(hash);
    start = end + 1;
  }
  return {true, stepwise};
}

bool UpperCheck::base_has_directory(const std::string& path) {
  Lookup base;
  return look_up_in_base(*core_, path_buffer(path), base) && base.is_directory();
}

void UpperCheck::announce(const std::string& path, bool stepwise) {
  findings_.add(finding(path, "it is changed, and the change filter does not say so: programs may not see it",
                        "it is announced"),
                [&] {
                  const PathBuffer buffer = path_buffer(path);
                  announce_path(*core_, buffer);
                  const uint64_t hash = path_hash(buffer.text, buffer.length);
                  if (stepwise) core_->control->filter.announce_subtree(hash);
                });
}

void UpperCheck::check_record(const UpperItem& item, const Record& record) {
  constexpr char kRestore[] = "`vfs restore` brings back what the base has there";
  if (record.damaged) {
    return findings_.add(finding(item.path, "its record cannot be read: programs find nothing there", kRestore));
  }
  if (record.kind == RecordKind::opaque || record.kind == RecordKind::redirect) {
    return findings_.add(finding(item.path, "it has the record of a directory: programs find nothing there", kRestore));
  }
  if (record.kind != RecordKind::object) return;
  struct stat status;
  const Digest& digest = record.object.digest;
  // What is missing or damaged is told with the objects.
  if (::lstat(objects_.path(digest).c_str(), &status) != 0 ||
      static_cast<uint64_t>(status.st_size) == record.object.size || !objects_.verify(digest)) {
    return;
  }
  findings_.add(finding(item.path, fmt::format("its record says {} bytes, its object {} has {}", record.object.size,
                                               digest_text(digest), status.st_size), kRestore));
}

void UpperCheck::check_directory_record(const UpperItem& item, const Record& record) {
  const std::string directory = fs::path(item.path).parent_path().string();
  const bool fits = record.kind == RecordKind::opaque || record.kind == RecordKind::redirect;
  if (record.damaged || !fits) {
    return findings_.add(finding(directory, "its directory record cannot be read: nothing of the base shows in it",
                                 "`vfs restore` brings back what the base has there"));
  }
  // Of an older base: void.
  if (!core_ || directory.empty() || record.generation != core_->control->generation.load()) return;
  const Reach reach = reach_of(directory);
  const bool must_step = record.kind == RecordKind::redirect || base_has_directory(directory);
  if (!reach.asked || (must_step && !reach.stepwise)) announce(directory, must_step);
}

void UpperCheck::check_announced(const UpperItem& item, const Record& record) {
  const Reach reach = reach_of(item.path);
  if (S_ISDIR(item.status.st_mode)) {
    // One that the base has too may be there only to be opened. A live base may
    // have lost the directory meanwhile.
    if (!reach.asked && core_->has_snapshot_base() && !base_has_directory(item.path)) announce(item.path, false);
    return;
  }
  if (reach.asked && reach.stepwise) return;
  const bool link = record.kind == RecordKind::link || (S_ISLNK(item.status.st_mode) && record.kind == RecordKind::none);
  const bool must_step = link || base_has_directory(item.path);
  if (!reach.asked || must_step) announce(item.path, must_step);
}

void UpperCheck::run(bool can_open) {
  if (can_open) {
    core_ = std::make_unique<Workspace>();
    WorkspaceFault fault;
    const int result = core_->open(state_.root.c_str(), fault);
    if (result != 0) {
      core_.reset();
      Finding closed = finding("", fmt::format("it cannot be opened: {} ({})", describe(fault), strerrordesc_np(-result)),
                               "what is named beside this is the reason");
      closed.what = "workspace";
      findings_.add(std::move(closed));
    }
  }
  walk_upper(state_.path, [&](const UpperItem& item) {
    Record record;
    parse_record(item.target.c_str(), static_cast<uint32_t>(item.target.size()), record);
    if (fs::path(item.path).filename() == kDirectoryRecordName) return check_directory_record(item, record);
    check_record(item, record);
    if (core_) check_announced(item, record);
  });
}

}  // namespace

void check_upper(const Store& store, const WorkspaceState& state, bool can_open, Findings& findings) {
  UpperCheck(store, state, findings).run(can_open);
}

}  // namespace vfs
