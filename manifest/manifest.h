// The manifest: what every path of every snapshot is, and what names they have.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "cas/hash.h"
#include "cas/store.h"
#include "manifest/database.h"

namespace vfs {

using SnapshotId = Digest;
using TreeId = int64_t;

// What stat(2) tells about the content of a file: as long as all of it stays,
// so did the bytes (but see Manifest::remember_file).
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;     // bytes
  int64_t mtime_ns = 0;  // since the epoch
  int64_t ctime_ns = 0;

  FileStamp() = default;
  FileStamp(const struct stat& status);  // NOLINT: a stamp is what a status says

  bool operator==(const FileStamp&) const = default;
};

int64_t nanoseconds(const struct timespec& time);

// To chown(2), the number behind it is no owner: it leaves the file to who it has.
constexpr int64_t kHighestOwner = 0xfffffffe;

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
  Digest digest = {};       // regular file; not set for other types
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

// A path whose content is an object.
struct ServedPath {
  SnapshotId snapshot = {};
  std::string path;    // relative to the root
  std::string origin;  // message of a snapshot without parent: "ingest DIRECTORY"
};

// What leads to a snapshot that is not there: a ref, or else a child.
struct LostLink {
  std::string ref;
  std::optional<SnapshotId> child;
  SnapshotId to = {};
};

// Not for use from several threads at once; any number of processes may have
// the database open. Every function throws Error.
class Manifest {
 public:
  explicit Manifest(const Store& store);

  // Writes a tree and the snapshot of it in one transaction. Takes the nodes
  // apart while it does. Throws Error, and writes nothing, if names are not
  // such as a directory can have.
  Snapshot add_snapshot(TreeNode& root, std::optional<SnapshotId> parent, std::string message);

  Snapshot snapshot(const SnapshotId& id);
  std::vector<Snapshot> all_snapshots();  // newest first
  // The newest that has this message and no parent.
  std::optional<Snapshot> find_by_message(std::string_view message);
  // A ref, a full id, or the beginning of one (4 digits and more).
  Snapshot resolve(std::string_view spec);

  // The entries of a directory, sorted by name.
  std::vector<Entry> list(TreeId tree);
  // The same without what is in chunks that `other` has too: of two trees that
  // differ in little, little more than that.
  std::vector<Entry> list_without(TreeId tree, TreeId other);
  // One of them.
  std::optional<Entry> find_in(TreeId tree, std::string_view name);
  // The entry at a path relative to the root; nothing if there is none. The
  // root itself is an entry with an empty name.
  std::optional<Entry> find(const Snapshot& snapshot, std::string_view path);

  void set_ref(std::string_view name, const SnapshotId& id);
  bool remove_ref(std::string_view name);
  std::vector<std::pair<std::string, SnapshotId>> refs();

  // Digest of a file that was stored before and has not changed since: same
  // device, inode, size, mtime and ctime. Many calls are cheaper inside one
  // read transaction.
  std::optional<Digest> seen_file(const FileStamp& stamp);
  // `stamp` is what the file was before and after its bytes were read
  // (StoredObject::source); `looked_at_ns` a time no later than that. Not
  // remembered if it had changed in the two seconds before: it might have
  // changed again after the look without getting a new time stamp. By default
  // the time when this manifest was opened, which is always safe.
  void remember_file(const FileStamp& stamp, const Digest& digest, int64_t looked_at_ns = 0);
  // For objects found damaged: their sources are read again when next stored.
  void forget_file(const Digest& digest);

  // Deletes every snapshot that no ref and none of `heads` leads to, through
  // parents too, and the trees only they had; these go to the end of `removed`.
  // Gives the digests that stay in use. Hold an exclusive StoreLock until the
  // objects are removed as well. `look`: changes nothing.
  enum class Collect : bool { look, remove };
  std::unordered_set<Digest, DigestHash> collect(const std::vector<SnapshotId>& heads,
                                                 std::vector<SnapshotId>& removed,
                                                 Collect collect = Collect::remove);
  // Digest and size of every file entry, each once.
  void for_each_digest(const std::function<void(const Digest&, uint64_t size)>& visit);
  // Every path that one of these objects serves. False if the manifest is such that
  // not all could be told: directories that no walk ends in, a million paths.
  bool for_each_path(const std::unordered_set<Digest, DigestHash>& digests,
                     const std::function<void(const Digest&, const ServedPath&)>& visit);
  // Reads the whole database. One line for each thing that is wrong with it, but
  // for the links that are lost.
  std::vector<std::string> check();
  // Refs and parents that lead to no snapshot.
  std::vector<LostLink> lost_links();
  // The ref goes; the snapshot has no parent any more.
  void drop_link(const LostLink& lost);

  Database& database() { return *database_; }

 private:
  struct TreeRow {
    TreeId id = 0;
    Digest digest = {};
    uint64_t files = 0;  // regular files below, at any depth
    uint64_t bytes = 0;  // their size, added up
  };
  using Entries = std::span<const Entry>;
  TreeRow put_tree(TreeNode& node);
  TreeRow known_tree(TreeId tree);
  TreeRow put_entries(Entries entries, TreeRow row);
  int64_t put_chunk(Entries entries, const Digest& digest);
  void check_chunk(int64_t chunk, Entries entries);
  void check_tree(TreeId tree, const std::vector<int64_t>& chunks);
  Snapshot read_snapshot(Statement& row);

  std::unique_ptr<Database> database_;
  int64_t opened_ns_;
};

// Splits "a/b/c"; throws nothing, skips empty components.
std::vector<std::string_view> split_path(std::string_view path);

}  // namespace vfs
