// What this process was told that it may touch (`vfs run --only`): refused here with a
// line in the trace, and for what gets past us by the kernel (RFC 10). Or only noted
// down (`vfs run --record`).
#pragma once

#include <atomic>

#include "shim/locate.h"

namespace shim {

enum class Fencing : uint8_t { none, refuses, records };
extern std::atomic<Fencing> fencing;
inline bool is_fenced() {
  return __builtin_expect(fencing.load(std::memory_order_relaxed) != Fencing::none, false);
}

// Takes what the environment says when the program starts: what it makes of its
// variables later is nothing to us.
void take_grants(const char* grants, const char* only);

// What a program that is started has to be told: the two variables' values, null if
// there are none.
const char* grants_to_hand_on();
const char* fencing_to_hand_on();

// Turns `located` into a failure (EACCES) if what the call wants there is not granted.
// What does not exist, and would only be read, is left to whoever says so.
void check_grants(int dirfd, const char* path, vfs::Follow follow, Looking looking,
                  LocatedPath& located);

}  // namespace shim
