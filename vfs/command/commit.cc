// The passes of a commit
//
//   collect   the merged tree as TreeNodes; directories that upper does not
//             touch are taken over from the base as they are
//   store     the drafts into the store, in parallel
//   record    trees and snapshot into the manifest, one transaction
//   publish   the new index, head and base; processes go over to it
//   tidy      what is sealed leaves upper
#include "vfs/command/commit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "manifest/ingest.h"
#include "vfs/command/changes.h"
#include "vfs/command/base.h"
#include "vfs/command/journal.h"
#include "vfs/command/drafts.h"
#include "vfs/command/lease.h"
#include "vfs/command/tidy.h"
#include "vfs/command/upper_directory.h"
#include "vfs/core/upper.h"

namespace vfs {
namespace {

// What was looked at is not what there is: to be done again.
struct Stale {};

class Commit {
 public:
  // `alone`: no directory is moved until the base is, programs wait with that.
  Commit(OpenWorkspace& workspace, bool alone) : workspace_(workspace), base_(base_snapshot()) {
    if (alone) keep_directories();
    directories_ = workspace.core().control->rename_generation.load(std::memory_order_acquire);
  }

  // Throws Stale, and Error.

  CommitResult run(const std::optional<Snapshot>& head, const std::string& message,
                   const std::function<void()>& recorded);

 private:
  // The snapshot whose rows may be shared: the base's, not that of a live head.
  std::optional<Snapshot> base_snapshot() {
    if (!workspace_.core().has_snapshot_base()) return std::nullopt;
    return workspace_.head();
  }

  void collect_directory(const Lookup& found, TreeNode& node);
  void collect_merged(const Lookup& found, TreeNode& node);
  void collect_named(const Lookup& found, const std::string& name,
                     const std::map<std::string, Entry>& base, TreeNode& node);
  void collect_child(const Lookup& found, const std::map<std::string, Entry>& base,
                     TreeNode& node);
  std::map<std::string, Entry> base_children(const Lookup& found);
  uint64_t new_link_group(const std::string& first_path) const;
  void add_draft(const Lookup& found, TreeNode& node);
  TreeNode collect();
  TreeNode collect_settled();
  void leave_out_gone(TreeNode& node);
  void keep_directories();
  uint64_t publish(const Snapshot& snapshot, Tidy& tidy);

