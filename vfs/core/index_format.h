// The snapshot index: one immutable file a snapshot, mapped read-only by every
// process of every workspace whose base it is. rfcs/0004 tells why it is so.
//
//   IndexHeader
//   IndexEntry[entry_count]   breadth first; entry 0 is the root; the children
//                             of a directory stand side by side, sorted by name
//   uint32_t[bucket_count]    open addressing by path hash, linear probing;
//                             0 = empty, otherwise entry number + 1
//   IndexGroup[group_count]   hard-link groups, sorted; for who derives from it
//   names                     every name and link target, each NUL-terminated
//
// A *full* index holds a whole snapshot. A *delta* names a full one, its main,
// and holds what its snapshot has otherwise: entries that are new or differ,
// tombstones (mode 0) for what is gone, and every directory above these. So it
// is a tree like a full one, but of the children of a directory it has only
// those that differ: the others are main's. Its numbers are its own.
//
// - Whatever a path has in the delta is all that counts for it.
// - Below what is a directory in main only, each of main's paths has a
//   tombstone too. These stand behind the tree, in no run of children.
// - If one name of a hard link is in the delta then all are.
//
// All numbers are little-endian. A reader trusts the header's checksum and
// nothing else: every offset is compared with the mapping before it is used,
// because whole-file verification at start-up would cost what the index saves
// (`vfs verify` does it). The writer is manifest/index_writer.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace vfs {

constexpr char kIndexMagic[8] = {'V', 'F', 'S', 'I', 'N', 'D', 'E', 'X'};
constexpr uint32_t kIndexVersion = 2;
constexpr uint32_t kNoEntry = 0xffffffffu;

// Inode numbers of the base are made from path hashes and have bit 62 set;
// those of upper are the kernel's own. The two never meet: no file system that
// can carry upper hands out numbers of that size.
constexpr uint64_t kBaseInodeBit = 1ull << 62;
constexpr uint64_t base_inode(uint64_t path_hash) {
  return (path_hash & (kBaseInodeBit - 1)) | kBaseInodeBit;
}

struct IndexHeader {
  char magic[8];
  uint32_t version;
  uint32_t header_size;      // bytes: sizeof(IndexHeader)
  uint64_t file_size;        // bytes
  uint64_t body_checksum;    // XXH3-64 of everything behind the header
  uint8_t snapshot[16];      // id of the snapshot
  uint64_t entry_count;
  uint64_t entries_offset;   // bytes from the start of the file
  uint64_t bucket_count;     // a power of two, > entry_count
  uint64_t buckets_offset;
  uint64_t names_offset;
  uint64_t names_size;       // bytes
  uint64_t main_offset;      // delta: index_main_offset(file_size); full: 0
  uint64_t main_checksum;    // delta: body_checksum of main
  uint8_t main_snapshot[16]; // delta: id of main's snapshot
  uint64_t group_count;
  uint64_t groups_offset;
  uint64_t header_checksum;  // header_checksum() of the fields above
};

// Where a process maps main: behind the delta, so that one address says where
// both are. Pages are 64 KiB at most.
constexpr uint64_t index_main_offset(uint64_t delta_size) { return (delta_size + 0xffff) & ~0xffffull; }

struct IndexEntry {
  uint64_t path_hash;        // path_hash() of the full path
  uint64_t size;             // bytes; length of the target for a symbolic link
  int64_t mtime_seconds;
  uint32_t mtime_nanoseconds;
  uint32_t mode;             // type and permission bits, as st_mode
  uint32_t uid;
  uint32_t gid;
  union {
    uint8_t digest[16];      // regular file
    struct {                 // symbolic link: target in names
      uint32_t offset;
      uint32_t length;       // bytes, without the NUL
    } target;
    struct {                 // directory
      uint32_t first_child;  // entry number; meaningless if count is 0
      uint32_t count;
      uint32_t subdirectories;  // how many of the children are directories
    } children;
    struct {                 // block or character device
      uint32_t major;
      uint32_t minor;
    } device;
  };
  uint32_t parent;           // entry number; the root is its own parent
  uint32_t name_offset;      // into names; 0-length for the root
  uint16_t name_length;      // bytes, without the NUL
  uint16_t reserved;
  uint32_t link_count;       // st_nlink of a non-directory
  uint32_t link_next;        // next name of the same inode, a ring; itself if single
  uint32_t link_first;       // the name that gives the inode its number
  uint32_t main;             // delta: the entry that main has for this path, of
                             // whatever type; kNoEntry if none, and in a full index
};

// Names of one inode: a ring of entries, also if only one is left.
struct IndexGroup {
  uint64_t group;            // Entry::link_group, not 0
  uint32_t first;            // entry number: link_first of the ring
  uint32_t reserved;
};

static_assert(sizeof(IndexHeader) == 152);
static_assert(sizeof(IndexEntry) == 88);
static_assert(sizeof(IndexGroup) == 16);
static_assert(offsetof(IndexHeader, header_checksum) == 144);

// The checksum over a header's fields up to header_checksum. (Not XXH3: the
// shim checks it in every process that starts and links no library.)
inline uint64_t header_checksum(const IndexHeader& header) {
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(&header);
  uint64_t hash = 0xcbf29ce484222325ull;  // FNV-1a
  for (size_t i = 0; i < offsetof(IndexHeader, header_checksum); ++i) {
    hash = (hash ^ bytes[i]) * 0x100000001b3ull;
  }
  return hash;
}

}  // namespace vfs
