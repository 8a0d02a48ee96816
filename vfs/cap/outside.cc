#include "vfs/cap/outside.h"

#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "vfs/cap/set.h"
#include "vfs/core/descriptor_name.h"

namespace vfs::cap::outside {
namespace {

int open_beneath(int directory, const char* path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(static_cast<unsigned>(flags | O_CLOEXEC));
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  // -EAGAIN: something was renamed while the kernel followed "..", and it cannot be sure.
  long result = -EAGAIN;
  for (int i = 0; i < kAttempts && result == -EAGAIN; ++i) {
    result = sys::call(SYS_openat2, directory, sys::as_argument(path), sys::as_argument(&how),
                       sizeof(how));
  }
  return result == -EAGAIN ? -ESTALE : static_cast<int>(result);
}

// Whether a descriptor leads into the workspace: what is there has to be looked up in the tree, by
// another capability. Reached from here it would be the real file.
bool meets_tree(const Capability& directory, int fd) {
  PathBuffer name;
  if (!directory.may_meet_tree) return false;
  return !name_of_descriptor(fd, name) || is_of_workspace(name);
}

// Whether a path that leads to nothing led through the workspace on its way.
bool passes_tree(const Capability& directory, const PathBuffer& path) {
  PathBuffer prefix;
  for (uint32_t end = 1; end < path.length; ++end) {
    if (path.text[end] != '/') continue;
    prefix.assign(path.text, end);
    const int fd = open_beneath(directory.fd, prefix.text, O_PATH);
    if (fd < 0) return false;
    const bool meets = meets_tree(directory, fd);
    sys::close(fd);
    if (meets) return true;
  }
  return false;
}

// open_beneath() of what is not in the workspace.
int open_apart(const Capability& directory, const PathBuffer& path, int flags) {
  const int fd = open_beneath(directory.fd, path.text, flags);
  if (!directory.may_meet_tree) return fd;
  if (fd == -ENOENT || fd == -ENOTDIR) return passes_tree(directory, path) ? -EXDEV : fd;
  if (fd < 0 || !meets_tree(directory, fd)) return fd;
  sys::close(fd);
  return -EXDEV;
}

// The directory that holds the last component of a path, and that component.
class Above {
 public:
  Above(const Capability& directory, Bytes text) {
    PathBuffer path;
    error_ = take_path(text, path);
    if (error_ != 0) return;
    uint32_t end = path.length;
    while (end > 0 && path.text[end - 1] == '/') --end;
    uint32_t start = end;
    while (start > 0 && path.text[start - 1] != '/') --start;
    name_.assign(path.text + start);
    path.truncate(start);
    if (start == 0) path.assign(".");
    fd_ = open_apart(directory, path, O_PATH | O_DIRECTORY);
    error_ = fd_ < 0 ? fd_ : 0;
  }
  ~Above() {
    if (fd_ >= 0) sys::close(fd_);
  }
  Above(const Above&) = delete;
  Above& operator=(const Above&) = delete;

  int error() const { return error_; }
  int fd() const { return fd_; }
  long name() const { return sys::as_argument(name_.text); }
  const char* text() const { return name_.text; }
  // Calls that would follow a link for it cannot have it.
  bool has_slash() const { return name_.length > 0 && name_.text[name_.length - 1] == '/'; }

