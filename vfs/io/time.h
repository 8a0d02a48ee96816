// Waiting for time to pass (CLOCK_MONOTONIC; what is now is asked synchronously).
#pragma once

#include "vfs/io/group.h"

namespace vfs::io {

// 0 when it is time; -ECANCELED before. `time_ns` as of now_ns().
inline Task<long> sleep_until(int64_t time_ns) {
  Operation operation;
  operation.kind = Operation::Kind::sleep;
  operation.position = time_ns;
  const long result = co_await Await(operation);
  co_return result;
}

inline Task<long> sleep_for(int64_t duration_ns) {
  const long result = co_await sleep_until(now_ns() + duration_ns);
  co_return result;
}

// Runs `task`, and cancels it if it has not ended after `duration_ns`. Its operations
// then end with -ECANCELED, and what it makes of that is its result. False in `in_time`
// if it came to that.
template <typename T>
Task<T> within(int64_t duration_ns, Task<T> task, bool& in_time) {
  std::optional<T> result;
  in_time = true;
  co_await with_group(2, [&](Group& group) -> Task<> {
    co_await group.add([](int64_t duration, Group& all, bool& early) -> Task<> {
      const long slept = co_await sleep_for(duration);
      if (slept != 0) co_return;
      early = false;
      all.cancel();
    }(duration_ns, group, in_time));
    task.set_scope(group.scope());
    result.emplace(co_await std::move(task));
    group.cancel();
  });
  co_return std::move(*result);
}

}  // namespace vfs::io
