#include "vfs/io/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vfs::io {
namespace {

long once(Operation& operation) {
  const int fd = operation.fd;
  switch (operation.kind) {
    case Operation::Kind::nothing: return 0;
    case Operation::Kind::open:
      // The older call knows no restrictions, and serves every kernel and sandbox.
      if (operation.how.resolve == 0) {
        return ::openat(fd, operation.path, static_cast<int>(operation.how.flags), static_cast<mode_t>(operation.how.mode));
      }
      return static_cast<int>(::syscall(SYS_openat2, fd, operation.path, &operation.how, sizeof(operation.how)));
    case Operation::Kind::close: return ::close(fd);
    case Operation::Kind::read:
      return operation.position == Operation::kCurrent
                 ? ::read(fd, operation.memory, operation.size)
                 : ::pread(fd, operation.memory, operation.size, operation.position);
    case Operation::Kind::write:
      return operation.position == Operation::kCurrent
                 ? ::write(fd, operation.memory, operation.size)
                 : ::pwrite(fd, operation.memory, operation.size, operation.position);
    case Operation::Kind::synchronize: return ::fsync(fd);
    case Operation::Kind::accept: {
      auto* const address = static_cast<struct sockaddr*>(operation.memory);
      operation.address_size = sizeof(struct sockaddr_storage);
      return ::accept4(fd, address, address != nullptr ? &operation.address_size : nullptr, operation.flags);
    }
    case Operation::Kind::connect:
      return ::connect(fd, static_cast<const struct sockaddr*>(operation.memory),
                       static_cast<socklen_t>(operation.size));
    case Operation::Kind::receive: return ::recvmsg(fd, operation.message, operation.flags);
    case Operation::Kind::send: return ::sendmsg(fd, operation.message, operation.flags | MSG_NOSIGNAL);
    case Operation::Kind::poll: {
      struct pollfd entry = {fd, static_cast<short>(operation.flags), 0};
      const int count = ::poll(&entry, 1, -1);
      return count < 0 ? count : entry.revents;
    }
    case Operation::Kind::call: operation.work->run(); return 0;
    case Operation::Kind::sleep: break;
  }
  errno = EINVAL;
  return -1;
}

}  // namespace

long perform(Operation& operation) {
  for (;;) {
    const long result = once(operation);
    if (result >= 0) return result;
    // After close(2) the descriptor is free, whatever it said.
    if (errno != EINTR || operation.kind == Operation::Kind::close) return -errno;
  }
}

}  // namespace vfs::io
