// Trees and chunks: how directories share rows.
#include <limits.h>
#include <sys/stat.h>

#include <algorithm>

#include "cas/error.h"
#include "manifest/manifest.h"

namespace vfs {
namespace {

// A chunk ends behind a name whose hash says so, one in 64: where chunks end
// depends on names alone, so a change in one place leaves the others alone.
constexpr uint64_t kChunkMask = 63;
constexpr size_t kLongestChunk = 1024;

bool ends_chunk(const Entry& entry) {
  const Digest digest = digest_of(entry.name.data(), entry.name.size());
  return (digest.bytes[0] & kChunkMask) == 0;
}

const char* type_name(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "link";
    case S_IFIFO: return "fifo";
    case S_IFSOCK: return "socket";
    case S_IFCHR: return "character";
    default: return "block";
  }
}

// 0: there is no such type.
uint32_t type_bits(std::string_view name) {
  for (const uint32_t type : {S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK}) {
    if (name == type_name(type)) return type;
  }
  return 0;
}

// Of directories the digest of the tree counts, not its row: equal trees have
// equal digests in every store. put_tree has set `digest` to it.
void hash_entry(StreamingHash& hash, const Entry& entry) {
  hash.update_number(entry.name.size());
  hash.update(entry.name);
  for (uint64_t number :
       {uint64_t{entry.metadata.mode}, uint64_t{entry.metadata.uid}, uint64_t{entry.metadata.gid},
        static_cast<uint64_t>(entry.metadata.mtime_seconds),
        uint64_t{entry.metadata.mtime_nanoseconds}, entry.size, entry.device, entry.link_group,
        uint64_t{entry.target.size()}}) {
    hash.update_number(number);
  }
  hash.update(entry.digest.bytes, Digest::kSize);
  hash.update(entry.target);
}

// What does not belong to the type would only keep equal trees apart.
void normalize(Entry& entry) {
  const uint32_t mode = entry.metadata.mode;
  if (!S_ISREG(mode) && !S_ISDIR(mode)) entry.digest = {};
  if (!S_ISLNK(mode)) entry.target.clear();
  if (!S_ISCHR(mode) && !S_ISBLK(mode)) entry.device = 0;
  if (S_ISLNK(mode)) entry.size = entry.target.size();
  if (!S_ISREG(mode) && !S_ISLNK(mode)) entry.size = 0;
  if (S_ISDIR(mode)) entry.link_group = 0;
}

bool is_possible_name(std::string_view name) {
  return !name.empty() && name.size() <= NAME_MAX && name != "." && name != ".." &&
         name.find('/') == name.npos && name.find('\0') == name.npos;
}

// Of sorted entries.
void check_names(const std::vector<Entry>& entries) {
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string& name = entries[i].name;
    if (!is_possible_name(name)) throw Error("'" + name + "'", "not a name that a directory can have");
    if (i > 0 && entries[i - 1].name == name) throw Error(name, "twice in one directory");
  }
}

constexpr char kColumns[] =
    "SELECT e.name, e.type, e.mode, e.uid, e.gid, e.mtime, e.mtime_ns, e.size, e.digest, e.target, "
    "e.tree, e.device, e.link_group FROM ";

// Who takes a row for an entry puts its name behind a path: what the
// constraints say is asked again, for a database that others have written.
bool is_possible(const Entry& entry, const Statement& row) {
  const uint32_t type = entry.metadata.mode & S_IFMT;
  const std::string& target = entry.target;
  const auto is_in = [&](int column, int64_t most) { return row.integer(column) >= 0 && row.integer(column) <= most; };
  return is_possible_name(entry.name) && type != 0 && is_in(2, 07777) && is_in(3, kHighestOwner) &&
         is_in(4, kHighestOwner) && is_in(6, 999'999'999) && is_in(7, INT64_MAX) &&
         (type == S_IFREG) == !row.is_null(8) && (type == S_IFLNK) == !target.empty() &&
         target.size() < PATH_MAX && target.find('\0') == target.npos && (type == S_IFDIR) == (entry.tree != 0);
}

