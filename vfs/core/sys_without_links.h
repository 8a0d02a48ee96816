// The calls of sys.h that take a path, for code that must not be led astray: no component before
// the last may be a symbolic link (-ELOOP), and the last is not followed either. What the look-up
// found may have become a link before the kernel is asked; the shim lives with that, as it is no
// fence, but a capability is one. Each call costs an openat2(2) and a close(2) more.
//
// Included by sys.h in place of its own. /proc/self/fd/N is passed on: that is how our own
// descriptors are named. Needs Linux 5.6 (-ENOSYS).
#pragma once

#include <limits.h>
#include <linux/openat2.h>
#include <string.h>

namespace vfs::sys {

inline int open_without_links(int directory, const char* path, int flags, mode_t mode) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(static_cast<unsigned>(flags));
  if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) how.mode = mode & 07777;
  how.resolve = RESOLVE_NO_SYMLINKS;
  return static_cast<int>(
      call(SYS_openat2, directory, as_argument(path), as_argument(&how), sizeof(how)));
}

inline bool names_a_descriptor(const char* path) {
  return strncmp(path, "/proc/self/fd/", 14) == 0;
}

inline int openat(int directory, const char* path, int flags, mode_t mode = 0) {
  if (!names_a_descriptor(path)) return open_without_links(directory, path, flags, mode);
  return static_cast<int>(call(SYS_openat, directory, as_argument(path), flags, mode));
}

// The directory that holds the last component of a path, and that component.
class Reached {
 public:
  Reached(int directory, const char* path) : directory_(directory), name_(path) {
    const char* slash = strrchr(path, '/');
    if (slash == nullptr || slash == path || names_a_descriptor(path)) return;
    char above[PATH_MAX];
    const size_t length = static_cast<size_t>(slash - path);
    if (length >= sizeof(above)) {
      directory_ = -ENAMETOOLONG;
      return;
    }
    memcpy(above, path, length);
    above[length] = '\0';
    directory_ = open_without_links(directory, above, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    owned_ = directory_ >= 0;
    name_ = slash + 1;
  }
  ~Reached() {
    if (owned_) sys::close(directory_);
  }
  Reached(const Reached&) = delete;
  Reached& operator=(const Reached&) = delete;

  bool failed() const { return !owned_ && directory_ < 0 && directory_ != AT_FDCWD; }
  int directory() const { return directory_; }  // or the negative errno
  long name() const { return as_argument(name_); }

 private:
  int directory_;
  const char* name_;
  bool owned_ = false;
};

inline int fstatat(int directory, const char* path, struct stat* status, int flags) {
  const Reached at(directory, path);
  if (at.failed()) return at.directory();
  return static_cast<int>(call(SYS_newfstatat, at.directory(), at.name(), as_argument(status),
                               flags | (names_a_descriptor(path) ? 0 : AT_SYMLINK_NOFOLLOW)));
}
inline long readlinkat(int directory, const char* path, char* buffer, size_t size) {
  const Reached at(directory, path);
  if (at.failed()) return at.directory();
  return call(SYS_readlinkat, at.directory(), at.name(), as_argument(buffer),
              static_cast<long>(size));
}
inline int faccessat(const char* path, int mask, int flags) {
  const Reached at(AT_FDCWD, path);
  if (at.failed()) return at.directory();
  return static_cast<int>(
      call(SYS_faccessat2, at.directory(), at.name(), mask, flags | AT_SYMLINK_NOFOLLOW));
}
inline int unlinkat(const char* path, int flags) {
  const Reached at(AT_FDCWD, path);
  if (at.failed()) return at.directory();
  return static_cast<int>(call(SYS_unlinkat, at.directory(), at.name(), flags));
}
inline int unlink(const char* path) {
  return unlinkat(path, 0);
}
inline int rmdir(const char* path) {
  return unlinkat(path, AT_REMOVEDIR);
}
inline int mkdir(const char* path, mode_t mode) {
  const Reached at(AT_FDCWD, path);
  if (at.failed()) return at.directory();
  return static_cast<int>(call(SYS_mkdirat, at.directory(), at.name(), mode));
}
inline int mknod(const char* path, mode_t mode, dev_t device) {
  const Reached at(AT_FDCWD, path);
  if (at.failed()) return at.directory();
  return static_cast<int>(
      call(SYS_mknodat, at.directory(), at.name(), mode, static_cast<long>(device)));
}
inline int symlink(const char* target, const char* path) {
  const Reached at(AT_FDCWD, path);
  if (at.failed()) return at.directory();
  return static_cast<int>(call(SYS_symlinkat, as_argument(target), at.directory(), at.name()));
}
inline int link(const char* from, const char* to) {
  const Reached source(AT_FDCWD, from);
  const Reached target(AT_FDCWD, to);
  if (source.failed()) return source.directory();
  if (target.failed()) return target.directory();
  return static_cast<int>(
      call(SYS_linkat, source.directory(), source.name(), target.directory(), target.name(), 0));
}
inline int rename(const char* from, const char* to, unsigned flags = 0) {
  const Reached source(AT_FDCWD, from);
  const Reached target(AT_FDCWD, to);
  if (source.failed()) return source.directory();
  if (target.failed()) return target.directory();
  return static_cast<int>(call(SYS_renameat2, source.directory(), source.name(), target.directory(),
                               target.name(), static_cast<long>(flags)));
}
inline int lchown(const char* path, uid_t uid, gid_t gid) {
  const Reached at(AT_FDCWD, path);
  if (at.failed()) return at.directory();
  return static_cast<int>(call(SYS_fchownat, at.directory(), at.name(), static_cast<long>(uid),
                               static_cast<long>(gid), AT_SYMLINK_NOFOLLOW));
}
inline int utimensat(const char* path, const struct timespec* times, int flags) {
  const Reached at(AT_FDCWD, path);
  if (at.failed()) return at.directory();
  return static_cast<int>(call(SYS_utimensat, at.directory(), at.name(), as_argument(times),
                               flags | AT_SYMLINK_NOFOLLOW));
}

// The inode at the end of a path by a name that nobody can exchange, for calls that would follow a
// link there.
class Pinned {
 public:
  explicit Pinned(const char* path)
      : fd_(openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC)), name_(fd_ >= 0 ? fd_ : 0) {}
  ~Pinned() {
    if (fd_ >= 0) sys::close(fd_);
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

  int error() const { return fd_ < 0 ? fd_ : 0; }
  long name() const { return as_argument(name_.text); }

 private:
  int fd_;
  DescriptorName name_;
};

inline int chmod(const char* path, mode_t mode) {
  const Pinned at(path);
  return at.error() != 0 ? at.error()
                         : static_cast<int>(call(SYS_fchmodat, AT_FDCWD, at.name(), mode));
}
inline int truncate(const char* path, off_t length) {
  const Pinned at(path);
  return at.error() != 0 ? at.error() : static_cast<int>(call(SYS_truncate, at.name(), length));
}
inline int lsetxattr(const char* path, const char* name, const void* value, size_t size) {
  const Pinned at(path);
  if (at.error() != 0) return at.error();
  return static_cast<int>(call(SYS_setxattr, at.name(), as_argument(name), as_argument(value),
                               static_cast<long>(size), 0));
}
inline int lremovexattr(const char* path, const char* name) {
  const Pinned at(path);
  if (at.error() != 0) return at.error();
  return static_cast<int>(call(SYS_removexattr, at.name(), as_argument(name)));
}

}  // namespace vfs::sys
