#include "vfs/command/upkeep.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <unordered_set>

#include "cas/error.h"
#include "cas/object_store.h"
#include "manifest/manifest.h"
#include "vfs/command/links.h"
#include "vfs/command/object_check.h"
#include "vfs/command/state.h"
#include "vfs/command/store_check.h"
#include "vfs/command/workspace_check.h"
#include "vfs/io/for_each.h"
#include "vfs/io/interrupt.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// One collection, under an exclusive StoreLock.
class Garbage {
 public:
  Garbage(const Store& store, const Collection& collection)
      : store_(store), objects_(store), manifest_(store), collection_(collection) {}

  Collected run() {
    drop_states();
    drop_snapshots();
    drop_objects();
    drop_indexes();
    drop_leftovers();
    return std::move(result_);
  }

 private:
  bool dry() const { return collection_.dry_run; }

  void drop_states();
  void drop_snapshots();
  void drop_objects();
  void drop_indexes();
  void drop_leftovers();
  void drop_leftover(const Leftover& leftover);

  const Store& store_;
  const ObjectStore objects_;
  Manifest manifest_;
  const Collection& collection_;
  Collected result_;
  std::vector<WorkspaceState> dropped_;
  std::unordered_set<Digest, DigestHash> needed_;
};

void Garbage::drop_states() {
  for (const WorkspaceState& state : all_states(store_)) {
    std::string why;
    if (look_at_marker(state, why) != Marker::lost || !find_moved_root(state).empty()) continue;
    const StateLock lock(state.path, dry() ? StateLock::leave : StateLock::make);
    const std::string stays = lock.held() ? why_orphan_stays(state, {.grace = collection_.grace})
                                          : "a command is at work in it";
    if (!stays.empty()) {
      result_.kept.push_back(fmt::format("workspace {}: {}; {}", state.path, why, stays));
      continue;
    }
    dropped_.push_back(state);
    result_.removed.push_back("workspace " + state.path);
    if (!dry()) remove_state(store_, state.path);
  }
  result_.workspaces = dropped_.size();
}

// A base is needed as much as a head: they differ when a command was killed
// between the two.
void Garbage::drop_snapshots() {
  std::vector<SnapshotId> heads = all_heads(store_);
  for (const SnapshotId& id : all_bases(store_)) heads.push_back(id);
  // In a dry run they are still there: each of their links counts once too often.
  if (dry()) {
    for (const WorkspaceState& state : dropped_) {
      for (const char* link : {"head", "base"}) {
        const auto id = snapshot_of_link(state.path, link);
        const auto at = id ? std::find(heads.begin(), heads.end(), *id) : heads.end();
        if (at != heads.end()) heads.erase(at);
      }
    }
  }
  std::vector<SnapshotId> gone;
  needed_ = manifest_.collect(heads, gone, dry() ? Manifest::Collect::look : Manifest::Collect::remove);
  for (const Digest& digest : all_recorded_digests(store_)) needed_.insert(digest);
  for (const SnapshotId& id : gone) result_.removed.push_back("snapshot " + digest_text(id));
  result_.snapshots = gone.size();
}

void Garbage::drop_objects() {
  std::vector<std::pair<Digest, uint64_t>> dead;
  objects_.for_each([&](const Digest& digest, uint64_t size) {
    struct stat status;
    if (!needed_.contains(digest) && ::lstat(objects_.path(digest).c_str(), &status) == 0 &&
        collection_.grace.is_over(status)) {
      dead.emplace_back(digest, size);
    }
  });
  std::vector<uint64_t> freed(dead.size());  // bytes
  const auto drop = [&](size_t i) -> io::Task<> {
    const auto remove = [&] { return objects_.remove(dead[i].first); };
    if (dry()) {
      freed[i] = dead[i].second;
    } else {
      freed[i] = co_await io::call(remove);
    }
  };
  const io::Interruptible interruptible;
  io::for_each(dead.size(), io::usual_depth(), drop);
  for (size_t i = 0; i < dead.size(); ++i) {
    result_.bytes += freed[i];
    result_.removed.push_back("object " + digest_text(dead[i].first));
  }
  result_.objects = dead.size();
}

void Garbage::drop_indexes() {
  if (dry()) return;  // those of the snapshots that would go are still needed
  const std::set<fs::path> needed = needed_indexes(store_, manifest_);
  for (const auto& entry : fs::directory_iterator(store_.indexes())) {
    if (!needed.contains(entry.path())) fs::remove(entry.path());
  }
}

void Garbage::drop_leftover(const Leftover& leftover) {
  if (!leftover.is_over) return;
  if (!dry()) remove_leftover(leftover.path);
  result_.removed.push_back("leftover " + leftover.path);
  ++result_.leftovers;
}

void Garbage::drop_leftovers() {
  for (const Leftover& leftover : leftovers_in_store(store_, collection_.grace)) drop_leftover(leftover);
  for (const WorkspaceState& state : all_states(store_)) {
    const StateLock lock(state.path, dry() ? StateLock::leave : StateLock::make);
    if (!lock.held()) continue;  // a command is at work in it
    for (const Leftover& leftover : leftovers_in_state(state.path, collection_.grace)) drop_leftover(leftover);
  }
}

}  // namespace

Collected collect_garbage(const Store& store, const Collection& collection) {
  const StoreLock lock(store, StoreLock::exclusive, collection.waiting);
  return Garbage(store, collection).run();
}

Verified verify_store(const Store& store, const std::function<void()>& waiting) {
  Findings findings(Repair::yes);
  Findings of_manifest(Repair::no);
  Manifest manifest(store);
  ObjectCheck objects(store, manifest);
  // Objects that are collected meanwhile would look as if they were missing.
  auto lock = std::make_unique<StoreLock>(store, StoreLock::shared, waiting);
  objects.look();
  if (!objects.is_sound()) {
    lock.reset();
    lock = std::make_unique<StoreLock>(store, StoreLock::exclusive, waiting);
  }
  objects.report(findings);
  check_indexes(store, manifest, findings);
  check_manifest(manifest, of_manifest);
  Verified result = {objects.count(), {}, findings.left() + of_manifest.left()};
  for (const Findings* list : {&findings, &of_manifest}) {
    for (const Finding& finding : list->list()) result.problems.push_back(text_of(finding));
  }
  return result;
}

}  // namespace vfs