Entry read_entry(Statement& row) {
  Entry entry;
  entry.name = row.bytes(0);
  entry.metadata.mode = type_bits(row.bytes(1)) | (static_cast<uint32_t>(row.integer(2)) & 07777);
  entry.metadata.uid = static_cast<uint32_t>(row.integer(3));
  entry.metadata.gid = static_cast<uint32_t>(row.integer(4));
  entry.metadata.mtime_seconds = row.integer(5);
  entry.metadata.mtime_nanoseconds = static_cast<uint32_t>(row.integer(6));
  entry.size = static_cast<uint64_t>(row.integer(7));
  if (!row.is_null(8)) entry.digest = row.digest(8);
  if (!row.is_null(9)) entry.target = row.bytes(9);
  if (!row.is_null(10)) entry.tree = row.integer(10);
  entry.device = static_cast<uint64_t>(row.integer(11));
  entry.link_group = static_cast<uint64_t>(row.integer(12));
  if (!is_possible(entry, row)) {
    throw Error("manifest", "there is an entry that no directory can have: '" + entry.name.substr(0, NAME_MAX) + "'",
                kDamagedHint);
  }
  return entry;
}

void write_entry(Statement& insert, int64_t chunk, const Entry& entry) {
  const Metadata& metadata = entry.metadata;
  insert.bind(1, chunk).bind_blob(2, entry.name).bind_text(3, type_name(metadata.mode));
  insert.bind(4, metadata.mode & 07777).bind(5, metadata.uid).bind(6, metadata.gid);
  insert.bind(7, metadata.mtime_seconds).bind(8, metadata.mtime_nanoseconds);
  insert.bind(9, static_cast<int64_t>(entry.size));
  insert.bind_null(10).bind_null(11).bind_null(12);
  if (S_ISREG(metadata.mode)) insert.bind(10, entry.digest);
  if (S_ISLNK(metadata.mode)) insert.bind_blob(11, entry.target);
  if (S_ISDIR(metadata.mode)) insert.bind(12, entry.tree);
  insert.bind(13, static_cast<int64_t>(entry.device));
  insert.bind(14, static_cast<int64_t>(entry.link_group));
  insert.run();
}

// Adds the entry in `row` to those before it.
void add_entry(std::vector<Entry>& entries, Statement& row) {
  Entry entry = read_entry(row);
  if (!entries.empty() && entries.back().name >= entry.name) {
    throw Error("manifest", "a directory is not in order at '" + entry.name + "'", kDamagedHint);
  }
  entries.push_back(std::move(entry));
}

// Two directories that differ have one digest. It takes intent to make them;
// mixing them up would be worse than refusing.
[[noreturn]] void fail_collision(std::string_view name) {
  throw Error(std::string(name), "a different directory in the store has the same digest",
              "the store cannot hold both: rename something in one of them");
}

}  // namespace

