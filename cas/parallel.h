// Work on many items with all processors.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace vfs {

// Calls work(i) for every i below `count`, from as many threads as there are
// processors, and waits for all of them. Items are begun in order, and each
// thread takes the next one when it is done with its own, so long and short
// items mix well. The first exception ends the work and is thrown again here;
// items that other threads had begun are finished before that.
template <typename Work>
void in_parallel(size_t count, Work work) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  const size_t workers = std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()), count);
  {
    std::vector<std::jthread> threads;
    try {
      for (size_t i = 1; i < workers; ++i) threads.emplace_back(run);
    } catch (const std::system_error&) {
      // At the limit of threads: the ones there are do the work.
    }
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace vfs
