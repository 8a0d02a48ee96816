// The manifest: what every path of every snapshot is, and what names they have.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "cas/hash.h"
#include "cas/store.h"
#include "manifest/database.h"

namespace vfs {

using SnapshotId = Digest;
using TreeId = int64_t;

struct Metadata {
  uint32_t mode = 0;  // type and permission bits, as st_mode
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t mtime_seconds = 0;
  uint32_t mtime_nanoseconds = 0;

  bool operator==(const Metadata&) const = default;
};

// One name in a directory.
struct Entry {
  std::string name;         // bytes; no '/' and no NUL
  Metadata metadata;
  uint64_t size = 0;        // bytes; 0 for directories
  Digest digest = {};       // regular file
  std::string target;       // symbolic link
  TreeId tree = 0;          // directory, once it is in the database
  uint64_t device = 0;      // devices: st_rdev
  uint64_t link_group = 0;  // names of one inode share a number; 0: no hard link

  bool same_as(const Entry& other) const;
};

// A tree that is to become a snapshot. A directory whose entry.tree is set and
// that has no children is taken over as it is.
struct TreeNode {
  Entry entry;
  std::vector<TreeNode> children;
};

struct Snapshot {
  SnapshotId id = {};
  std::optional<SnapshotId> parent;
  int64_t time_ns = 0;  // since the epoch
  std::string message;
  Metadata root;
  TreeId tree = 0;
  uint64_t files = 0;   // regular files
  uint64_t bytes = 0;   // their size, added up
};

// Not for use from several threads at once; any number of processes may have
// the database open. Every function throws Error.
class Manifest {
 public:
  explicit Manifest(const Store& store);

  // Writes a tree and the snapshot of it in one transaction. Sorts children.
  Snapshot add_snapshot(TreeNode& root, std::optional<SnapshotId> parent, std::string message);

  Snapshot snapshot(const SnapshotId& id);
  std::vector<Snapshot> all_snapshots();  // newest first
  // A ref, a full id, or the beginning of one (4 digits and more).
  Snapshot resolve(std::string_view spec);

  // The entries of a directory, sorted by name.
  std::vector<Entry> list(TreeId tree);
  // The entry at a path relative to the root; nothing if there is none. The
  // root itself is an entry with an empty name.
  std::optional<Entry> find(const Snapshot& snapshot, std::string_view path);

  void set_ref(std::string_view name, const SnapshotId& id);
  bool remove_ref(std::string_view name);
  std::vector<std::pair<std::string, SnapshotId>> refs();

  // Digest of a file that was stored before and has not changed since: same
  // device, inode, size, mtime and ctime.
  std::optional<Digest> seen_file(const struct stat& status);
  // Not remembered if it changed in the last two seconds: it may change again
  // without a new time stamp.
  void remember_file(const struct stat& status, const Digest& digest);

  // Deletes every snapshot that no ref and none of `heads` leads to, and the
  // trees only they had. Gives the digests that stay in use.
  std::unordered_set<Digest, DigestHash> collect(const std::vector<SnapshotId>& heads,
                                                 uint64_t& removed_snapshots);
  // Digest and size of every file entry, each once.
  void for_each_digest(const std::function<void(const Digest&, uint64_t size)>& visit);
  // Every "snapshot:path" that an object serves.
  std::vector<std::string> paths_of(const Digest& digest);

  Database& database() { return *database_; }

 private:
  TreeId put_tree(TreeNode& node, uint64_t& files, uint64_t& bytes);
  int64_t put_chunk(const Entry* first, const Entry* last, const Digest& digest);
  Snapshot read_snapshot(Statement& row);

  std::unique_ptr<Database> database_;
  std::optional<Statement> seen_;
};

// Splits "a/b/c"; throws nothing, skips empty components.
std::vector<std::string_view> split_path(std::string_view path);

}  // namespace vfs
