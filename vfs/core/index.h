// Reading a snapshot index (see index_format.h). Freestanding, no system call
// after open(), safe to use from any number of threads and in signal handlers.
#pragma once

#include <sys/stat.h>

#include "vfs/core/index_level.h"

namespace vfs {

// The children of a directory one by one, in the order of their names: the
// run of a full index, or main's with what the delta has otherwise.
class IndexChildren {
 public:
  // Null at the end. An entry without a name: the index is damaged there.
  const IndexEntry* next() {
    if (changed_ == changed_end_) return kept_ != kept_end_ ? kept_++ : nullptr;
    return merge();
  }

 private:
  friend class Index;
  const IndexEntry* merge();

  const IndexEntry* kept_ = nullptr;     // of main, or of the only level
  const IndexEntry* kept_end_ = nullptr;
  const IndexEntry* changed_ = nullptr;  // of a delta
  const IndexEntry* changed_end_ = nullptr;
  IndexLevel main_;
  IndexLevel delta_;
};

// One address, however many files are behind it: copying it cannot tear.
class Index {
 public:
  // Maps the file at `path`, and its main, which lies in the directory `mains`,
  // if it is a delta. Returns 0, or a negative errno: -EUCLEAN if a file is not
  // an index, is of another version, its header is damaged or does not fit the
  // file, or the main is another than the delta was derived from; otherwise
  // that of open(2) or mmap(2). The mapping is never taken away again: entries
  // stay valid for the process's life.
  int open(const char* path, const char* mains);

  bool is_open() const { return base_ != nullptr; }

  // An index that has no entry, not even the root: what stands in for one that
  // could not be opened.
  static Index nothing();
  bool is_nothing() const { return top().entry_count() == 0; }

  // The entry of a canonical path relative to the root ("" is the root), or
  // null if the snapshot has none or the index is damaged there. `hash` is
  // path_hash(path, length).
  const IndexEntry* find(const char* path, uint32_t length, uint64_t hash) const;

  const uint8_t* snapshot() const { return top().header().snapshot; }

  // Whether `entry` was found in this index and not in one that it replaced.
  bool has(const IndexEntry& entry) const;

  // The last component; null if the index is damaged there. Never a name that no
  // directory can have: who puts it behind a directory's path stays below that.
  const char* name(const IndexEntry& entry) const {
    const char* text = level_of(entry).name(entry);
    return text != nullptr && is_possible(text, entry.name_length) ? text : nullptr;
  }
  // The target of a symbolic link, NUL-terminated; null if damaged.
  const char* target(const IndexEntry& entry) const { return level_of(entry).target(entry); }

  IndexChildren children(const IndexEntry& directory) const;

  bool is_root(const IndexEntry& entry) const { return &entry == level_of(entry).root(); }
  // The directory that holds `entry`; null if the index is damaged there.
  const IndexEntry* parent(const IndexEntry& entry) const;
  // The next name of the same inode, in a ring; null if damaged.
  const IndexEntry* next_link(const IndexEntry& entry) const {
    return level_of(entry).entry(entry.link_next);
  }

  // The number that stat(2) gives: st_ino. Names of one inode share it.
  uint64_t inode(const IndexEntry& entry) const;

  // Fills everything but st_dev.
  void status(const IndexEntry& entry, struct stat& status) const;

  // Writes the full path of `entry` to the end of `buffer` (`size` bytes).
  // Returns its start, or null if it does not fit or the index is damaged.
  const char* path_of(const IndexEntry& entry, char* buffer, uint32_t size) const;

  // The file itself, and main: the same for a full index.
  IndexLevel top() const { return IndexLevel(base_); }
  IndexLevel main() const { return IndexLevel(base_ + top().header().main_offset); }
  bool is_delta() const { return top().header().main_offset != 0; }

 private:
  // `name` ends at `length`, maybe before. The root's is empty.
  static bool is_possible(const char* name, uint32_t length) {
    if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'))) return false;
    return strchrnul(name, '/') == name + length;
  }

  // Main is mapped behind the delta: the address says where an entry stands.
  IndexLevel level_of(const IndexEntry& entry) const {
    const char* behind = base_ + top().header().main_offset;
    return IndexLevel(reinterpret_cast<const char*>(&entry) >= behind ? behind : base_);
  }

  const char* base_ = nullptr;
};

}  // namespace vfs