int64_t Manifest::put_chunk(Entries entries, const Digest& digest) {
  Statement find = database_->prepare("SELECT id FROM chunk WHERE digest = ?");
  if (find.bind(1, digest).step()) {
    check_chunk(find.integer(0), entries);
    return find.integer(0);
  }
  database_->prepare("INSERT INTO chunk (digest) VALUES (?)").bind(1, digest).run();
  const int64_t chunk = database_->last_row();
  Statement insert = database_->prepare(
      "INSERT INTO entry (chunk, name, type, mode, uid, gid, mtime, mtime_ns, size, digest, "
      "target, tree, device, link_group) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const Entry& entry : entries) write_entry(insert, chunk, entry);
  return chunk;
}

void Manifest::check_chunk(int64_t chunk, Entries entries) {
  Statement row = database_->prepare(std::string(kColumns) + "entry e WHERE e.chunk = ? ORDER BY e.name");
  row.bind(1, chunk);
  for (const Entry& entry : entries) {
    if (!row.step()) fail_collision(entry.name);
    Entry stored = read_entry(row);
    if (S_ISDIR(stored.metadata.mode)) stored.digest = entry.digest;  // that of `tree`
    if (stored.name != entry.name || !stored.same_as(entry)) fail_collision(entry.name);
  }
  if (row.step()) fail_collision(row.bytes(0));
}

void Manifest::check_tree(TreeId tree, const std::vector<int64_t>& chunks) {
  Statement row = database_->prepare("SELECT chunk FROM tree_chunk WHERE tree = ? ORDER BY position");
  row.bind(1, tree);
  for (const int64_t chunk : chunks) {
    if (!row.step() || row.integer(0) != chunk) fail_collision("tree");
  }
  if (row.step()) fail_collision("tree");
}

Manifest::TreeRow Manifest::known_tree(TreeId tree) {
  Statement row = database_->prepare("SELECT digest, files, bytes FROM tree WHERE id = ?");
  if (!row.bind(1, tree).step()) {
    throw Error("manifest", "a tree that was to be kept is gone", "run the command again");
  }
  return {tree, row.digest(0), static_cast<uint64_t>(row.integer(1)),
          static_cast<uint64_t>(row.integer(2))};
}

Manifest::TreeRow Manifest::put_tree(TreeNode& node) {
  if (node.entry.tree != 0 && node.children.empty()) return known_tree(node.entry.tree);
  TreeRow row;
  std::vector<Entry> entries;
  entries.reserve(node.children.size());
  for (TreeNode& child : node.children) {
    Entry& entry = child.entry;
    if (S_ISDIR(entry.metadata.mode)) {
      const TreeRow below = put_tree(child);
      entry.tree = below.id;
      entry.digest = below.digest;
      row.files += below.files;
      row.bytes += below.bytes;
    } else if (S_ISREG(entry.metadata.mode)) {
      ++row.files;
      row.bytes += entry.size;
    }
    normalize(entry);
    entries.push_back(std::move(entry));
  }
  node.children = {};
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  check_names(entries);
  return put_entries(entries, row);
}

Manifest::TreeRow Manifest::put_entries(Entries entries, TreeRow row) {
  std::vector<int64_t> chunks;
  StreamingHash tree_hash;
  for (size_t start = 0; start < entries.size();) {
    StreamingHash chunk_hash;
    size_t end = start;
    do {
      hash_entry(chunk_hash, entries[end]);
    } while (++end < entries.size() && end - start < kLongestChunk && !ends_chunk(entries[end - 1]));
    const Digest digest = chunk_hash.digest();
    tree_hash.update(digest.bytes, Digest::kSize);
    chunks.push_back(put_chunk(entries.subspan(start, end - start), digest));
    start = end;
  }
  row.digest = tree_hash.digest();
  Statement find = database_->prepare("SELECT id FROM tree WHERE digest = ?");
  if (find.bind(1, row.digest).step()) {
    row.id = find.integer(0);
    check_tree(row.id, chunks);
    return row;
  }
  Statement insert = database_->prepare("INSERT INTO tree (digest, files, bytes) VALUES (?, ?, ?)");
  insert.bind(1, row.digest).bind(2, static_cast<int64_t>(row.files));
  insert.bind(3, static_cast<int64_t>(row.bytes)).run();
  row.id = database_->last_row();
  Statement add = database_->prepare("INSERT INTO tree_chunk (tree, position, chunk) VALUES (?, ?, ?)");
  for (size_t i = 0; i < chunks.size(); ++i) {
    add.bind(1, row.id).bind(2, static_cast<int64_t>(i)).bind(3, chunks[i]).run();
  }
  return row;
}

std::vector<Entry> Manifest::list(TreeId tree) {
  std::vector<Entry> entries;
  // Chunks are in order, and sorted inside: the order of both primary keys.
  Statement row = database_->prepare(
      std::string(kColumns) +
      "tree_chunk c CROSS JOIN entry e ON e.chunk = c.chunk WHERE c.tree = ? "
      "ORDER BY c.position, e.name");
  row.bind(1, tree);
  while (row.step()) add_entry(entries, row);
  return entries;
}

std::vector<Entry> Manifest::list_without(TreeId tree, TreeId other) {
  std::vector<Entry> entries;
  Statement row = database_->prepare(
      std::string(kColumns) +
      "tree_chunk c CROSS JOIN entry e ON e.chunk = c.chunk WHERE c.tree = ?1 "
      "AND c.chunk NOT IN (SELECT chunk FROM tree_chunk WHERE tree = ?2) "
      "ORDER BY c.position, e.name");
  row.bind(1, tree).bind(2, other);
  while (row.step()) add_entry(entries, row);
  return entries;
}

std::optional<Entry> Manifest::find_in(TreeId tree, std::string_view name) {
  Statement row = database_->prepare(
      std::string(kColumns) +
      "tree_chunk c CROSS JOIN entry e ON e.chunk = c.chunk WHERE c.tree = ? AND e.name = ?");
  row.bind(1, tree).bind_blob(2, name);
  if (!row.step()) return std::nullopt;
  return read_entry(row);
}

}  // namespace vfs