 private:
  int error_;
  int fd_ = -1;
  PathBuffer name_;
};

int open_existing(const Capability& directory, const PathBuffer& path, uint32_t flags) {
  int how = open_flags(flags);
  if ((flags & VFS_OPEN_NO_FOLLOW) != 0) how |= O_NOFOLLOW;
  const int fd = open_apart(directory, path, how);
  if (fd < 0) return fd;
  struct stat status;
  int result = sys::fstat(fd, &status);
  if (result == 0 && S_ISDIR(status.st_mode)) result = -EISDIR;
  // Only now: before it could have been a file of the tree that is emptied.
  if (result == 0 && (flags & VFS_OPEN_TRUNCATE) != 0 && S_ISREG(status.st_mode)) {
    result = sys::ftruncate(fd, 0);
  }
  if (result == 0) return fd;
  sys::close(fd);
  return result;
}

int open_new(const Capability& directory, Bytes path, uint32_t flags, uint32_t mode) {
  const Above above(directory, path);
  if (above.error() != 0) return above.error();
  if (above.has_slash()) return -EISDIR;
  return static_cast<int>(sys::call(SYS_openat, above.fd(), above.name(),
                                    open_flags(flags) | O_CREAT | O_EXCL | O_NOFOLLOW,
                                    static_cast<long>(mode)));
}

int open_file(const Capability& directory, Bytes text, uint32_t flags, uint32_t mode) {
  PathBuffer path;
  const int taken = take_path(text, path);
  if (taken != 0) return taken;
  if ((flags & VFS_OPEN_NEW) != 0) return open_new(directory, text, flags, mode);
  int result = -ESTALE;
  for (int i = 0; i < kAttempts; ++i) {
    result = open_existing(directory, path, flags);
    if (result != -ENOENT || (flags & VFS_OPEN_CREATE) == 0) return result;
    result = open_new(directory, text, flags, mode);
    if (result != -EEXIST) return result;
  }
  // It is there, and what it leads to is not: a dangling link. Nothing is made through one.
  return -ELOOP;
}

int adopt_directory(const Capability& from, int fd, Rights rights, Capability*& opened) {
  opened = make_capability(VFS_INTERFACE_DIRECTORY, rights);
  if (opened == nullptr) {
    sys::close(fd);
    return -ENOMEM;
  }
  opened->fd = fd;
  opened->may_meet_tree = from.may_meet_tree;
  return 0;
}

// The kernel's entries of one directory, "." and ".." left out; d_off becomes the offset behind.
int read_entries(int fd, Names& names) {
  constexpr uint32_t kStep = 32 * 1024;
  uint32_t capacity = 0;
  for (;;) {
    if (capacity - names.size < kStep) {
      if (capacity > (1u << 30)) return -ENOMEM;
      capacity = capacity * 2 + kStep;
      auto* grown = static_cast<char*>(vfs_realloc(names.entries, capacity));
      if (grown == nullptr) return -ENOMEM;
      names.entries = grown;
    }
    const uint32_t start = names.size;
    const long count = sys::getdents64(fd, names.entries + start, capacity - start);
    if (count <= 0) return static_cast<int>(count);
    for (uint32_t at = start; at < start + static_cast<uint32_t>(count);) {
      auto* entry = reinterpret_cast<struct dirent64*>(names.entries + at);
      const uint32_t size = entry->d_reclen;
      at += size;
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      auto* place = reinterpret_cast<struct dirent64*>(names.entries + names.size);
      memmove(place, entry, size);
      names.size += size;
      place->d_off = names.size;
    }
  }
}

}  // namespace

int adopt(int fd, Rights rights, Capability*& opened) {
  struct stat status;
  int result = sys::fstat(fd, &status);
  if (result == 0 && S_ISDIR(status.st_mode)) {
    PathBuffer name;
    Capability from;
    from.may_meet_tree = !name_of_descriptor(fd, name) || is_above_workspace(name);
    return adopt_directory(from, fd, rights, opened);
  }
  opened = result == 0 ? make_capability(VFS_INTERFACE_FILE, rights) : nullptr;
  if (result == 0 && opened == nullptr) result = -ENOMEM;
  if (result == 0) {
    const uint32_t flags = ((rights & kMayRead) != 0 ? VFS_OPEN_READ : 0) |
                           ((rights & kMayWrite) != 0 ? VFS_OPEN_WRITE : 0);
    result = sys::open(DescriptorName(fd).text, open_flags(flags));
    opened->fd = result;
    if (result < 0) discard(opened);
  }
  sys::close(fd);
  return result < 0 ? result : 0;
}

int open(const Capability& directory, Bytes text, uint32_t flags, uint32_t mode,
         Capability*& opened) {
  if ((flags & VFS_OPEN_DIRECTORY) != 0) {
    PathBuffer path;
    const int taken = take_path(text, path);
    if (taken != 0) return taken;
    const int no_follow = (flags & VFS_OPEN_NO_FOLLOW) != 0 ? O_NOFOLLOW : 0;
    const int fd = open_apart(directory, path, O_PATH | O_DIRECTORY | no_follow);
    if (fd < 0) return fd;
    return adopt_directory(directory, fd, directory.rights, opened);
  }
  const auto rights = static_cast<Rights>(((flags & VFS_OPEN_READ) != 0 ? kMayRead : 0) |
                                          ((flags & VFS_OPEN_WRITE) != 0 ? kMayWrite : 0) |
                                          (directory.rights & kMayExecute));
  opened = make_capability(VFS_INTERFACE_FILE, rights);
  if (opened == nullptr) return -ENOMEM;
  opened->fd = open_file(directory, text, flags, mode);
  if (opened->fd >= 0) return 0;
  const int result = opened->fd;
  discard(opened);
  return result;
}

int stat(const Capability& directory, Bytes text, uint32_t flags, vfs_status& status) {
  PathBuffer path;
  const int taken = take_path(text, path);
  if (taken != 0) return taken;
  const int no_follow = (flags & VFS_STAT_NO_FOLLOW) != 0 ? O_NOFOLLOW : 0;
  const int fd = open_apart(directory, path, O_PATH | no_follow);
  if (fd < 0) return fd;
  struct stat known;
  const int result = sys::fstat(fd, &known);
  sys::close(fd);
  if (result == 0) status = to_status(known);
  return result;
}

int read_names(const Capability& directory, Names& names) {
  const int fd = open_beneath(directory.fd, ".", O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fd;
  const int result = read_entries(fd, names);
  sys::close(fd);
  return result;
}

int make(const Capability& directory, Bytes path, uint32_t mode) {
  const Above above(directory, path);
  if (above.error() != 0) return above.error();
  return static_cast<int>(
      sys::call(SYS_mkdirat, above.fd(), above.name(), static_cast<long>(mode)));
}

int rename(const Capability& directory, Bytes path, const Capability& to, Bytes new_path,
           uint32_t flags) {
  const Above from(directory, path);
  const Above target(to, new_path);
  if (from.error() != 0) return from.error();
  if (target.error() != 0) return target.error();
  const unsigned how = ((flags & VFS_RENAME_NEW) != 0 ? RENAME_NOREPLACE : 0) |
                       ((flags & VFS_RENAME_EXCHANGE) != 0 ? RENAME_EXCHANGE : 0);
  return static_cast<int>(sys::call(SYS_renameat2, from.fd(), from.name(), target.fd(),
                                    target.name(), static_cast<long>(how)));
}

int remove(const Capability& directory, Bytes path, uint32_t flags) {
  const Above above(directory, path);
  if (above.error() != 0) return above.error();
  return static_cast<int>(sys::call(SYS_unlinkat, above.fd(), above.name(),
                                    (flags & VFS_REMOVE_DIRECTORY) != 0 ? AT_REMOVEDIR : 0));
}

int link(const Capability& directory, Bytes path, const Capability& to, Bytes new_path) {
  const Above from(directory, path);
  const Above target(to, new_path);
  if (from.error() != 0) return from.error();
  if (target.error() != 0) return target.error();
  // With a slash behind it a link would be followed.
  if (from.has_slash()) return -ENOTDIR;
  return static_cast<int>(
      sys::call(SYS_linkat, from.fd(), from.name(), target.fd(), target.name(), 0));
}

int symlink(const Capability& directory, const char* target, Bytes path) {
  const Above above(directory, path);
  if (above.error() != 0) return above.error();
  return static_cast<int>(
      sys::call(SYS_symlinkat, sys::as_argument(target), above.fd(), above.name()));
}

int64_t read_link(const Capability& directory, Bytes path, char* target, size_t size) {
  const Above above(directory, path);
  if (above.error() != 0) return above.error();
  if (above.has_slash()) return -EINVAL;
  PathBuffer text;
  // One byte more than fits, to see that it does.
  const long length = sys::call(SYS_readlinkat, above.fd(), above.name(),
                                sys::as_argument(text.text), sizeof(text.text));
  if (length < 0) return length;
  if (static_cast<size_t>(length) > size) return -ERANGE;
  memcpy(target, text.text, static_cast<size_t>(length));
  return length;
}

}  // namespace vfs::cap::outside
