// What killed processes left.
#pragma once

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <string>
#include <vector>

#include "cas/store.h"

namespace vfs {

// How long things stay that nothing refers to: somebody may be at work on them.
struct Grace {
  static constexpr int64_t kUsual = 3600;  // seconds
  int64_t seconds = kUsual;
  time_t now = ::time(nullptr);

  // Whether an inode has been as it is for that long, and for `at_least` seconds.
  bool is_over(const struct stat& status, int64_t at_least = 0) const;
};

struct Leftover {
  std::string path;
  uint64_t bytes = 0;  // of a file
  bool is_over = false;  // may be removed; else it may be in use
};

// Half-written objects, and what is in the store's tmp/. Exact only under an
// exclusive StoreLock: else some of it is being made.
std::vector<Leftover> leftovers_in_store(const Store& store, const Grace& grace);
// What is in a state's work/ and no journal speaks of, and programs in its run/
// whose object is gone. Programs use both without a lock: what lies in work/ is
// over after a minute at the soonest, and programs only when none is running.
std::vector<Leftover> leftovers_in_state(const std::string& state, const Grace& grace);

// With all that is below it. Throws Error if it is still there afterwards.
void remove_leftover(const std::string& path);

}  // namespace vfs
