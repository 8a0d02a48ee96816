#include "vfs/io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "vfs/io/executor.h"

namespace vfs::io {
namespace {

constexpr size_t kTerminalPiece = 4096;  // bytes

// A terminal with room for one character is "ready", and then holds up who writes two:
// epoll(7) as much as io_uring(7), which writes at once what was ready.
class TerminalWrite final : public Work {
 public:
  explicit TerminalWrite(const Operation& write) : write_(write) {}
  void run() noexcept override { result = perform(write_); }

  long result = 0;

 private:
  Operation write_;
};

Task<long> write_terminal(Operation write) {
  TerminalWrite work(write);
  Operation operation;
  operation.kind = Operation::Kind::call;
  operation.work = &work;
  const long result = co_await Await(operation);
  co_return result < 0 ? result : work.result;
}

Task<long> await_operation(Operation operation) {
  const long result = co_await Await(operation);
  co_return result;
}

// Again whenever O_NONBLOCK has made it return too early.
Task<long> repeat(Operation operation, bool on_worker, short ready) {
  for (;;) {
    Task<long> attempt = on_worker ? write_terminal(operation) : await_operation(operation);
    const long result = co_await std::move(attempt);
    if (result != -EAGAIN) co_return result;
    Task<long> waiting = wait_until_ready(operation.fd, ready);
    const long waited = co_await std::move(waiting);
    if (waited < 0) co_return waited;
  }
}

Operation operation_on(Operation::Kind kind, int fd, Buffer& buffer, size_t size) {
  Operation operation;
  operation.kind = kind;
  operation.fd = fd;
  operation.memory = buffer.data();
  operation.size = size;
  return operation;
}

}  // namespace

Stream::Stream(Descriptor descriptor)
    : descriptor_(std::move(descriptor)), is_terminal_(::isatty(descriptor_.get()) == 1) {}

Task<Transfer> Stream::read(Buffer buffer) const {
  Transfer result;
  const Operation operation = operation_on(Operation::Kind::read, fd(), buffer, buffer.capacity());
  Task<long> task = repeat(operation, false, POLLIN);
  result.count = co_await std::move(task);
  buffer.resize(result.count > 0 ? static_cast<size_t>(result.count) : 0);
  result.buffer = std::move(buffer);
  co_return std::move(result);
}

Task<Transfer> Stream::write(Buffer buffer) const {
  Transfer result;
  const size_t size = is_terminal_ ? std::min(buffer.size(), kTerminalPiece) : buffer.size();
  const Operation operation = operation_on(Operation::Kind::write, fd(), buffer, size);
  Task<long> task = repeat(operation, is_terminal_, POLLOUT);
  result.count = co_await std::move(task);
  result.buffer = std::move(buffer);
  co_return std::move(result);
}

Task<long> Stream::close() {
  Task<long> closing = close_descriptor(std::move(descriptor_));
  const long result = co_await std::move(closing);
  co_return result;
}

Pipe make_pipe() {
  Pipe pipe;
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) {
    pipe.error = -errno;
    return pipe;
  }
  pipe.reader = Stream(Descriptor(fds[0]));
  pipe.writer = Stream(Descriptor(fds[1]));
  return pipe;
}

Task<long> wait_until_ready(int fd, short events) {
  Operation operation;
  operation.kind = Operation::Kind::poll;
  operation.fd = fd;
  operation.flags = events;
  return await_operation(operation);
}

Task<long> close_descriptor(Descriptor descriptor) {
  Operation operation;
  operation.kind = Operation::Kind::close;
  operation.fd = descriptor.release();
  const long result = co_await Await(operation);
  co_return result;
}

}  // namespace vfs::io
