// The life of a descriptor: close, dup, fcntl; and the locks on it.
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "shim/descriptors.h"
#include "shim/interpose.h"
#include "shim/state.h"

extern "C" {
int __close(int fd);
int __dup2(int from, int to);
}

namespace {

// Locks belong to a virtual file. An object serves many files and the live
// base is not ours to lock, so the descriptor first gets an inode of its own.
int prepare_lock(int fd) { return shim::engaged() ? shim::make_descriptor_draft(fd) : 0; }

int copied(int from, int result) {
  if (result >= 0 && shim::started()) shim::copy_descriptor(from, result);
  return result;
}

bool is_lock_command(int command) {
  switch (command) {
    case F_SETLK:
    case F_SETLKW:
    case F_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
    case F_OFD_GETLK: return true;
    default: return false;
  }
}

// Every file of the tree is opened with O_NOFOLLOW, which the program did not ask for.
int shown_flags(int fd, int flags) {
  shim::Located located;
  return shim::started() && shim::locate_descriptor(fd, located) ? flags & ~O_NOFOLLOW : flags;
}

template <typename Pass>
int control(int fd, int command, Pass pass) {
  if (is_lock_command(command)) {
    const int result = prepare_lock(fd);
    if (result != 0) return shim::answer(result);
  }
  const int result = pass();
  if (command == F_GETFL && result >= 0 && (result & O_NOFOLLOW) != 0) return shown_flags(fd, result);
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) return copied(fd, result);
  return result;
}

}  // namespace

VFS_INTERPOSE(int, close, (int fd)) {
  if (shim::started()) shim::forget_descriptor(fd);
  return VFS_NEXT(close)(fd);
}
VFS_ALIAS(__close, close);

VFS_INTERPOSE(int, close_range, (unsigned first, unsigned last, int flags)) {
  const int result = VFS_NEXT(close_range)(first, last, flags);
  const bool closes = (static_cast<unsigned>(flags) & CLOSE_RANGE_CLOEXEC) == 0;
  if (result == 0 && closes && shim::started()) shim::forget_descriptors_from(first, last);
  return result;
}
VFS_INTERPOSE(void, closefrom, (int first)) {
  if (shim::started()) {
    shim::forget_descriptors_from(first < 0 ? 0 : static_cast<unsigned>(first), ~0u);
  }
  VFS_NEXT(closefrom)(first);
}

VFS_INTERPOSE(int, dup, (int fd)) { return copied(fd, VFS_NEXT(dup)(fd)); }
VFS_INTERPOSE(int, dup2, (int from, int to)) { return copied(from, VFS_NEXT(dup2)(from, to)); }
VFS_ALIAS(__dup2, dup2);
VFS_INTERPOSE(int, dup3, (int from, int to, int flags)) {
  return copied(from, VFS_NEXT(dup3)(from, to, flags));
}

// The third argument is a number or a pointer, as the command wants; both
// travel in the same register.
VFS_INTERPOSE(int, fcntl, (int fd, int command, ...)) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return control(fd, command, [&] { return VFS_NEXT(fcntl)(fd, command, argument); });
}
VFS_ALIAS(fcntl64, fcntl);

VFS_INTERPOSE(int, flock, (int fd, int operation)) {
  const int result = (operation & LOCK_UN) != 0 ? 0 : prepare_lock(fd);
  return result == 0 ? VFS_NEXT(flock)(fd, operation) : shim::answer(result);
}

VFS_INTERPOSE(int, lockf, (int fd, int command, off_t length)) {
  const int result = prepare_lock(fd);
  return result == 0 ? VFS_NEXT(lockf)(fd, command, length) : shim::answer(result);
}
VFS_ALIAS(lockf64, lockf);

VFS_INTERPOSE(int, fclose, (FILE* stream)) {
  // glibc closes the descriptor without going through close().
  if (shim::started() && stream != nullptr) shim::forget_descriptor(fileno(stream));
  return VFS_NEXT(fclose)(stream);
}
