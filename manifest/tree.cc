// Trees and chunks: how directories share rows.
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

uint32_t type_bits(std::string_view name) {
  if (name == "file") return S_IFREG;
  if (name == "directory") return S_IFDIR;
  if (name == "link") return S_IFLNK;
  if (name == "fifo") return S_IFIFO;
  if (name == "socket") return S_IFSOCK;
  return name == "character" ? S_IFCHR : S_IFBLK;
}

void hash_entry(StreamingHash& hash, const Entry& entry) {
  hash.update_number(entry.name.size());
  hash.update(entry.name);
  for (uint64_t number :
       {uint64_t{entry.metadata.mode}, uint64_t{entry.metadata.uid}, uint64_t{entry.metadata.gid},
        static_cast<uint64_t>(entry.metadata.mtime_seconds),
        uint64_t{entry.metadata.mtime_nanoseconds}, entry.size, entry.device, entry.link_group,
        static_cast<uint64_t>(entry.tree), uint64_t{entry.target.size()}}) {
    hash.update_number(number);
  }
  hash.update(entry.digest.bytes, Digest::kSize);
  hash.update(entry.target);
}

}  // namespace

int64_t Manifest::put_chunk(const Entry* first, const Entry* last, const Digest& digest) {
  Statement find = database_->prepare("SELECT id FROM chunk WHERE digest = ?");
  if (find.bind(1, digest).step()) return find.integer(0);
  database_->prepare("INSERT INTO chunk (digest) VALUES (?)").bind(1, digest).run();
  const int64_t chunk = database_->last_row();
  Statement insert = database_->prepare(
      "INSERT INTO entry (chunk, name, type, mode, uid, gid, mtime, mtime_ns, size, digest, "
      "target, tree, device, link_group) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const Entry* entry = first; entry != last; ++entry) {
    const Metadata& metadata = entry->metadata;
    insert.bind(1, chunk).bind_blob(2, entry->name).bind_text(3, type_name(metadata.mode));
    insert.bind(4, metadata.mode & 07777).bind(5, metadata.uid).bind(6, metadata.gid);
    insert.bind(7, metadata.mtime_seconds).bind(8, metadata.mtime_nanoseconds);
    insert.bind(9, static_cast<int64_t>(entry->size));
    insert.bind_null(10).bind_null(11).bind_null(12);
    if (S_ISREG(metadata.mode)) insert.bind(10, entry->digest);
    if (S_ISLNK(metadata.mode)) insert.bind_blob(11, entry->target);
    if (S_ISDIR(metadata.mode)) insert.bind(12, entry->tree);
    insert.bind(13, static_cast<int64_t>(entry->device));
    insert.bind(14, static_cast<int64_t>(entry->link_group));
    insert.run();
  }
  return chunk;
}

TreeId Manifest::put_tree(TreeNode& node, uint64_t& files, uint64_t& bytes) {
  if (node.entry.tree != 0 && node.children.empty()) {
    Statement known = database_->prepare("SELECT files, bytes FROM tree WHERE id = ?");
    if (!known.bind(1, node.entry.tree).step()) {
      throw Error("manifest", "a tree that was to be kept is gone", "run the command again");
    }
    files += static_cast<uint64_t>(known.integer(0));
    bytes += static_cast<uint64_t>(known.integer(1));
    return node.entry.tree;
  }
  uint64_t own_files = 0;
  uint64_t own_bytes = 0;
  std::vector<Entry> entries;
  entries.reserve(node.children.size());
  for (TreeNode& child : node.children) {
    if (S_ISDIR(child.entry.metadata.mode)) {
      child.entry.tree = put_tree(child, own_files, own_bytes);
    } else if (S_ISREG(child.entry.metadata.mode)) {
      ++own_files;
      own_bytes += child.entry.size;
    }
    entries.push_back(std::move(child.entry));
  }
  node.children = {};
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  files += own_files;
  bytes += own_bytes;

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
    chunks.push_back(put_chunk(entries.data() + start, entries.data() + end, digest));
    start = end;
  }
  const Digest digest = tree_hash.digest();
  Statement find = database_->prepare("SELECT id FROM tree WHERE digest = ?");
  if (find.bind(1, digest).step()) return find.integer(0);
  Statement insert = database_->prepare("INSERT INTO tree (digest, files, bytes) VALUES (?, ?, ?)");
  insert.bind(1, digest).bind(2, static_cast<int64_t>(own_files));
  insert.bind(3, static_cast<int64_t>(own_bytes)).run();
  const TreeId tree = database_->last_row();
  Statement add = database_->prepare("INSERT INTO tree_chunk (tree, position, chunk) VALUES (?, ?, ?)");
  for (size_t i = 0; i < chunks.size(); ++i) {
    add.bind(1, tree).bind(2, static_cast<int64_t>(i)).bind(3, chunks[i]).run();
  }
  return tree;
}

std::vector<Entry> Manifest::list(TreeId tree) {
  std::vector<Entry> entries;
  Statement row = database_->prepare(
      "SELECT name, type, mode, uid, gid, mtime, mtime_ns, size, digest, target, tree_of, device, "
      "link_group FROM (SELECT e.*, e.tree AS tree_of, c.position AS chunk_position FROM "
      "tree_chunk c JOIN entry e ON e.chunk = c.chunk WHERE c.tree = ?) "
      "ORDER BY chunk_position, name");
  row.bind(1, tree);
  while (row.step()) {
    Entry& entry = entries.emplace_back();
    entry.name = row.bytes(0);
    entry.metadata.mode = type_bits(row.bytes(1)) | static_cast<uint32_t>(row.integer(2));
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
  }
  return entries;
}

}  // namespace vfs
