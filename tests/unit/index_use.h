// Everything that a reader of an index can ask of an entry.
#pragma once

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "vfs/core/index.h"

namespace vfs::test {

// Asks all of it. Nothing here assumes that what is read is sound; the sum is there
// so that nothing is left out.
inline uint64_t use(const Index& index, const IndexEntry& entry) {
  struct stat status;
  index.status(entry, status);
  uint64_t sum = status.st_ino + index.has(entry) + index.is_root(entry);
  if (const char* name = index.name(entry)) sum += strlen(name);
  if (S_ISLNK(entry.mode)) {
    if (const char* target = index.target(entry)) sum += strlen(target);
  }
  IndexChildren children = index.children(entry);
  while (const IndexEntry* child = children.next()) sum += child->path_hash + index.inode(*child);
  if (const IndexEntry* parent = index.parent(entry)) sum += parent->path_hash;
  if (const IndexEntry* next = index.next_link(entry)) sum += next->path_hash;
  char buffer[PATH_MAX];
  if (const char* path = index.path_of(entry, buffer, sizeof(buffer))) sum += strlen(path);
  return sum;
}

}  // namespace vfs::test
