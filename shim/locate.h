// From the arguments of a call to what they mean.
#pragma once

#include <fcntl.h>

#include "shim/descriptors.h"
#include "shim/memory.h"
#include "shim/recent_paths.h"
#include "shim/state.h"
#include "vfs/core/grants.h"

namespace shim {

// Where a path leads.
enum class Where : uint8_t {
  untouched,  // not ours: pass the arguments on as they are
  outside,    // not ours, but only the absolute path in found.path says so
  inside,     // in the tree: `found` tells
  failed,     // the look-up failed: `error`
};

struct LocatedPath {
  Where where;
  long error;  // negative errno, if failed
  vfs::Lookup found;
  RecentPath recent;  // of a relative path that a call reads

  // To be called with the call's result.
  void remember(long result) const {
    const bool holds = result >= 0 || (result == -ENOENT && !found.is_unseen());
    if (holds && found.as_written && !logging()) recent.remember();
  }
};

// For a look that is not the call itself.
constexpr vfs::Rights kNeedsNothing = 1 << 7;

// What the call is after: what it needs a grant for, and what spares questions.
struct Looking {
  vfs::Unseen unseen = vfs::Unseen::never;  // as of vfs::Shortcut
  bool reads = false;                       // as of enter()
  vfs::Rights needs = vfs::kMayWrite;       // 0: what is there is only looked at
};

// What open(2) with these flags needs.
inline vfs::Rights needs_to_open(int flags) {
  if ((flags & O_PATH) != 0) return 0;
  const int access = flags & O_ACCMODE;
  const bool writes = access != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
  return static_cast<vfs::Rights>((access != O_WRONLY ? vfs::kMayRead : 0) | (writes ? vfs::kMayWrite : 0));
}

// Looks up `path` as given to a *at call with `dirfd`. Never touches errno.
void locate(int dirfd, const char* path, vfs::Follow follow, LocatedPath& located,
            Looking looking = {});

// The descriptor of this process that "/proc/self/fd/N", "/proc/PID/fd/N",
// "/dev/fd/N" or "/dev/stdin" names, or -1.
int descriptor_of_path(const char* path);

// The path and directory to pass on for an untouched or outside path.
struct Passed {
  int dirfd;
  const char* path;
};
inline Passed pass_on(const LocatedPath& located, int dirfd, const char* path) {
  return located.where == Where::outside ? Passed{AT_FDCWD, located.found.path.text}
                                         : Passed{dirfd, path};
}

// The shape of most calls: `act(found)` for a path in the tree, `pass(dirfd,
// path)` for one outside. `act` returns a value >= 0 or a negative errno
// (-ESTALE: look up again); `pass` returns what libc returns.
template <typename Act, typename Pass>
inline auto on_path(const char* call, int dirfd, const char* path, vfs::Follow follow, Act act,
                    Pass pass, Looking looking = {}) -> decltype(pass(dirfd, path)) {
  if (!engaged() || !is_string(path)) return pass(dirfd, path);
  LocatedPath located;
  long result = -ESTALE;
  for (int i = 0; i < kAttempts && result == -ESTALE; ++i) {
    // What turned out to be something else is looked at.
    locate(dirfd, path, follow, located, looking);
    looking.unseen = vfs::Unseen::never;
    if (located.where == Where::untouched || located.where == Where::outside) {
      const Passed passed = pass_on(located, dirfd, path);
      return pass(passed.dirfd, passed.path);
    }
    result = located.where == Where::failed ? located.error : act(located.found);
  }
  if (located.where == Where::inside) located.remember(result);
  log(call, path, "tree", result);
  return answer<decltype(pass(dirfd, path))>(result);
}

}  // namespace shim
