// Every test of io runs on both backends.
#pragma once

#include <errno.h>
#include <string.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <iterator>

#include "vfs/io/executor.h"

namespace vfs::io::test {

// How many this process has.
inline auto count_descriptors() {
  using Entries = std::filesystem::directory_iterator;
  return std::distance(Entries("/proc/self/fd"), Entries());
}

// Calls `body` with an executor on each of them, which leaves no descriptor behind. Where the kernel, or a sandbox,
// refuses io_uring it says so.
inline void on_both(const std::function<void(Executor&)>& body) {
  for (const BackendKind kind : {BackendKind::uring, BackendKind::epoll}) {
    const auto before = count_descriptors();
    std::unique_ptr<Backend> backend = kind == BackendKind::uring ? make_uring_backend() : make_epoll_backend();
    if (backend == nullptr) {
      WARN("io_uring is refused here (" << strerrorname_np(errno) << "): tried with epoll only");
      REQUIRE((errno == ENOSYS || errno == EPERM || errno == EACCES));
      continue;
    }
    INFO(backend->name());
    {
      Executor executor(std::move(backend));
      body(executor);
    }
    CHECK(count_descriptors() == before);
  }
}

}  // namespace vfs::io::test
