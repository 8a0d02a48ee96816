// A set of keys that forgets: what is not in it may have been.
#pragma once

#include <stdint.h>

#include <atomic>

namespace vfs {

// Each key has four places. With one, two directories of a build that share it
// would drive each other out at every turn, for as long as the build lasts. No
// locks: threads that add at once may lose a key. All zeros: empty.
template <uint32_t size>
class KeySet {
 public:
  // `key` is not 0, and its lower bits are well mixed.
  bool contains(uint64_t key) const {
    const std::atomic<uint64_t>* places = places_of(key);
    for (uint32_t i = 0; i < kWays; ++i) {
      if (places[i].load(std::memory_order_relaxed) == key) return true;
    }
    return false;
  }

  // What was added longest ago goes.
  void add(uint64_t key) {
    if (contains(key)) return;
    std::atomic<uint64_t>* places = const_cast<std::atomic<uint64_t>*>(places_of(key));
    for (uint32_t i = kWays - 1; i > 0; --i) {
      places[i].store(places[i - 1].load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    places[0].store(key, std::memory_order_relaxed);
  }

 private:
  static constexpr uint32_t kWays = 4;
  static_assert(size % kWays == 0);

  const std::atomic<uint64_t>* places_of(uint64_t key) const {
    return keys_ + key % (size / kWays) * kWays;
  }

  alignas(kWays * sizeof(uint64_t)) std::atomic<uint64_t> keys_[size] = {};
};

}  // namespace vfs
