// How the functions of vfsrt.h answer. Inside, as everywhere in the core, a
// result is a value >= 0 or a negative errno.
#pragma once

#include <stdlib.h>

#include "vfs/core/sys.h"

namespace vfs::runtime {

// Sets errno and what rt_last_error() says. Returns -1.
int fail(long negative_errno);

// The same for what returns a pointer.
inline decltype(nullptr) fail_null(long negative_errno) {
  fail(negative_errno);
  return nullptr;
}

inline int answer(long result) { return result < 0 ? fail(result) : static_cast<int>(result); }

// A copy for the caller; null, with ENOMEM as the error, if there is no memory.
char* give_text(const char* text);

// Opens anew as long as handlers interrupt it: a FIFO waits for its other end.
inline int open_file(int directory, const char* path, int flags, mode_t mode = 0) {
  int fd;
  do {
    fd = sys::openat(directory, path, flags | O_CLOEXEC | O_NOCTTY, mode);
  } while (fd == -EINTR);
  return fd;
}

// A descriptor that is closed at the end, unless it was taken. May hold a
// negative errno instead.
class Descriptor {
 public:
  explicit Descriptor(int fd = -EBADF) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void reset(int fd) {
    close();
    fd_ = fd;
  }
  int get() const { return fd_; }
  bool failed() const { return fd_ < 0; }
  int take() {
    const int fd = fd_;
    fd_ = -EBADF;
    return fd;
  }
  // Network file systems tell only here that a write has failed. Interrupted or
  // not, the descriptor is gone (close(2)).
  int close() {
    const int result = fd_ < 0 ? 0 : sys::close(take());
    return result == -EINTR ? 0 : result;
  }

 private:
  int fd_;
};

}  // namespace vfs::runtime
