// What listing.cc, classify.cc and directory_links.cc share.
#pragma once

#include <dirent.h>

#include "vfs/core/lookup.h"
#include "vfs/core/sys.h"

namespace vfs {

constexpr unsigned char kHidden = 0xfe;  // d_type of a whiteout while merging
constexpr unsigned char kAbsent = 0xfd;  // of what upper has no more: the base may

// Type and inode number of an entry of the upper directory `directory`, as
// programs see them; kHidden if they do not, kAbsent if it went meanwhile.
int classify(Workspace& workspace, const Lookup& directory, const struct dirent64& entry,
             unsigned char& type, uint64_t& inode);

// Calls visit(entry) for everything in the real directory but the dots; stops
// at the first nonzero result.
template <typename Visit>
int for_each_entry(const char* path, Visit visit) {
  const int fd = sys::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fd;
  alignas(8) char buffer[8192];
  int result = 0;
  for (;;) {
    const long count = sys::getdents64(fd, buffer, sizeof(buffer));
    if (count <= 0) {
      result = static_cast<int>(count);
      break;
    }
    for (long at = 0; at < count && result == 0;) {
      const auto* entry = reinterpret_cast<const struct dirent64*>(buffer + at);
      at += entry->d_reclen;
      const char* name = entry->d_name;
      if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
      result = visit(*entry);
    }
    if (result != 0) break;
  }
  sys::close(fd);
  return result;
}

// The real directory in upper, which its mode may hide from its owner.
bool open_upper(Workspace& workspace, const Lookup& directory, PathBuffer& real);

// The index's entry of the directory; null: it has none.
const IndexEntry* entry_of(const Index& index, const Lookup& directory);

}  // namespace vfs
