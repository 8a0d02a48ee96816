// syscall(2): a libc function too. Programs use it for calls that libc lacks or
// lacked (libuv: statx, copy_file_range). Every number that reaches files goes
// to the function that interposes on it, by the table system_calls.def.
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/socket.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "shim/descriptors.h"
#include "shim/interpose.h"
#include "shim/open.h"
#include "vfs/core/sys.h"

namespace {

// The six argument registers.
struct Registers {
  long value[6];

  // One of them as what a function takes.
  template <typename T>
  T as(size_t i) const {
    if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<T>(value[i]);
    } else {
      return static_cast<T>(value[i]);
    }
  }
};

template <typename R, typename... A, size_t... i>
long call_with(R (*function)(A...), const Registers& in, std::index_sequence<i...>) {
  return function(in.as<A>(i)...);
}
template <typename R, typename... A>
long by_number(R (*function)(A...), const Registers& in) {
  return call_with(function, in, std::index_sequence_for<A...>{});
}
template <typename R, typename... A>
long by_number(R (*function)(A...) noexcept, const Registers& in) {
  return call_with<R, A...>(function, in, std::index_sequence_for<A...>{});
}

// --- Numbers whose arguments differ from libc's -------------------------------

long open_by_number(const char* path, int flags, mode_t mode) { return open(path, flags, mode); }
long openat_by_number(int dirfd, const char* path, int flags, mode_t mode) {
  return openat(dirfd, path, flags, mode);
}
long faccessat_by_number(int dirfd, const char* path, int mask) {
  return faccessat(dirfd, path, mask, 0);
}
long fchmodat_by_number(int dirfd, const char* path, mode_t mode) {
  return fchmodat(dirfd, path, mode, 0);
}
long futimesat_by_number(int fd, const char* path, const struct timeval* times) {
  return path == nullptr ? futimes(fd, times) : futimesat(fd, path, times);
}
long utimensat_by_number(int fd, const char* path, const struct timespec* times, int flags) {
  return path == nullptr ? futimens(fd, times) : utimensat(fd, path, times, flags);
}
long fcntl_by_number(int fd, int command, void* argument) { return fcntl(fd, command, argument); }

// The kernel counts the closing zero.
long getcwd_by_number(char* buffer, size_t size) {
  if (buffer == nullptr || size == 0) return shim::answer<long>(-ERANGE);
  return getcwd(buffer, size) == nullptr ? -1 : static_cast<long>(strlen(buffer)) + 1;
}

// openat2 without restrictions is openat. With RESOLVE_* flags the kernel
// would judge a path we made up, so those are only passed on outside the tree.
long openat2_by_number(int dirfd, const char* path, const struct open_how* how, size_t size) {
  if (how == nullptr || size < sizeof(*how) || how->resolve != 0) {
    shim::LocatedPath located;
    shim::locate(dirfd, path, vfs::Follow::yes, located);
    if (located.where == shim::Where::inside || located.where == shim::Where::failed) {
      // What the man page gives for a kernel without openat2: callers fall back.
      return shim::answer<long>(-ENOSYS);
    }
    return VFS_NEXT(syscall)(SYS_openat2, dirfd, path, how, size);
  }
  return openat(dirfd, path, static_cast<int>(how->flags), static_cast<mode_t>(how->mode));
}

// The answer of the table; `known` says whether it has one.
long answer_number(long number, const Registers& in, bool& known) {
  switch (number) {
#define VFS_NUMBER(name, function) case SYS_##name: return by_number(&::function, in);
#define VFS_NUMBER_BY(name, function) case SYS_##name: return by_number(&function, in);
#define VFS_NUMBERS_KERNEL(reason, names)
#include "shim/system_calls.def"
    default: known = false; return 0;
  }
}

}  // namespace

VFS_INTERPOSE(long, syscall, (long number, ...)) {
  va_list list;
  va_start(list, number);
  Registers in;
  for (long& value : in.value) value = va_arg(list, long);
  va_end(list);
  bool known = shim::engaged();
  const long result = known ? answer_number(number, in, known) : 0;
  if (known) return result;
  return VFS_NEXT(syscall)(number, in.value[0], in.value[1], in.value[2], in.value[3],
                           in.value[4], in.value[5]);
}
