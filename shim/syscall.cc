// syscall(2): a libc function too. Programs use it for calls that libc lacks
// or lacked (libuv: statx, copy_file_range; git: none). Every number that
// reaches files by path goes to the function that interposes on it; the rest
// passes through.
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/descriptors.h"
#include "shim/interpose.h"
#include "shim/open.h"
#include "vfs/core/sys.h"

namespace {

struct Arguments {
  long a, b, c, d, e, f;
};

template <typename T>
T* pointer(long value) { return reinterpret_cast<T*>(value); }

// openat2 without restrictions is openat. With RESOLVE_* flags the kernel
// would judge a path we made up, so those are only passed on outside the tree.
long open_restricted(const Arguments& in) {
  const auto* how = pointer<const struct open_how>(in.c);
  if (how == nullptr || in.d < static_cast<long>(sizeof(*how)) || how->resolve != 0) {
    shim::LocatedPath located;
    shim::locate(static_cast<int>(in.a), pointer<const char>(in.b), vfs::Follow::yes, located);
    if (located.where == shim::Where::inside || located.where == shim::Where::failed) {
      // What the man page gives for a kernel without openat2: callers fall back.
      return shim::answer<long>(-ENOSYS);
    }
    return VFS_NEXT(syscall)(SYS_openat2, in.a, in.b, in.c, in.d);
  }
  return openat(static_cast<int>(in.a), pointer<const char>(in.b),
                static_cast<int>(how->flags), static_cast<mode_t>(how->mode));
}

// The calls that only exist on machines older than the *at generation.
#ifdef SYS_open
bool handle_old(long number, const Arguments& in, long& result) {
  const char* path = pointer<const char>(in.a);
  switch (number) {
    case SYS_open:
      result = open(path, static_cast<int>(in.b), static_cast<mode_t>(in.c));
      return true;
    case SYS_creat: result = creat(path, static_cast<mode_t>(in.b)); return true;
    case SYS_stat: result = stat(path, pointer<struct stat>(in.b)); return true;
    case SYS_lstat: result = lstat(path, pointer<struct stat>(in.b)); return true;
    case SYS_access: result = access(path, static_cast<int>(in.b)); return true;
    case SYS_mkdir: result = mkdir(path, static_cast<mode_t>(in.b)); return true;
    case SYS_rmdir: result = rmdir(path); return true;
    case SYS_unlink: result = unlink(path); return true;
    case SYS_rename: result = rename(path, pointer<const char>(in.b)); return true;
    case SYS_link: result = link(path, pointer<const char>(in.b)); return true;
    case SYS_symlink: result = symlink(path, pointer<const char>(in.b)); return true;
    case SYS_readlink:
      result = readlink(path, pointer<char>(in.b), static_cast<size_t>(in.c));
      return true;
    case SYS_chmod: result = chmod(path, static_cast<mode_t>(in.b)); return true;
    case SYS_chown:
      result = chown(path, static_cast<uid_t>(in.b), static_cast<gid_t>(in.c));
      return true;
    case SYS_lchown:
      result = lchown(path, static_cast<uid_t>(in.b), static_cast<gid_t>(in.c));
      return true;
    case SYS_dup2:
      result = dup2(static_cast<int>(in.a), static_cast<int>(in.b));
      return true;
    default: return false;
  }
}
#else
bool handle_old(long, const Arguments&, long&) { return false; }
#endif

bool handle_names(long number, const Arguments& in, long& result) {
  const int dirfd = static_cast<int>(in.a);
  const char* path = pointer<const char>(in.b);
  switch (number) {
    case SYS_mkdirat: result = mkdirat(dirfd, path, static_cast<mode_t>(in.c)); return true;
    case SYS_mknodat:
      result = mknodat(dirfd, path, static_cast<mode_t>(in.c), static_cast<dev_t>(in.d));
      return true;
    case SYS_unlinkat: result = unlinkat(dirfd, path, static_cast<int>(in.c)); return true;
    case SYS_renameat:
    case SYS_renameat2:
      result = renameat2(dirfd, path, static_cast<int>(in.c), pointer<const char>(in.d),
                         number == SYS_renameat ? 0 : static_cast<unsigned>(in.e));
      return true;
    case SYS_linkat:
      result = linkat(dirfd, path, static_cast<int>(in.c), pointer<const char>(in.d),
                      static_cast<int>(in.e));
      return true;
    case SYS_symlinkat:
      result = symlinkat(pointer<const char>(in.a), static_cast<int>(in.b),
                         pointer<const char>(in.c));
      return true;
    case SYS_readlinkat:
      result = readlinkat(dirfd, path, pointer<char>(in.c), static_cast<size_t>(in.d));
      return true;
    default: return false;
  }
}

bool handle_attributes(long number, const Arguments& in, long& result) {
  const int fd = static_cast<int>(in.a);
  const char* path = pointer<const char>(in.b);
  switch (number) {
    case SYS_newfstatat:
      result = fstatat(fd, path, pointer<struct stat>(in.c), static_cast<int>(in.d));
      return true;
    case SYS_fstat: result = fstat(fd, pointer<struct stat>(in.b)); return true;
    case SYS_statx:
      result = statx(fd, path, static_cast<int>(in.c), static_cast<unsigned>(in.d),
                     pointer<struct statx>(in.e));
      return true;
    case SYS_faccessat: result = faccessat(fd, path, static_cast<int>(in.c), 0); return true;
    case SYS_faccessat2:
      result = faccessat(fd, path, static_cast<int>(in.c), static_cast<int>(in.d));
      return true;
    case SYS_fchmodat: result = fchmodat(fd, path, static_cast<mode_t>(in.c), 0); return true;
    case SYS_fchmod: result = fchmod(fd, static_cast<mode_t>(in.b)); return true;
    case SYS_fchown:
      result = fchown(fd, static_cast<uid_t>(in.b), static_cast<gid_t>(in.c));
      return true;
    case SYS_fchownat:
      result = fchownat(fd, path, static_cast<uid_t>(in.c), static_cast<gid_t>(in.d),
                        static_cast<int>(in.e));
      return true;
    case SYS_utimensat:
      result = path == nullptr ? futimens(fd, pointer<const struct timespec>(in.c))
                               : utimensat(fd, path, pointer<const struct timespec>(in.c),
                                           static_cast<int>(in.d));
      return true;
    case SYS_truncate:
      result = truncate(pointer<const char>(in.a), static_cast<off_t>(in.b));
      return true;
    default: return false;
  }
}

bool handle_descriptors(long number, const Arguments& in, long& result) {
  const int fd = static_cast<int>(in.a);
  switch (number) {
    case SYS_openat:
      result = openat(fd, pointer<const char>(in.b), static_cast<int>(in.c),
                      static_cast<mode_t>(in.d));
      return true;
    case SYS_openat2: result = open_restricted(in); return true;
    case SYS_close: result = close(fd); return true;
    case SYS_dup: result = dup(fd); return true;
    case SYS_dup3: result = dup3(fd, static_cast<int>(in.b), static_cast<int>(in.c)); return true;
    case SYS_fcntl:
      result = fcntl(fd, static_cast<int>(in.b), pointer<void>(in.c));
      return true;
    case SYS_chdir: result = chdir(pointer<const char>(in.a)); return true;
    case SYS_fchdir: result = fchdir(fd); return true;
    case SYS_execve:
      result = execve(pointer<const char>(in.a), pointer<char* const>(in.b),
                      pointer<char* const>(in.c));
      return true;
    default: return false;
  }
}

}  // namespace

VFS_INTERPOSE(long, syscall, (long number, ...)) {
  va_list list;
  va_start(list, number);
  Arguments in;
  in.a = va_arg(list, long);
  in.b = va_arg(list, long);
  in.c = va_arg(list, long);
  in.d = va_arg(list, long);
  in.e = va_arg(list, long);
  in.f = va_arg(list, long);
  va_end(list);
  long result;
  if (shim::engaged() && (handle_descriptors(number, in, result) ||
                          handle_attributes(number, in, result) ||
                          handle_names(number, in, result) || handle_old(number, in, result))) {
    return result;
  }
  return VFS_NEXT(syscall)(number, in.a, in.b, in.c, in.d, in.e, in.f);
}
