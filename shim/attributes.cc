// Mode, owner, times and size, by path and by descriptor.
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "shim/table.h"
#include "vfs/core/attributes.h"
#include "vfs/core/identity.h"

namespace {

using shim::follow;
using shim::no_follow;
using shim::Role;
using shim::workspace;
using vfs::Lookup;

using chmod_links = shim::follow_unless<AT_SYMLINK_NOFOLLOW, AT_SYMLINK_NOFOLLOW>;
using change_links = shim::follow_unless<AT_SYMLINK_NOFOLLOW, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH>;

struct ChangeMode {
  static long found(const Lookup& found, const auto& call) {
    return vfs::change_mode(workspace, found, call.template get<Role::mode>());
  }
  static void draft(const auto& call, int fd) {
    if ((call.template get<Role::mode>() & S_IRUSR) == 0) {
      vfs::keep_identity_unreadable(workspace, fd);
    }
  }
};

struct ChangeOwner {
  static long found(const Lookup& found, const auto& call) {
    return vfs::change_owner(workspace, found, call.template get<Role::uid>(),
                             call.template get<Role::gid>());
  }
  static int empty_path(const auto& call) {
    // By O_PATH descriptors this is allowed, unlike fchown().
    shim::Located located;
    Lookup link;
    const int fd = call.template get<Role::dirfd>();
    const int flags = vfs::sys::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_PATH) != 0 && shim::locate_descriptor(fd, located)) {
      if (!shim::find_located(fd, located, link)) return 0;
      return shim::answer(found(link, call));
    }
    return fchown(call.template get<Role::dirfd>(), call.template get<Role::uid>(),
                  call.template get<Role::gid>());
  }
};

// The times of a call as nanoseconds, whatever unit it counts in.
class Times {
 public:
  explicit Times(const struct timespec* times) : times_(times) {}
  explicit Times(const struct timeval* times) : times_(times != nullptr ? exact_ : nullptr) {
    for (int i = 0; times != nullptr && i < 2; ++i) {
      // Out of range has to stay out of range, not turn into UTIME_NOW.
      const long micro = times[i].tv_usec;
      exact_[i].tv_sec = times[i].tv_sec;
      exact_[i].tv_nsec = micro >= 0 && micro < 1'000'000 ? micro * 1000 : -1;
    }
  }
  explicit Times(const struct utimbuf* times) : times_(times != nullptr ? exact_ : nullptr) {
    if (times == nullptr) return;
    exact_[0].tv_sec = times->actime;
    exact_[1].tv_sec = times->modtime;
  }
  Times(const Times&) = delete;
  Times& operator=(const Times&) = delete;

  const struct timespec* get() const { return times_; }

 private:
  struct timespec exact_[2] = {};
  const struct timespec* times_;
};

struct ChangeTimes {
  static long found(const Lookup& found, const auto& call) {
    const Times times(call.template get<Role::times>());
    return vfs::change_times(workspace, found, times.get());
  }
  // glibc refuses a null path; the kernel's meaning of that, the descriptor
  // itself, is futimens.
  static int empty_path(const auto& call) {
    return futimens(call.template get<Role::dirfd>(), call.template get<Role::times>());
  }
  // With nothing to change the kernel does not even look at the path.
  static bool is_idle(const auto& call) {
    if constexpr (requires { call.template get<Role::times>()->tv_nsec; }) {
      const struct timespec* times = call.template get<Role::times>();
      return times != nullptr && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT;
    }
    return false;
  }
};

struct Truncate {
  static long found(const Lookup& found, const auto& call) {
    return vfs::truncate_file(workspace, found, call.template get<Role::length>());
  }
  // A negative size is refused before the path is looked at.
  static bool is_idle(const auto& call) { return call.template get<Role::length>() < 0; }
};

}  // namespace

#define VFS_TABLE_ATTRIBUTES
#include "shim/entry_points.def"
