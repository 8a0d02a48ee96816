// What the shim knows in this process: whether there is a workspace, and where.
#pragma once

#include <errno.h>

#include <atomic>

#include "vfs/core/workspace.h"

namespace shim {

enum class Activity : uint32_t {
  unknown,   // nothing asked yet
  starved,   // could not be found out, for want of a descriptor or memory: every
             // call on a path is refused, and the next one tries again
  starting,  // being found out
  inactive,  // no workspace, or VFS_DISABLE=1: the shim does nothing at all
  active,
  broken,    // there is a marker, but what it points to cannot be used: every
             // call into the tree fails with EIO, so nothing reaches real files
};

extern std::atomic<Activity> activity;

// A global that is all zeros until it is used, without a constructor: another
// library's constructor may call us before our own would have run.
template <typename T>
union Zeroed {
  unsigned char bytes[sizeof(T)];
  T value;
  constexpr Zeroed() : bytes{} {}
};

// For the small variables that nearly every process uses: with the pointers to
// functions, on pages that ld.so has written to already. Among the tables of
// .bss each of them would be a page fault.
#define VFS_HOT __attribute__((section(".data.hot")))

// The workspace of this process; valid while active (its root while broken).
extern vfs::Workspace& workspace;

// Why nothing could be found out: a negative errno.
extern std::atomic<int> starvation;

// Finds out, at the first call that needs to know: many programs (true, sleep)
// never make one, and pay nothing. Other threads wait until it is known.
Activity start();

// Whether we have begun: before, there is nothing that a close or dup changes.
inline bool started() { return activity.load(std::memory_order_acquire) >= Activity::active; }

// Whether calls may have to be answered by us.
inline bool engaged() {
  Activity now = activity.load(std::memory_order_acquire);
  if (__builtin_expect(now <= Activity::starting, false)) {
    now = start();
    if (now == Activity::starved) return true;
  }
  return now >= Activity::active;
}

// A process that was outside every workspace may have entered one.
void directory_changed();

// Turns the shim off for the rest of this process (the command `vfs` does its
// own file access).
void suspend();

// True in the child of vfork, which shares our memory with its parent: there
// nothing may be remembered about descriptors or the working directory.
extern constinit thread_local bool in_vfork_child;
// Whether that child has made a copy of a sealed descriptor, of which then
// nothing is remembered.
extern constinit thread_local bool vfork_child_copied;

// One line in the file VFS_LOG names; nothing if it is not set. `error` is a
// negative errno, or 0 and more for success.
void log(const char* call, const char* path, const char* decision, long error);
bool logging();
// What VFS_LOG was when the program started; empty: it was not set.
extern vfs::KeptPath log_path;

// A line on standard error: "vfs: WHAT: WHY...". `advice` comes before what can
// always be done, to turn the shim off.
void complain(const char* what, const char* why, const char* advice);

// The result of a call: sets errno and gives -1 for a negative errno. Leaves
// errno alone on success, as libc does.
template <typename T = int>
inline T answer(long result) {
  if (result >= 0) return static_cast<T>(result);
  errno = static_cast<int>(-result);
  return static_cast<T>(-1);
}

// A look-up is made again when the tree changed before it could be acted on.
constexpr int kAttempts = 64;

template <typename Attempt>
inline long retry_while_stale(Attempt attempt) {
  long result = -ESTALE;
  for (int i = 0; i < kAttempts && result == -ESTALE; ++i) result = attempt();
  return result;
}

}  // namespace shim
