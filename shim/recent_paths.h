// Paths that led, a moment ago, to what only the kernel has to answer: a place
// outside, or a file of a live base that nothing has changed. A call that only
// reads hands such a path on as it was written, without another look.
//
// What is remembered holds
//   - until the next tick of the kernel's clock (a few ms): so long may be
//     overlooked what another process has just made a link, outside or in the
//     real tree of a live base;
//   - in this process, until it makes a call that may change something outside
//     (for an absolute path), goes to another directory or has the tree changed
//     by anybody (for a relative one).
//
// No locks, no allocation, errno untouched; for signal handlers and all threads.
#pragma once

#include "vfs/core/lookup.h"

namespace shim {

class RecentPath {
 public:
  // Nothing is known of it.
  RecentPath() = default;
  // `path` is a string, not empty. What was not looked at (`unseen`) holds only
  // for calls that would not look either.
  RecentPath(int dirfd, const char* path, vfs::Follow follow, vfs::Unseen unseen);

  // Whether the path is to be handed on.
  bool is_passed() const {
    return slot_ != nullptr && slot_->load(std::memory_order_relaxed) == key_;
  }
  // Says so, as of when this object was made: the look came after.
  void remember() const {
    if (slot_ != nullptr) slot_->store(key_, std::memory_order_relaxed);
  }

 private:
  std::atomic<uint64_t>* slot_ = nullptr;
  uint64_t key_ = 0;
};

// A call of this process may change something outside.
void outside_may_change();

}  // namespace shim
