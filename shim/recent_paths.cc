#include "shim/recent_paths.h"

#include <string.h>
#include <time.h>

#include "shim/descriptors.h"
#include "shim/state.h"
#include "vfs/core/path_hash.h"

namespace shim {
namespace {

constexpr uint32_t kRecentPaths = 4096;
constinit std::atomic<uint64_t> recent_paths[kRecentPaths];
VFS_HOT constinit std::atomic<uint64_t> changes_outside;

uint64_t word_at(const char* text) {
  uint64_t word;
  memcpy(&word, text, sizeof(word));
  return word;
}

// Not path_hash(): nothing has to be found by it but in this process, and a path
// outside is often long.
uint64_t hash_of(const char* text, uint64_t seed) {
  const size_t length = strlen(text);
  uint64_t hash = seed ^ length;
  if (length < sizeof(uint64_t)) {
    return vfs::mix_hash(hash ^ vfs::short_word(text, static_cast<uint32_t>(length)),
                         0x8ebc6af09c88c6e3ull);
  }
  for (size_t at = 0; at + sizeof(uint64_t) < length; at += sizeof(uint64_t)) {
    hash = vfs::mix_hash(hash ^ word_at(text + at), 0xe7037ed1a0b428dbull);
  }
  // The last word overlaps the one before.
  return vfs::mix_hash(hash ^ word_at(text + length - sizeof(uint64_t)), 0x8ebc6af09c88c6e3ull);
}

// A number that is another one after each change in the tree.
uint64_t tree_changes() {
  const vfs::Control& control = *workspace.control;
  return control.generation.load(std::memory_order_acquire) +
         control.rename_generation.load(std::memory_order_acquire) + control.filter.changes();
}

}  // namespace

RecentPath::RecentPath(int dirfd, const char* path, vfs::Follow follow, vfs::Unseen unseen) {
  uint64_t epoch = changes_outside.load(std::memory_order_relaxed) << 1 | 1;
  if (*path != '/') {
    const uint64_t stay = dirfd == AT_FDCWD ? working_directory_stay() : 0;
    if (stay == 0) return;
    epoch = vfs::mix_hash(epoch + (tree_changes() << 32), stay);
  }
  struct timespec tick;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &tick);  // no system call
  epoch ^= static_cast<uint64_t>(tick.tv_sec) << 32 ^ static_cast<uint64_t>(tick.tv_nsec) << 8;
  // Not as the seed of the path's hash: a short path is one word of that, and two that differ in
  // one letter by the bits of the kind would be taken for one another.
  const uint64_t kind = static_cast<uint64_t>(follow) << 8 | static_cast<uint64_t>(unseen);
  const uint64_t hash = hash_of(path, vfs::mix_hash(kind + 1, 0xa0761d6478bd642full));
  slot_ = &recent_paths[hash % kRecentPaths];
  key_ = vfs::mix_hash(hash ^ epoch, 0x27d4eb2f165667c5ull) | 1;
}

void outside_may_change() { changes_outside.fetch_add(1, std::memory_order_relaxed); }

}  // namespace shim
