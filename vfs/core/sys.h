// Raw system calls: the only way our own code reaches real files, so that it
// can never come back in through the interposed libc functions.
//
// Every call returns what the kernel returns: a value >= 0, or a negative
// errno. None touches errno, allocates or locks, so all are async-signal-safe
// and usable between vfork and exec. Paths are NUL-terminated. EINTR is
// returned as it is.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stddef.h>
#include <stdint.h>
#ifdef VFS_SEEN_BY_LIBC
#include <sys/mman.h>
#include <unistd.h>
#endif
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "vfs/core/descriptor_name.h"

namespace vfs::sys {

#if defined(__x86_64__)
inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  // The kernel overwrites rcx (return address) and r11 (flags).
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}
#else
#error "libvfs knows the system call convention of x86-64 and aarch64 only"
#endif

inline long as_argument(const void* pointer) { return reinterpret_cast<long>(pointer); }

#ifdef VFS_SEEN_BY_LIBC
// ThreadSanitizer sees the calls of libc, and has to see these: a descriptor or a mapping that comes where
// another was is not the same.
inline int or_error(int result) { return result == -1 ? -errno : result; }
inline int openat(int directory, const char* path, int flags, mode_t mode = 0) {
  return or_error(::openat(directory, path, flags, mode));
}
inline int close(int fd) { return or_error(::close(fd)); }
inline int dup3(int from, int to, int flags) { return or_error(::dup3(from, to, flags)); }
inline void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
  void* mapped = ::mmap(address, length, protection, flags, fd, offset);
  return mapped == MAP_FAILED ? reinterpret_cast<void*>(-static_cast<long>(errno)) : mapped;
}
inline int munmap(void* address, size_t length) { return or_error(::munmap(address, length)); }
#else
#ifndef VFS_PATHS_WITHOUT_LINKS
inline int openat(int directory, const char* path, int flags, mode_t mode = 0) {
  return static_cast<int>(call(SYS_openat, directory, as_argument(path), flags, mode));
}
#endif
inline int close(int fd) { return static_cast<int>(call(SYS_close, fd)); }
inline int dup3(int from, int to, int flags) {
  return static_cast<int>(call(SYS_dup3, from, to, flags));
}
// Check with is_error() before use.
inline void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
  return reinterpret_cast<void*>(call(SYS_mmap, as_argument(address), static_cast<long>(length),
                                      protection, flags, fd, offset));
}
inline int munmap(void* address, size_t length) {
  return static_cast<int>(call(SYS_munmap, as_argument(address), static_cast<long>(length)));
}
#endif

