// The table of what is remembered of descriptors; see descriptors.h.
#pragma once

#include <sys/stat.h>

#include <atomic>

#include "shim/state.h"
#include "vfs/core/path_buffer.h"

namespace shim {

// A draft is only noted if it was opened for reading, or is a link or special
// file: a commit may seal it then, and take its name away.
enum class SlotKind : uint32_t { none, directory, sealed, live, draft };

struct Slot {
  std::atomic<SlotKind> kind;
  uint64_t rename_generation;  // of the workspace when `path` was noted
  uint64_t generation;         // of a file: the base's when `status` was noted
  struct stat status;          // of a file: as it was last seen
  uint64_t path_hash;          // of a file
  dev_t object_device;         // of a file: the real inode, to tell a
  ino_t object_inode;          // descriptor that was closed behind our back;
                               // 0: not looked at yet
  bool live_directory;         // of a directory: it is the live base's own
  vfs::PathBuffer path;
};

// Null: nothing is noted there.
Slot* find_slot(int fd);
// The slot to be filled in. Null: too many descriptors, no memory, or in the
// child of vfork.
Slot* make_slot(int fd);

SlotKind kind_of(const Slot* slot);

// Counts renames of directories: a path that was noted before may not be the
// one the directory has.
uint64_t rename_generation();

}  // namespace shim
