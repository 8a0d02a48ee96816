#include <errno.h>
#include <stdlib.h>

#include <string_view>

#include "cas/error.h"
#include "vfs/io/backend.h"

namespace vfs::io {

std::unique_ptr<Backend> choose_backend() {
  const char* const setting = ::getenv("VFS_IO");
  const std::string_view wanted = setting != nullptr ? setting : "";
  if (wanted == "epoll") return make_epoll_backend();
  if (!wanted.empty() && wanted != "uring") {
    throw Error("VFS_IO=" + std::string(wanted), "no such way to do I/O", "use uring or epoll, or unset VFS_IO");
  }
  if (std::unique_ptr<Backend> ring = make_uring_backend()) return ring;
  if (wanted == "uring") throw system_error("VFS_IO=uring", errno, "this kernel, or a sandbox, refuses io_uring: unset VFS_IO");
  return make_epoll_backend();
}

}  // namespace vfs::io
