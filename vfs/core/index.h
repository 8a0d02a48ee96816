// Reading a snapshot index (see index_format.h). Freestanding, no system call
// after open(), safe to use from any number of threads and in signal handlers.
#pragma once

#include <sys/stat.h>

#include "vfs/core/index_format.h"

namespace vfs {

class Index {
 public:
  // Maps the file at `path`. Returns 0, or a negative errno: -EUCLEAN if the
  // file is not an index, is of another version, or its header is damaged or
  // does not fit the file; otherwise that of open(2) or mmap(2). The mapping
  // is never taken away again: entries stay valid for the process's life.
  int open(const char* path);

  bool is_open() const { return base_ != nullptr; }

  // The entry of a canonical path relative to the root ("" is the root), or
  // null if the snapshot has none or the index is damaged there. `hash` is
  // path_hash(path, length).
  const IndexEntry* find(const char* path, uint32_t length, uint64_t hash) const;

  uint64_t entry_count() const { return header().entry_count; }
  const IndexEntry* entry(uint64_t number) const {
    return number < header().entry_count ? &entries()[number] : nullptr;
  }
  const uint8_t* snapshot() const { return header().snapshot; }

  // The last component; null if the index is damaged there.
  const char* name(const IndexEntry& entry) const {
    return text(entry.name_offset, entry.name_length);
  }
  // The target of a symbolic link, NUL-terminated; null if damaged.
  const char* target(const IndexEntry& entry) const {
    return text(entry.target.offset, entry.target.length);
  }
  // The children of a directory: a contiguous run, or null if it has none or
  // the index is damaged there. Sets `count`.
  const IndexEntry* children(const IndexEntry& directory, uint32_t& count) const;

  // The number that stat(2) gives: st_ino. Names of one inode share it.
  uint64_t inode(const IndexEntry& entry) const;

  // Fills everything but st_dev.
  void status(const IndexEntry& entry, struct stat& status) const;

  // Writes the full path of `entry` to the end of `buffer` (`size` bytes).
  // Returns its start, or null if it does not fit or the index is damaged.
  const char* path_of(const IndexEntry& entry, char* buffer, uint32_t size) const;

 private:
  const IndexHeader& header() const { return *reinterpret_cast<const IndexHeader*>(base_); }
  const IndexEntry* entries() const {
    return reinterpret_cast<const IndexEntry*>(base_ + header().entries_offset);
  }
  const char* text(uint64_t offset, uint64_t length) const;
  bool spells(const IndexEntry* entry, const char* path, uint32_t length) const;

  const char* base_ = nullptr;
};

}  // namespace vfs