#ifdef VFS_PATHS_WITHOUT_LINKS
}  // namespace vfs::sys
#include "vfs/core/sys_without_links.h"
namespace vfs::sys {
#else
// On both supported machines the kernel's struct stat is the one of glibc.
inline int fstatat(int directory, const char* path, struct stat* status, int flags) {
  return static_cast<int>(
      call(SYS_newfstatat, directory, as_argument(path), as_argument(status), flags));
}
inline long readlinkat(int directory, const char* path, char* buffer, size_t size) {
  return call(SYS_readlinkat, directory, as_argument(path), as_argument(buffer),
              static_cast<long>(size));
}
inline int faccessat(const char* path, int mask, int flags) {
  // faccessat2 (Linux 5.8) is the one with flags; without flags the old one serves every kernel.
  if (flags == 0) {
    return static_cast<int>(call(SYS_faccessat, AT_FDCWD, as_argument(path), mask));
  }
  return static_cast<int>(call(SYS_faccessat2, AT_FDCWD, as_argument(path), mask, flags));
}
inline int unlink(const char* path) {
  return static_cast<int>(call(SYS_unlinkat, AT_FDCWD, as_argument(path), 0));
}
inline int rmdir(const char* path) {
  return static_cast<int>(call(SYS_unlinkat, AT_FDCWD, as_argument(path), AT_REMOVEDIR));
}
inline int mkdir(const char* path, mode_t mode) {
  return static_cast<int>(call(SYS_mkdirat, AT_FDCWD, as_argument(path), mode));
}
inline int mknod(const char* path, mode_t mode, dev_t device) {
  return static_cast<int>(
      call(SYS_mknodat, AT_FDCWD, as_argument(path), mode, static_cast<long>(device)));
}
inline int symlink(const char* target, const char* path) {
  return static_cast<int>(
      call(SYS_symlinkat, as_argument(target), AT_FDCWD, as_argument(path)));
}
inline int link(const char* from, const char* to) {
  return static_cast<int>(
      call(SYS_linkat, AT_FDCWD, as_argument(from), AT_FDCWD, as_argument(to), 0));
}
inline int rename(const char* from, const char* to, unsigned flags = 0) {
  return static_cast<int>(call(SYS_renameat2, AT_FDCWD, as_argument(from), AT_FDCWD,
                               as_argument(to), static_cast<long>(flags)));
}
inline int chmod(const char* path, mode_t mode) {
  return static_cast<int>(call(SYS_fchmodat, AT_FDCWD, as_argument(path), mode));
}
inline int lchown(const char* path, uid_t uid, gid_t gid) {
  return static_cast<int>(call(SYS_fchownat, AT_FDCWD, as_argument(path), static_cast<long>(uid),
                               static_cast<long>(gid), AT_SYMLINK_NOFOLLOW));
}
// `times` is {access, modification}, or null for the current time.
inline int utimensat(const char* path, const struct timespec* times, int flags) {
  return static_cast<int>(
      call(SYS_utimensat, AT_FDCWD, as_argument(path), as_argument(times), flags));
}
inline int truncate(const char* path, off_t length) {
  return static_cast<int>(call(SYS_truncate, as_argument(path), length));
}
inline int lsetxattr(const char* path, const char* name, const void* value, size_t size) {
  return static_cast<int>(call(SYS_lsetxattr, as_argument(path), as_argument(name),
                               as_argument(value), static_cast<long>(size), 0));
}
inline int lremovexattr(const char* path, const char* name) {
  return static_cast<int>(call(SYS_lremovexattr, as_argument(path), as_argument(name)));
}
#endif

inline int open(const char* path, int flags, mode_t mode = 0) {
  return sys::openat(AT_FDCWD, path, flags, mode);
}
// A file of the store that may be a link, which only the store's owner makes: the index of a base.
inline int open_in_store(const char* path, int flags) {
#ifdef VFS_PATHS_WITHOUT_LINKS
  return static_cast<int>(call(SYS_openat, AT_FDCWD, as_argument(path), flags));
#else
  return sys::open(path, flags);
#endif
}
inline long read(int fd, void* buffer, size_t size) {
  return call(SYS_read, fd, as_argument(buffer), static_cast<long>(size));
}
inline long write(int fd, const void* buffer, size_t size) {
  return call(SYS_write, fd, as_argument(buffer), static_cast<long>(size));
}

inline int lstat(const char* path, struct stat* status) {
  return sys::fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}
inline int fstat(int fd, struct stat* status) {
  return static_cast<int>(call(SYS_fstat, fd, as_argument(status)));
}
inline long readlink(const char* path, char* buffer, size_t size) {
  return sys::readlinkat(AT_FDCWD, path, buffer, size);
}
inline int fchmod(int fd, mode_t mode) { return static_cast<int>(call(SYS_fchmod, fd, mode)); }
inline int fchown(int fd, uid_t uid, gid_t gid) {
  return static_cast<int>(call(SYS_fchown, fd, static_cast<long>(uid), static_cast<long>(gid)));
}
inline int futimens(int fd, const struct timespec* times) {
  return static_cast<int>(call(SYS_utimensat, fd, 0, as_argument(times), 0));
}
inline int ftruncate(int fd, off_t length) {
  return static_cast<int>(call(SYS_ftruncate, fd, length));
}
inline long getdents64(int fd, void* buffer, size_t size) {
  return call(SYS_getdents64, fd, as_argument(buffer), static_cast<long>(size));
}
// Returns the length including the NUL, unlike libc.
inline long getcwd(char* buffer, size_t size) {
  return call(SYS_getcwd, as_argument(buffer), static_cast<long>(size));
}
inline int chdir(const char* path) { return static_cast<int>(call(SYS_chdir, as_argument(path))); }
inline int fchdir(int fd) { return static_cast<int>(call(SYS_fchdir, fd)); }
inline int fcntl(int fd, int command, long argument = 0) {
  return static_cast<int>(call(SYS_fcntl, fd, command, argument));
}
inline int flock(int fd, int operation) {
  return static_cast<int>(call(SYS_flock, fd, operation));
}
inline off_t lseek(int fd, off_t offset, int whence) {
  return call(SYS_lseek, fd, offset, whence);
}
inline bool is_error(const void* mapped) {
  return static_cast<unsigned long>(as_argument(mapped)) > static_cast<unsigned long>(-4096l);
}
inline uid_t geteuid() { return static_cast<uid_t>(call(SYS_geteuid)); }
inline uid_t getuid() { return static_cast<uid_t>(call(SYS_getuid)); }
inline gid_t getegid() { return static_cast<gid_t>(call(SYS_getegid)); }
inline gid_t getgid() { return static_cast<gid_t>(call(SYS_getgid)); }
inline int gettid() { return static_cast<int>(call(SYS_gettid)); }

}  // namespace vfs::sys
