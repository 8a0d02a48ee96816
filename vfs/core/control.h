// The control file of a workspace: a header and the change filter, mapped
// shared by every process of the workspace.
//
// It is only ever changed by single atomic stores, so there is no lock and
// nothing to repair when a process dies.
#pragma once

#include <stdint.h>
#include <string.h>

#include <atomic>

namespace vfs {

enum class BaseKind : uint32_t { live = 0, snapshot = 1 };

constexpr char kControlMagic[8] = {'V', 'F', 'S', 'C', 'N', 'T', 'R', 'L'};
constexpr uint32_t kControlVersion = 1;
constexpr uint32_t kFilterBits = 1u << 22;  // 512 KiB

// What upper may have a say on.
//
// Two bits a path, keyed by its hash: `changed` says that upper may hold
// something at this path or below it (but for directories that are there only
// to be opened: copy_up.h), `subtree` that everything below it has to be looked
// up step by step (a directory that was renamed, removed or replaced; a link).
// A bit is set before the change it announces and never cleared while the
// workspace lives: a clear bit is a proof, a set bit only a hint.
class ChangeFilter {
 public:
  bool may_have_changed(uint64_t hash) const { return test(hash & kMask); }
  bool may_have_changed_subtree(uint64_t hash) const { return test((hash >> 32) & kMask); }

  void announce(uint64_t hash) { set(hash & kMask); }
  void announce_subtree(uint64_t hash) {
    set(hash & kMask);
    set((hash >> 32) & kMask);
  }

  // How many bits have been set. Grows after the bit is set and before the change
  // it announces is made: who found a bit clear and finds the same number later
  // need not look at the bit again.
  uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

 private:
  static constexpr uint64_t kMask = kFilterBits - 1;

  bool test(uint64_t bit) const {
    return (words_[bit / 64].load(std::memory_order_acquire) >> (bit % 64)) & 1;
  }
  void set(uint64_t bit) {
    // Look first: an unneeded write would bounce the line between processors
    // and make a clean page dirty.
    if (test(bit)) return;
    words_[bit / 64].fetch_or(1ull << (bit % 64), std::memory_order_release);
    changes_.fetch_add(1, std::memory_order_release);
  }

  std::atomic<uint64_t> changes_;  // in the header's page
  std::atomic<uint64_t> words_[kFilterBits / 64];
};

struct Control {
  char magic[8];
  uint32_t version;
  std::atomic<BaseKind> base_kind;
  // Grows when the base is replaced (commit, switch, discard). A process that
  // mapped an older base maps the new one before its next answer.
  std::atomic<uint64_t> generation;
  // Grows when a directory gets another name, or the place of something that was
  // removed: cached directory paths (working directory, descriptors) are asked
  // from the kernel again, and a commit that has begun looks at the tree again.
  std::atomic<uint64_t> rename_generation;
  char reserved[4096 - 40];
  ChangeFilter filter;  // its bits begin with the second page
};

static_assert(sizeof(Control) == 4096 + kFilterBits / 8);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace vfs
