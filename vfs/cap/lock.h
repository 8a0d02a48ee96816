// A lock for a few instructions. Not for signal handlers.
#pragma once

#include <atomic>

#include "vfs/core/sys.h"

namespace vfs::cap {

class Lock {
 public:
  void take() {
    while (held_.test_and_set(std::memory_order_acquire)) sys::call(SYS_sched_yield);
  }
  void release() { held_.clear(std::memory_order_release); }

 private:
  std::atomic_flag held_ = ATOMIC_FLAG_INIT;
};

class Locked {
 public:
  explicit Locked(Lock& lock) : lock_(lock) { lock_.take(); }
  ~Locked() { lock_.release(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  Lock& lock_;
};

}  // namespace vfs::cap
