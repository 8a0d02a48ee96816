// Time stamps, to the nanosecond.
#pragma once

#include <time.h>

namespace vfs {

inline bool same_time(const struct timespec& a, const struct timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace vfs
