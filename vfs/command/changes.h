// What upper holds against the base.
#pragma once

#include "vfs/command/context.h"

namespace vfs {

enum class ChangeKind : char {
  added = 'A',
  modified = 'M',
  deleted = 'D',
  renamed = 'R',
  type_changed = 'T',
};

struct Change {
  ChangeKind kind;
  std::string path;      // relative to the root, which is "./"; a directory's ends in '/'
  std::string old_path;  // renamed: where it was
};

// What something is compared with: the base, or one side of two snapshots.
class Reference {
 public:
  virtual ~Reference() = default;
  // The entry at a path; of a live base without digest.
  virtual std::optional<Entry> find(const std::string& path) = 0;
  virtual std::vector<std::string> names(const std::string& path) = 0;
  virtual Digest digest(const std::string& path, const Entry& entry) = 0;
  virtual std::string content(const std::string& path, const Entry& entry) = 0;
};

// What the workspace's changes are counted against: the last commit if there
// is one, else the live directory.
std::unique_ptr<Reference> reference_of(OpenWorkspace& workspace);
std::unique_ptr<Reference> reference_of(const ObjectStore& objects, Manifest& manifest,
                                        const Snapshot& snapshot);
// The merged tree itself, for diffs.
std::unique_ptr<Reference> merged_reference(OpenWorkspace& workspace);

// Sorted by path. Directories appear when they are empty or their mode or
// owner changed.
std::vector<Change> changes_of(OpenWorkspace& workspace);
// Whether there is any: stops at the first one.
bool has_changes(OpenWorkspace& workspace);
// Whether a snapshot has just this tree. The children of every node must be
// sorted by name.
bool is_recorded(Manifest& manifest, const Snapshot& snapshot, const TreeNode& top);
std::vector<Change> changes_between(Manifest& manifest, const Snapshot& from, const Snapshot& to);

}  // namespace vfs
