// One thing that is asked of the kernel, or of a worker: what the two backends have
// in common.
#pragma once

#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <coroutine>

namespace vfs::io {

class Scope;

// Something that a worker does, of any length; see call().
class Work {
 public:
  virtual void run() noexcept = 0;

 protected:
  ~Work() = default;
};

// Lives in the frame of the coroutine that awaits it. From submit() on until it is
// complete it belongs to the executor, and so does all memory that it points to.
struct Operation {
  enum class Kind : uint8_t {
    nothing,
    open,         // fd: a directory; path, how (openat2(2)) -> descriptor
    close,        // fd
    read,         // fd, memory, size, position -> bytes
    write,        // fd, memory, size, position -> bytes
    synchronize,  // fd (fsync(2))
    accept,       // fd, memory: sockaddr_storage or null -> descriptor
    connect,      // fd, memory: a socket address of `size` bytes
    receive,      // fd, message (recvmsg(2)) -> bytes
    send,         // fd, message (sendmsg(2)) -> bytes
    poll,         // fd, flags: POLLIN, ... -> what is ready
    call,         // work
    sleep,        // position: until then, on CLOCK_MONOTONIC, in ns
  };
  // For read and write: from where the descriptor stands, as of a pipe or a terminal.
  static constexpr int64_t kCurrent = -1;

  Kind kind = Kind::nothing;
  int fd = -1;
  int flags = 0;
  int64_t position = kCurrent;  // bytes
  void* memory = nullptr;
  size_t size = 0;  // bytes
  const char* path = nullptr;
  struct open_how how = {};
  struct msghdr* message = nullptr;
  socklen_t address_size = 0;  // bytes; accept: of what it wrote to `memory`
  Work* work = nullptr;

  long result = 0;  // >= 0, or a negative errno; -ECANCELED if it was cancelled

  // The executor's.
  std::coroutine_handle<> waiting;
  Scope* scope = nullptr;
  Operation* next = nullptr;      // in the scope
  Operation* previous = nullptr;
  // The backend's.
  enum class Stage : uint8_t { idle, queued, running } stage = Stage::idle;
  bool cancelling = false;
};

// Does it with blocking system calls, on the thread that calls. The result, or a
// negative errno. EINTR is not one: the call is made again.
long perform(Operation& operation);

}  // namespace vfs::io
