#include "manifest/manifest.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>

#include "cas/error.h"
#include "cas/file_io.h"
#include "manifest/schema.h"

namespace vfs {
namespace {

int64_t now_ns() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}

constexpr char kSnapshotColumns[] =
    "SELECT id, parent, time_ns, message, mode, uid, gid, mtime, mtime_ns, tree, files, bytes "
    "FROM (SELECT s.*, t.files, t.bytes FROM snapshot s JOIN tree t ON t.id = s.tree) ";

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A name that could be mistaken for an id or a path is none.
void check_ref_name(std::string_view name) {
  const bool odd = name.empty() || name.size() > 200 || name[0] == '-' || name[0] == '.' ||
                   std::any_of(name.begin(), name.end(), [](unsigned char c) {
                     return c <= ' ' || c == '/' || c == 127;
                   });
  if (odd || (name.size() == Digest::kHexLength && is_hexadecimal(name))) {
    throw Error(std::string(name), "not a valid name for a ref",
                "use letters, digits, '.', '_', '-'; no slash, not a full id");
  }
}

}  // namespace

int64_t nanoseconds(const struct timespec& time) {
  // Wraps for times beyond the year 2262, which compare as well as any.
  return static_cast<int64_t>(static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u +
                              static_cast<uint64_t>(time.tv_nsec));
}

FileStamp::FileStamp(const struct stat& status)
    : device(status.st_dev),
      inode(status.st_ino),
      size(static_cast<uint64_t>(status.st_size)),
      mtime_ns(nanoseconds(status.st_mtim)),
      ctime_ns(nanoseconds(status.st_ctim)) {}

bool Entry::same_as(const Entry& other) const {
  return metadata == other.metadata && size == other.size && digest == other.digest &&
         target == other.target && device == other.device && link_group == other.link_group &&
         tree == other.tree;
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0 && path.substr(0, slash) != ".") parts.push_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

