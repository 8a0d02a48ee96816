// Pipes, terminals and everything else that is read and written where it stands.
#pragma once

#include "cas/descriptor.h"
#include "vfs/io/buffer.h"
#include "vfs/io/task.h"

namespace vfs::io {

// An open descriptor without positions. One read and one write may be under way at
// once, no more: bytes of two writes might mix. It stays where it is, and open, while
// they are. Not thread-safe. Closed by its destructor, if not before.
//
// Failures are those of read(2), write(2) and close(2), and -ECANCELED. O_NONBLOCK,
// which somebody else may have set, makes no difference: an operation waits all the
// same. A write that nobody will read is -EPIPE, if the program ignores SIGPIPE or
// blocks it; otherwise the signal ends the program, as ever.
class Stream {
 public:
  Stream() = default;
  explicit Stream(Descriptor descriptor);

  // Up to buffer.capacity() bytes, as soon as there are any; 0 at the end.
  Task<Transfer> read(Buffer buffer) const;
  // Up to buffer.size() bytes, as soon as there is room for some. To a terminal they
  // are written by a worker, and at most 4096: of those that it has begun with, if the
  // terminal is held up (Ctrl-S), cancelling waits for the end.
  Task<Transfer> write(Buffer buffer) const;
  // 0, or what close(2) says; the descriptor is free in any case, also if the scope is
  // cancelled. -EBADF if it was closed before.
  Task<long> close();

  int fd() const { return descriptor_.get(); }
  explicit operator bool() const { return static_cast<bool>(descriptor_); }

 private:
  Descriptor descriptor_;
  bool is_terminal_ = false;
};

// A pipe (pipe(2)): what is written into one end is read from the other.
struct Pipe {
  long error = 0;  // 0, -EMFILE or -ENFILE
  Stream reader;
  Stream writer;
};
Pipe make_pipe();

// Waits until one of `events` (POLLIN, ...) holds for `fd`, which stays open: what is
// ready (POLLERR and POLLHUP too), or a negative errno. See poll(2).
Task<long> wait_until_ready(int fd, short events);

// Closes it; see Stream::close().
Task<long> close_descriptor(Descriptor descriptor);

}  // namespace vfs::io