  OpenWorkspace& workspace_;
  std::optional<Snapshot> base_;
  uint64_t directories_;  // the rename generation when the tree was looked at
  std::optional<DirectoryRecordLock> directories_stay_;
  std::vector<std::unique_ptr<Draft>> drafts_;
  std::set<const TreeNode*> gone_;  // whose drafts could not be read any more
  std::map<std::pair<dev_t, ino_t>, std::pair<std::string, TreeNode*>> linked_;
};

std::map<std::string, Entry> Commit::base_children(const Lookup& found) {
  std::map<std::string, Entry> children;
  if (!base_ || !found.base_may_have) return children;
  const std::optional<Entry> directory = workspace_.manifest().find(*base_, found.base_path().text);
  if (!directory || directory->tree == 0) return children;
  for (Entry& entry : workspace_.manifest().list(directory->tree)) {
    children.emplace(entry.name, std::move(entry));
  }
  return children;
}

void Commit::add_draft(const Lookup& found, TreeNode& node) {
  auto draft = std::make_unique<Draft>();
  PathBuffer real;
  draft->node = &node;
  draft->path = found.path.text;
  draft->upper = found.source == Source::upper;
  const bool fits = draft->upper ? workspace_.core().upper_path(found.path, real)
                                 : workspace_.core().live_path(found.base_path(), real);
  if (!fits) throw system_error(draft->path, ENAMETOOLONG);
  draft->real = real.text;
  drafts_.push_back(std::move(draft));
}

// Rows that are taken over keep their groups, which may be named after a path
// that by now is another file's: a group made here has the base in its name.
uint64_t Commit::new_link_group(const std::string& first_path) const {
  if (!base_) return link_group_of(first_path);
  const auto* id = reinterpret_cast<const char*>(base_->id.bytes);
  return link_group_of(first_path + '\0' + std::string(id, Digest::kSize));
}

void Commit::collect_child(const Lookup& found, const std::map<std::string, Entry>& base,
                           TreeNode& node) {
  const std::string name = found.path.name();
  if (found.source == Source::snapshot) {
    // Untouched, with all below it: the row as it is, under its name here.
    const auto known = base.find(name);
    if (known == base.end()) throw Error(found.path.text, "the base has no such entry", "run `vfs verify`");
    node.entry = known->second;
    return;
  }
  node.entry = entry_of(workspace_, found);
  if (found.is_directory()) return collect_directory(found, node);
  if (found.is_regular() && !found.is_sealed()) add_draft(found, node);
  if (found.status.st_nlink > 1 && !found.is_sealed()) {
    const auto [place, fresh] = linked_.try_emplace(
        {found.status.st_dev, found.status.st_ino}, std::pair{std::string(found.path.text), &node});
    if (!fresh) {
      const uint64_t group = new_link_group(place->second.first);
      place->second.second->entry.link_group = group;
      node.entry.link_group = group;
    }
  }
}

void Commit::collect_named(const Lookup& found, const std::string& name,
                           const std::map<std::string, Entry>& base, TreeNode& node) {
  Lookup child;
  workspace_.look_up(child_of(found.path, name), child);
  if (!child.exists() || S_ISSOCK(child.status.st_mode)) return;
  TreeNode& added = node.children.emplace_back();
  collect_child(child, base, added);
  added.entry.name = name;
}

// Names that upper does not have are the base's rows, all of them: to look each
// up would ask the kernel for every one that an earlier commit has sealed.
void Commit::collect_merged(const Lookup& found, TreeNode& node) {
  std::map<std::string, Entry> base = base_children(found);
  const UpperDirectory upper(workspace_, found);
  node.children.reserve(base.size() + upper.names().size());  // nodes are pointed at: no reallocation
  auto name = upper.names().begin();
  const auto end = upper.names().end();
  for (auto& [base_name, entry] : base) {
    for (; name != end && *name < base_name; ++name) collect_named(found, *name, base, node);
    if (name != end && *name == base_name) {
      collect_named(found, *name++, base, node);
    } else if (base_name[0] != '.' || !is_reserved(child_of(found.path, base_name))) {
      node.children.emplace_back().entry = entry;
    }
  }
  for (; name != end; ++name) collect_named(found, *name, base, node);
}

void Commit::collect_directory(const Lookup& found, TreeNode& node) {
  if (base_ && shows_own_base(found)) return collect_merged(found, node);
  const std::map<std::string, Entry> base = base_children(found);
  const std::vector<std::string> names = names_in(workspace_, found);
  node.children.reserve(names.size());  // nodes are pointed at: no reallocation
  for (const std::string& name : names) collect_named(found, name, base, node);
}

void Commit::keep_directories() {
  directories_stay_.emplace(workspace_.core(), DirectoryRecordLock::exclusive);
  if (directories_stay_->error() != 0) throw system_error(workspace_.state() + "/lock", -directories_stay_->error());
}

// Nodes move: not to be pointed at after this.
void Commit::leave_out_gone(TreeNode& node) {
  std::erase_if(node.children, [&](const TreeNode& child) { return gone_.contains(&child); });
  for (TreeNode& child : node.children) leave_out_gone(child);
}

TreeNode Commit::collect() {
  TreeNode top;
  Lookup root;
  const PathBuffer none;
  workspace_.look_up(none, root);
  top.entry = entry_of(workspace_, root);
  {
    const Transaction one_state(workspace_.manifest().database(), Transaction::read);
    collect_directory(root, top);
  }
  store_drafts(workspace_, drafts_);
  for (const auto& draft : drafts_) {
    if (draft->gone) gone_.insert(draft->node);
  }
  std::erase_if(drafts_, [](const auto& draft) { return draft->gone; });
  if (!gone_.empty()) leave_out_gone(top);
  return top;
}

// As collect(); Stale if a directory went away that was being looked at.
TreeNode Commit::collect_settled() {
  try {
    return collect();
  } catch (const Error& error) {
    if (directories_stay_ || !says_gone(error.code)) throw;
    throw Stale();
  }
}

CommitResult Commit::run(const std::optional<Snapshot>& head, const std::string& message,
                         const std::function<void()>& recorded) {
  const IgnoreLeaseSignal ignore;
  std::optional<Tidy> tidy;
  if (workspace_.core().has_snapshot_base()) tidy.emplace(workspace_);
  TreeNode top = collect_settled();
  // Before anything that is waited for refers to them.
  if (!drafts_.empty()) workspace_.store().synchronize();
  // A live base may have changed by itself: there only the trees can tell.
  if (!tidy && head && is_recorded(workspace_.manifest(), *head, top)) return {*head, false, 0};
  const std::optional<SnapshotId> parent = head ? std::optional(head->id) : std::nullopt;
  const Snapshot snapshot = workspace_.manifest().add_snapshot(top, parent, message);
  if (recorded) recorded();
  if (!tidy) {
    workspace_.set_head(snapshot.id);
    return {snapshot, true, 0};
  }
  return {snapshot, true, publish(snapshot, *tidy)};
}

// What happens between the journal's lines recovery finishes; or it finds that the
// base is the old one yet, and that nothing has happened.
uint64_t Commit::publish(const Snapshot& snapshot, Tidy& tidy) {
  const Store& store = workspace_.store();
  const std::string state = workspace_.state();
  tidy.announce(drafts_);
  write_journal(store, state, {.step = Step::commit, .snapshot = snapshot.id});
  if (!directories_stay_) keep_directories();
  // The record of a directory that was moved since speaks of the old base only.
  if (workspace_.core().control->rename_generation.load(std::memory_order_acquire) != directories_) {
    remove_tidy_names(state);
    close_journal(state);
    throw Stale();
  }
  move_base(workspace_, snapshot);
  directories_stay_.reset();
  tidy.hide_removed(drafts_);
  write_journal(store, state, {.step = Step::tidy, .snapshot = snapshot.id});
  const uint64_t in_use = tidy.run(drafts_);
  remove_tidy_names(state);
  close_journal(state);
  return in_use;
}

}  // namespace

CommitResult commit(OpenWorkspace& workspace, const std::string& message,
                    const std::function<void()>& recorded) {
  constexpr int kAttempts = 5;
  const BaseLock one_after_the_other(workspace);
  const StoreLock keeps_objects(workspace.store(), StoreLock::shared);
  const std::optional<Snapshot> head = workspace.head();
  if (head && workspace.core().has_snapshot_base() && !has_changes(workspace)) {
    return {*head, false, 0};
  }
  for (int attempt = 1; attempt < kAttempts; ++attempt) {
    try {
      return Commit(workspace, false).run(head, message, recorded);
    } catch (const Stale&) {
      // Again; the last time programs that move directories wait for us.
    }
  }
  return Commit(workspace, true).run(head, message, recorded);
}

}  // namespace vfs
