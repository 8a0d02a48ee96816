#include "vfs/command/changes.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "manifest/ingest.h"
#include "manifest/nesting.h"
#include "vfs/command/upper_directory.h"

namespace vfs {
namespace {

std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

bool is_directory(const Entry& entry) { return S_ISDIR(entry.metadata.mode); }
bool is_file(const Entry& entry) { return S_ISREG(entry.metadata.mode); }

bool same_type(const Entry& a, const Entry& b) {
  return (a.metadata.mode & S_IFMT) == (b.metadata.mode & S_IFMT);
}

// Directories change their mtime with every name in them: no change of their own.
bool same_attributes(const Entry& a, const Entry& b) {
  const bool same = a.metadata.mode == b.metadata.mode && a.metadata.uid == b.metadata.uid &&
                    a.metadata.gid == b.metadata.gid;
  return same && (is_directory(a) || a.metadata == b.metadata);
}

// Compares the merged tree with the reference, looking only where upper has a say.
class Comparison {
 public:
  Comparison(OpenWorkspace& workspace, Reference& reference)
      : workspace_(workspace), reference_(reference) {}

  std::vector<Change> run() {
    compare("");
    pair_renames();
    std::sort(changes_.begin(), changes_.end(),
              [](const Change& a, const Change& b) { return a.path < b.path; });
    return std::move(changes_);
  }

  bool finds_any() {
    stop_at_first_ = true;
    compare("");
    return !changes_.empty();
  }

 private:
  void add(ChangeKind kind, const std::string& path, bool directory) {
    changes_.push_back({kind, directory ? path + "/" : path, {}});
  }

  void add_deleted(const std::string& path, const Entry& entry) {
    if (!is_directory(entry)) return add(ChangeKind::deleted, path, false);
    const std::vector<std::string> names = reference_.names(path);
    if (names.empty()) add(ChangeKind::deleted, path, true);
    for (const std::string& name : names) {
      if (const auto below = reference_.find(join(path, name))) {
        add_deleted(join(path, name), *below);
      }
    }
  }

  void add_added(const std::string& path, const Lookup& found) {
    if (!found.is_directory()) return add(ChangeKind::added, path, false);
    const std::vector<std::string> names = names_in(workspace_, found);
    if (names.empty()) add(ChangeKind::added, path, true);
    for (const std::string& name : names) {
      Lookup below;
      workspace_.look_up(path_buffer(join(path, name)), below);
      if (below.exists()) add_added(join(path, name), below);
    }
  }

  // Below a directory that both sides have.
  void compare_children(const std::string& path, const Lookup& found) {
    if (shows_own_base(found)) {
      // Only what upper holds can differ.
      const UpperDirectory upper(workspace_, found);
      for (const std::string& name : upper.names()) {
        struct stat status;
        const std::string child = join(path, name);
        if (!upper.is_draft(name, status) || !compare_draft(child, status)) compare(child);
      }
      return;
    }
    std::set<std::string> names;
    for (std::string& name : names_in(workspace_, found)) names.insert(std::move(name));
    for (std::string& name : reference_.names(path)) names.insert(std::move(name));
    for (const std::string& name : names) compare(join(path, name));
  }

  // What most drafts are tells their metadata alone, without a look-up. False if
  // it does not.
  bool compare_draft(const std::string& path, const struct stat& status) {
    const std::optional<Entry> before = reference_.find(path);
    if (before && !is_file(*before)) return false;
    if (before && metadata_of(status) == before->metadata &&
        static_cast<uint64_t>(status.st_size) == before->size) {
      return false;
    }
    add(before ? ChangeKind::modified : ChangeKind::added, path, false);
    return true;
  }

  bool unchanged_base(const Lookup& found) {
    return (found.source == Source::snapshot || found.source == Source::live) &&
           !found.base_is_elsewhere;
  }

  void compare(const std::string& path) {
    if (stop_at_first_ && !changes_.empty()) return;
    Lookup found;
    workspace_.look_up(path_buffer(path), found);
    const std::optional<Entry> before = reference_.find(path);
    if (!found.exists()) {
      if (before) add_deleted(path, *before);
      return;
    }
    if (!before) return add_added(path, found);
    if (unchanged_base(found) && !path.empty()) return;
    const Entry now = entry_of(workspace_, found);
    if (!same_type(now, *before)) {
      if (is_directory(*before) || is_directory(now)) {
        add_deleted(path, *before);
        return add_added(path, found);
      }
      return add(ChangeKind::type_changed, path, false);
    }
    if (is_directory(now)) {
      if (!same_attributes(now, *before)) {
        add(ChangeKind::modified, path.empty() ? "." : path, true);
      }
      compare_children(path, found);
    } else if (!same_attributes(now, *before) || differs(path, found, now, *before)) {
      add(ChangeKind::modified, path, false);
    }
  }

  bool differs(const std::string& path, const Lookup& found, const Entry& now,
               const Entry& before) {
    if (!is_file(now)) return now.target != before.target || now.device != before.device;
    if (now.size != before.size) return true;
    return workspace_.digest_of_content(found) != reference_.digest(path, before);
  }

