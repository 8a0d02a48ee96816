#include "vfs/io/for_each.h"

#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>

#include "vfs/io/interrupt.h"
#include "vfs/io/stream.h"

namespace vfs::io {
namespace {

// Each may have a piece of 2 MiB in memory.
constexpr size_t kDepth = 16;
// Descriptors that the process needs for itself, and each executor.
constexpr size_t kReserved = 64;

size_t descriptor_limit() {
  struct rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return static_cast<size_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 20));
}

// With hardly any descriptors one executor is enough.
size_t executors_for(size_t count) {
  const size_t processors = descriptor_limit() < 2 * kReserved ? 1 : std::max(1u, std::thread::hardware_concurrency());
  return std::min(processors, count);
}

// Ends with the group, if not before.
Task<> cancel_when_interrupted(Group& group) {
  if (interrupt_event() < 0) co_return;
  const long ready = co_await wait_until_ready(interrupt_event(), POLLIN);
  if (ready > 0) group.cancel();
}

class Items {
 public:
  Items(size_t count, const std::function<Task<>(size_t)>& make) : count_(count), make_(make) {}

  void run_some(size_t depth) {
    try {
      Executor executor;
      executor.run(with_group(2, [&](Group& both) -> Task<> {
        co_await both.add(cancel_when_interrupted(both));
        Task<> work = make_some(depth);
        work.set_scope(both.scope());  // not that of who waits: cancelled with the others
        co_await work;
        both.cancel();
      }));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_ = count_;
    }
  }

  // What was cancelled failed for no reason of its own.
  void rethrow() const {
    throw_if_interrupted();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  Task<> make_some(size_t depth) {
    co_await with_group(depth, [&](Group& group) -> Task<> {
      for (size_t i; !group.is_cancelled() && (i = next_.fetch_add(1)) < count_;) co_await group.add(make_(i));
    });
  }

  const size_t count_;
  const std::function<Task<>(size_t)>& make_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

size_t usual_depth() {
  const size_t limit = descriptor_limit();
  return limit <= kReserved ? 1 : std::clamp<size_t>((limit - kReserved) / 8, 1, kDepth);
}

void for_each(size_t count, size_t depth, const std::function<Task<>(size_t)>& make) {
  if (count == 0) return;
  Items items(count, make);
  {
    std::vector<std::jthread> threads;
    try {
      for (size_t i = executors_for(count); i > 1; --i) threads.emplace_back([&] { items.run_some(depth); });
    } catch (const std::system_error&) {
      // At the limit of threads: the ones there are do the work.
    }
    items.run_some(depth);
  }
  items.rethrow();
}

}  // namespace vfs::io
