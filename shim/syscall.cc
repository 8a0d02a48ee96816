// syscall(2): a libc function too. Programs use it for calls that libc lacks or
// lacked (libuv: statx, copy_file_range). Every number that reaches files goes
// to the function that interposes on it, by the table system_calls.def.
#include <fcntl.h>
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
#include "shim/memory.h"
#include "shim/openat2.h"
#include "shim/state.h"
#include "vfs/core/sys.h"

// Newer than the headers may be; the numbers are the same on all machines.
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_file_getattr
#define SYS_file_getattr 468
#define SYS_file_setattr 469
#endif

namespace {

// Beyond these nobody knows what a number does: in a workspace it is answered
// as by an older kernel, which callers are prepared for.
constexpr long kNewestNumber = 470;

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
long fchmodat2_by_number(int fd, const char* path, mode_t mode, int flags) {
  const bool itself = shim::is_string(path) && *path == '\0' && (flags & AT_EMPTY_PATH) != 0;
  return itself && fd >= 0 ? fchmod(fd, mode) : fchmodat(fd, path, mode, flags & ~AT_EMPTY_PATH);
}
// As on a kernel that lacks the call: callers fall back on an older one.
long refused_by_number() { return shim::answer<long>(-ENOSYS); }

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

// The answer of the table; `known` says whether it has one.
long answer_number(long number, const Registers& in, bool& known) {
  switch (number) {
#define VFS_NUMBER(name, function) case SYS_##name: return by_number(&::function, in);
#define VFS_NUMBER_BY(name, function) case SYS_##name: return by_number(&function, in);
#define VFS_NUMBERS_KERNEL(reason, names)
#include "shim/system_calls.def"
    default: break;
  }
  if (number > kNewestNumber) return refused_by_number();
  known = false;
  return 0;
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