  // A file that went away here and came up there with the same bytes.
  void pair_renames() {
    std::multimap<uint64_t, size_t> deleted;  // by size
    for (size_t i = 0; i < changes_.size(); ++i) {
      if (changes_[i].kind != ChangeKind::deleted || changes_[i].path.back() == '/') continue;
      const auto entry = reference_.find(changes_[i].path);
      if (entry && is_file(*entry) && entry->size > 0) deleted.emplace(entry->size, i);
    }
    std::set<size_t> gone;
    for (Change& change : changes_) {
      if (change.kind != ChangeKind::added || change.path.back() == '/' || deleted.empty()) continue;
      Lookup found;
      workspace_.look_up(path_buffer(change.path), found);
      if (!found.is_regular()) continue;
      auto [at, end] = deleted.equal_range(static_cast<uint64_t>(found.status.st_size));
      if (at == end) continue;
      const Digest digest = workspace_.digest_of_content(found);
      for (; at != end; ++at) {
        const std::string& old_path = changes_[at->second].path;
        const auto entry = reference_.find(old_path);
        if (!entry || reference_.digest(old_path, *entry) != digest) continue;
        change.kind = ChangeKind::renamed;
        change.old_path = old_path;
        gone.insert(at->second);
        deleted.erase(at);
        break;
      }
    }
    size_t at = 0;
    std::erase_if(changes_, [&](const Change&) { return gone.contains(at++); });
  }

  OpenWorkspace& workspace_;
  Reference& reference_;
  std::vector<Change> changes_;
  bool stop_at_first_ = false;
};

// Two snapshots of the manifest; equal directories are one row and are not entered.
class SnapshotComparison {
 public:
  SnapshotComparison(Manifest& manifest, const Snapshot& from, const Snapshot& to)
      : manifest_(manifest),
        guard_(manifest, {from.tree, to.tree},
               {fmt::format("the changes from {} to {}", short_id(from.id), short_id(to.id)), 2 * sizeof(Change), true}) {}

  void compare_trees(const std::string& path, TreeId from, TreeId to, size_t depth) {
    if (from == to) return;
    const std::vector<Entry> before = list(from, depth);
    const std::vector<Entry> after = list(to, depth);
    auto old_entry = before.begin();
    auto new_entry = after.begin();
    while (old_entry != before.end() || new_entry != after.end()) {
      if (new_entry == after.end() ||
          (old_entry != before.end() && old_entry->name < new_entry->name)) {
        whole_tree(ChangeKind::deleted, join(path, old_entry->name), *old_entry, depth);
        ++old_entry;
      } else if (old_entry == before.end() || new_entry->name < old_entry->name) {
        whole_tree(ChangeKind::added, join(path, new_entry->name), *new_entry, depth);
        ++new_entry;
      } else {
        compare_entries(join(path, old_entry->name), *old_entry, *new_entry, depth);
        ++old_entry;
        ++new_entry;
      }
    }
  }

  std::vector<Change> changes;

 private:
  std::vector<Entry> list(TreeId tree, size_t depth) {
    std::vector<Entry> entries = manifest_.list(tree);
    guard_.entered(tree, entries.size(), depth);
    return entries;
  }

  void whole_tree(ChangeKind kind, const std::string& path, const Entry& entry, size_t depth) {
    if (!is_directory(entry)) {
      changes.push_back({kind, path, {}});
      return;
    }
    const std::vector<Entry> children = list(entry.tree, depth + 1);
    if (children.empty()) changes.push_back({kind, path + "/", {}});
    for (const Entry& child : children) whole_tree(kind, join(path, child.name), child, depth + 1);
  }

  void compare_entries(const std::string& path, const Entry& from, const Entry& to, size_t depth) {
    if (is_directory(from) && is_directory(to)) {
      if (!same_attributes(from, to)) changes.push_back({ChangeKind::modified, path + "/", {}});
      compare_trees(path, from.tree, to.tree, depth + 1);
    } else if (is_directory(from) || is_directory(to)) {
      whole_tree(ChangeKind::deleted, path, from, depth);
      whole_tree(ChangeKind::added, path, to, depth);
    } else if (!from.same_as(to)) {
      changes.push_back({same_type(from, to) ? ChangeKind::modified : ChangeKind::type_changed, path, {}});
    }
  }

  Manifest& manifest_;
  WalkGuard guard_;
};

bool same_directory(Manifest& manifest, TreeId tree, const TreeNode& node) {
  const std::vector<Entry> entries = manifest.list(tree);
  return std::equal(entries.begin(), entries.end(), node.children.begin(), node.children.end(),
                    [&](const Entry& entry, const TreeNode& child) {
                      if (entry.name != child.entry.name) return false;
                      if (!is_directory(entry)) return entry.same_as(child.entry);
                      return same_attributes(entry, child.entry) &&
                             same_directory(manifest, entry.tree, child);
                    });
}

// Programs go on while a command looks. What they removed on the way is not there
// when it looks again; if they are faster each time, the last error stands.
template <typename Look>
auto while_it_goes_away(Look look) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    try {
      return look();
    } catch (const Error& error) {
      if (attempt == kAttempts || !says_gone(error.code)) throw;
    }
  }
}

}  // namespace

bool is_recorded(Manifest& manifest, const Snapshot& snapshot, const TreeNode& top) {
  Entry root;
  root.metadata = snapshot.root;
  return same_attributes(root, top.entry) && same_directory(manifest, snapshot.tree, top);
}

std::vector<Change> changes_of(OpenWorkspace& workspace) {
  return while_it_goes_away([&] {
    const std::unique_ptr<Reference> reference = reference_of(workspace);
    return Comparison(workspace, *reference).run();
  });
}

bool has_changes(OpenWorkspace& workspace) {
  return while_it_goes_away([&] {
    const std::unique_ptr<Reference> reference = reference_of(workspace);
    return Comparison(workspace, *reference).finds_any();
  });
}

std::vector<Change> changes_between(Manifest& manifest, const Snapshot& from, const Snapshot& to) {
  SnapshotComparison comparison(manifest, from, to);
  Entry old_root;
  Entry new_root;
  old_root.metadata = from.root;
  new_root.metadata = to.root;
  if (!same_attributes(old_root, new_root)) comparison.changes.push_back({ChangeKind::modified, "./", {}});
  comparison.compare_trees("", from.tree, to.tree, 0);
  return std::move(comparison.changes);
}

}  // namespace vfs