Manifest::Manifest(const Store& store) : opened_ns_(now_ns()) {
  // SQLite would make it as the umask says; its log gets the database's mode. (Not
  // opened here if it is there: closing it would drop the locks of another
  // connection of this process.)
  if (!make_private_file(store.manifest())) throw system_error(store.manifest().string(), errno);
  struct stat status;
  if (::lstat(store.manifest().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw Error(store.manifest().string(), "not a regular file", "put it back from a copy of the store");
  }
  database_ = std::make_unique<Database>(store.manifest());
  prepare_schema(*database_);
}

// --- snapshots ---------------------------------------------------------------

Snapshot Manifest::add_snapshot(TreeNode& root, std::optional<SnapshotId> parent,
                                std::string message) {
  const UncheckedRows made_here(*database_);
  // Before anything refers to it: a workspace whose head is in no manifest is
  // of no use to anyone.
  Transaction transaction(*database_, Transaction::durable);
  Snapshot snapshot;
  snapshot.parent = parent;
  snapshot.message = std::move(message);
  snapshot.time_ns = now_ns();
  snapshot.root = root.entry.metadata;
  const TreeRow tree = put_tree(root);
  snapshot.tree = tree.id;
  snapshot.files = tree.files;
  snapshot.bytes = tree.bytes;

  StreamingHash hash;
  hash.update("snapshot");
  hash.update(tree.digest.bytes, Digest::kSize);
  if (parent) hash.update(parent->bytes, Digest::kSize);
  hash.update_number(static_cast<uint64_t>(snapshot.time_ns));
  for (uint64_t number : {uint64_t{snapshot.root.mode}, uint64_t{snapshot.root.uid},
                          uint64_t{snapshot.root.gid},
                          static_cast<uint64_t>(snapshot.root.mtime_seconds),
                          uint64_t{snapshot.root.mtime_nanoseconds}}) {
    hash.update_number(number);
  }
  hash.update(snapshot.message);
  snapshot.id = hash.digest();

  Statement insert = database_->prepare(
      "INSERT INTO snapshot (id, parent, time_ns, message, tree, mode, uid, gid, mtime, mtime_ns) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, snapshot.id);
  if (parent) insert.bind(2, *parent);
  insert.bind(3, snapshot.time_ns).bind_text(4, snapshot.message).bind(5, snapshot.tree);
  insert.bind(6, snapshot.root.mode).bind(7, snapshot.root.uid).bind(8, snapshot.root.gid);
  insert.bind(9, snapshot.root.mtime_seconds).bind(10, snapshot.root.mtime_nanoseconds);
  insert.run();
  transaction.commit();
  return snapshot;
}

Snapshot Manifest::read_snapshot(Statement& row) {
  Snapshot snapshot;
  snapshot.id = row.digest(0);
  if (!row.is_null(1)) snapshot.parent = row.digest(1);
  snapshot.time_ns = row.integer(2);
  snapshot.message = row.bytes(3);
  snapshot.root.mode = static_cast<uint32_t>(row.integer(4));
  snapshot.root.uid = static_cast<uint32_t>(row.integer(5));
  snapshot.root.gid = static_cast<uint32_t>(row.integer(6));
  snapshot.root.mtime_seconds = row.integer(7);
  snapshot.root.mtime_nanoseconds = static_cast<uint32_t>(row.integer(8));
  snapshot.tree = row.integer(9);
  snapshot.files = static_cast<uint64_t>(row.integer(10));
  snapshot.bytes = static_cast<uint64_t>(row.integer(11));
  const auto is_in = [&](int column, int64_t most) { return row.integer(column) >= 0 && row.integer(column) <= most; };
  if (!S_ISDIR(snapshot.root.mode) || !is_in(4, 0177777) || !is_in(5, kHighestOwner) || !is_in(6, kHighestOwner) ||
      !is_in(8, 999'999'999)) {
    throw Error("snapshot " + digest_text(snapshot.id), "its root is not such as a directory can be",
                kDamagedHint);
  }
  return snapshot;
}

Snapshot Manifest::snapshot(const SnapshotId& id) {
  Statement row = database_->prepare(std::string(kSnapshotColumns) + "WHERE id = ?");
  row.bind(1, id);
  if (!row.step()) {
    throw Error("snapshot " + digest_text(id), "no such snapshot", "`vfs log` and `vfs refs` list them");
  }
  return read_snapshot(row);
}

std::vector<Snapshot> Manifest::all_snapshots() {
  std::vector<Snapshot> result;
  Statement row = database_->prepare(std::string(kSnapshotColumns) + "ORDER BY number DESC");
  while (row.step()) result.push_back(read_snapshot(row));
  return result;
}

std::optional<Snapshot> Manifest::find_by_message(std::string_view message) {
  Statement row = database_->prepare(std::string(kSnapshotColumns) +
                                     "WHERE message = ? AND parent IS NULL ORDER BY number DESC LIMIT 1");
  if (!row.bind_text(1, message).step()) return std::nullopt;
  return read_snapshot(row);
}

Snapshot Manifest::resolve(std::string_view spec) {
  Statement ref = database_->prepare("SELECT snapshot FROM ref WHERE name = ?");
  ref.bind_text(1, spec);
  if (ref.step()) return snapshot(ref.digest(0));
  if (spec.size() >= 4 && spec.size() <= Digest::kHexLength && is_hexadecimal(spec)) {
    Statement ids = database_->prepare("SELECT id FROM snapshot WHERE lower(hex(id)) GLOB ? LIMIT 2");
    ids.bind_text(1, std::string(spec) + "*");
    if (ids.step()) {
      const SnapshotId id = ids.digest(0);
      if (ids.step()) {
        throw Error(std::string(spec), "more than one snapshot begins so", "give more digits");
      }
      return snapshot(id);
    }
  }
  throw Error(std::string(spec), "no such snapshot or ref", "`vfs log` and `vfs refs` list them");
}

std::optional<Entry> Manifest::find(const Snapshot& snapshot, std::string_view path) {
  Entry at;
  at.metadata = snapshot.root;
  at.tree = snapshot.tree;
  for (const std::string_view name : split_path(path)) {
    if (!S_ISDIR(at.metadata.mode)) return std::nullopt;
    std::optional<Entry> child = find_in(at.tree, name);
    if (!child) return std::nullopt;
    at = std::move(*child);
  }
  return at;
}

// --- refs ----------------------------------------------------------------------

void Manifest::set_ref(std::string_view name, const SnapshotId& id) {
  check_ref_name(name);
  Transaction transaction(*database_, Transaction::durable);
  Statement insert = database_->prepare(
      "INSERT INTO ref (name, snapshot) VALUES (?, ?) "
      "ON CONFLICT (name) DO UPDATE SET snapshot = excluded.snapshot");
  insert.bind_text(1, name).bind(2, id).run();
  transaction.commit();
}

bool Manifest::remove_ref(std::string_view name) {
  Transaction transaction(*database_, Transaction::durable);
  Statement remove = database_->prepare("DELETE FROM ref WHERE name = ?");
  remove.bind_text(1, name).run();
  const bool removed = database_->changes() > 0;
  transaction.commit();
  return removed;
}

std::vector<std::pair<std::string, SnapshotId>> Manifest::refs() {
  std::vector<std::pair<std::string, SnapshotId>> result;
  Statement row = database_->prepare("SELECT name, snapshot FROM ref ORDER BY name");
  while (row.step()) result.emplace_back(std::string(row.bytes(0)), row.digest(1));
  return result;
}

// --- what is in use ------------------------------------------------------------------

void Manifest::for_each_digest(const std::function<void(const Digest&, uint64_t size)>& visit) {
  Statement row = database_->prepare("SELECT DISTINCT digest, size FROM entry WHERE type = 'file'");
  while (row.step()) visit(row.digest(0), static_cast<uint64_t>(row.integer(1)));
}

std::unordered_set<Digest, DigestHash> Manifest::collect(const std::vector<SnapshotId>& heads,
                                                         std::vector<SnapshotId>& removed,
                                                         Collect collect) {
  // Objects go next: no snapshot that needs them may come back.
  Transaction transaction(*database_, Transaction::durable);
  database_->execute("CREATE TEMP TABLE head (id BLOB)");
  Statement insert = database_->prepare("INSERT INTO head VALUES (?)");
  for (const SnapshotId& id : heads) insert.bind(1, id).run();
  // Deleted from the newest on, so that a parent goes after its children.
  database_->execute("PRAGMA defer_foreign_keys = ON");
  Statement gone = database_->prepare(
      "WITH RECURSIVE reachable (id) AS ("
      "  SELECT snapshot FROM ref UNION SELECT id FROM head"
      "  UNION SELECT s.parent FROM snapshot s JOIN reachable r ON s.id = r.id"
      "  WHERE s.parent IS NOT NULL) "
      "SELECT id FROM snapshot WHERE id NOT IN (SELECT id FROM reachable)");
  while (gone.step()) removed.push_back(gone.digest(0));
  gone.reset();
  Statement remove = database_->prepare("DELETE FROM snapshot WHERE id = ?");
  for (const SnapshotId& id : removed) remove.bind(1, id).run();
  database_->execute(
      "WITH RECURSIVE used (id) AS ("
      "  SELECT tree FROM snapshot"
      "  UNION SELECT e.tree FROM used u JOIN tree_chunk c ON c.tree = u.id"
      "  JOIN entry e ON e.chunk = c.chunk WHERE e.tree IS NOT NULL) "
      "DELETE FROM tree WHERE id NOT IN (SELECT id FROM used)");
  database_->execute("DELETE FROM chunk WHERE id NOT IN (SELECT chunk FROM tree_chunk)");
  database_->execute("DROP TABLE head");
  std::unordered_set<Digest, DigestHash> digests;
  for_each_digest([&](const Digest& digest, uint64_t) { digests.insert(digest); });
  // What is gone from the store must not be taken for present at the next ingest.
  database_->execute(
      "DELETE FROM seen_file WHERE digest NOT IN (SELECT digest FROM entry WHERE type = 'file')");
  if (collect == Collect::remove) transaction.commit();
  return digests;
}

}  // namespace vfs
