// Which system calls change something that outlives the process.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <string>

namespace faults {

// A thread that is stopped at the entry of a system call.
struct Call {
  pid_t thread;
  uint64_t number;
  uint64_t arguments[6];
};

struct Rule;

// The row for a call that changes files, names, metadata, locks or what is
// mapped to be written; null for any other. A write to a pipe, a socket, a
// terminal or a standard stream is none.
const Rule* changing(const Call& call);

// Whether a file system without a free block could refuse it. Removals and
// locks it never does.
bool needs_room(const Rule& rule);

// "rename /a -> /b": the name of the call and the files it is about, as the
// caller named them, or as /proc does where it gave a descriptor.
std::string describe(const Rule& rule, const Call& call);

}  // namespace faults
