// Bytes as calls get them, and the paths among them.
#pragma once

#include <errno.h>
#include <sys/stat.h>

#include "vfs/core/path_buffer.h"
#include "vfs/vfs.h"

namespace vfs::cap {

struct Bytes {
  const char* at;
  size_t size;
};

constexpr int kAttempts = 64;  // at something that changes all the time

// A NUL-terminated copy of text that may have none in it.
inline int take_text(Bytes text, PathBuffer& out) {
  if (text.size == 0) return -ENOENT;
  if (text.at == nullptr || memchr(text.at, '\0', text.size) != nullptr) return -EINVAL;
  return out.assign(text.at, text.size) ? 0 : -ENAMETOOLONG;
}

// The same of a path, which is relative.
inline int take_path(Bytes path, PathBuffer& out) {
  const int result = take_text(path, out);
  return result == 0 && out.text[0] == '/' ? -EXDEV : result;
}

inline vfs_time to_time(const struct timespec& time) {
  return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec), 0};
}

inline vfs_status to_status(const struct stat& from) {
  vfs_status to = {};
  to.device = from.st_dev;
  to.inode = from.st_ino;
  to.size = static_cast<uint64_t>(from.st_size);
  to.blocks = static_cast<uint64_t>(from.st_blocks);
  to.links = from.st_nlink;
  to.special_device = from.st_rdev;
  to.mode = from.st_mode;
  to.user = from.st_uid;
  to.group = from.st_gid;
  to.block_size = static_cast<uint32_t>(from.st_blksize);
  to.accessed = to_time(from.st_atim);
  to.modified = to_time(from.st_mtim);
  to.changed = to_time(from.st_ctim);
  return to;
}

// The flags of open(2) for those of vfs_directory_open, without what makes and empties.
inline int open_flags(uint32_t flags) {
  constexpr uint32_t kBoth = VFS_OPEN_READ | VFS_OPEN_WRITE;
  const int access = (flags & kBoth) == kBoth        ? O_RDWR
                     : (flags & VFS_OPEN_WRITE) != 0 ? O_WRONLY
                                                     : O_RDONLY;
  return access | O_CLOEXEC | O_NOCTTY | ((flags & VFS_OPEN_APPEND) != 0 ? O_APPEND : 0);
}

}  // namespace vfs::cap
