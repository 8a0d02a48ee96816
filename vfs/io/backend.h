// The narrow face behind which the kernel's ways to complete something are.
#pragma once

#include <stdint.h>

#include <memory>
#include <vector>

#include "vfs/io/operation.h"

namespace vfs::io {

class Workers;

// Not thread-safe: belongs to the executor's thread.
class Backend {
 public:
  virtual ~Backend() = default;

  // "uring" or "epoll".
  virtual const char* name() const = 0;

  // Begins `operation`, which stays where it is until it was given back by wait().
  // Failures of any kind are results of the operation.
  virtual void submit(Operation& operation) = 0;

  // Asks for an end, which wait() then gives: with -ECANCELED, or with its result if
  // it is too late. What a worker has begun it ends.
  virtual void cancel(Operation& operation) = 0;

  // Waits until something is complete, or `timeout_ns` have passed (negative: for
  // as long as it takes; 0: does not wait), and adds what is to `completed`.
  virtual void wait(int64_t timeout_ns, std::vector<Operation*>& completed) = 0;
};

enum class BackendKind : uint8_t { uring, epoll };

// Null, and errno set, if this kernel, or a filter of system calls, does not have
// all that is needed of io_uring (Linux 5.11).
std::unique_ptr<Backend> make_uring_backend();

// Throws Error if there are no descriptors left.
std::unique_ptr<Backend> make_epoll_backend();

// The one that the environment names in VFS_IO ("uring", "epoll"); without it io_uring
// if it is there. Throws Error: an unknown name, or io_uring is demanded and not there.
std::unique_ptr<Backend> choose_backend();

}  // namespace vfs::io
