// Mode, owner, times and size, by path and by descriptor.
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "shim/interpose.h"
#include "shim/locate.h"
#include "vfs/core/attributes.h"
#include "vfs/core/sys.h"

namespace {

using shim::on_path;
using shim::workspace;
using vfs::Follow;
using vfs::Lookup;

Follow follow_unless(int flags) {
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? Follow::no : Follow::yes;
}

template <typename Pass>
int chmod_at(const char* call, int dirfd, const char* path, mode_t mode, Follow follow,
             Pass pass) {
  return on_path(
      call, dirfd, path, follow,
      [&](const Lookup& found) {
        return static_cast<long>(vfs::change_mode(workspace, found, mode));
      },
      pass);
}

template <typename Pass>
int chown_at(const char* call, int dirfd, const char* path, uid_t uid, gid_t gid, Follow follow,
             Pass pass) {
  return on_path(
      call, dirfd, path, follow,
      [&](const Lookup& found) {
        return static_cast<long>(vfs::change_owner(workspace, found, uid, gid));
      },
      pass);
}

template <typename Pass>
int times_at(const char* call, int dirfd, const char* path, const struct timespec* times,
             Follow follow, Pass pass) {
  return on_path(
      call, dirfd, path, follow,
      [&](const Lookup& found) {
        return static_cast<long>(vfs::change_times(workspace, found, times));
      },
      pass);
}

// A change by descriptor. A draft is the kernel's; a sealed file changes by
// its path (only its record does); a file of the live base becomes a draft, or
// the change would reach the real tree.
template <typename Change, typename Pass>
int on_descriptor(const char* call, int fd, Change change, Pass pass) {
  if (!shim::engaged() || fd < 0) return pass();
  shim::Located located;
  shim::locate_descriptor(fd, located);
  if (located.place == shim::Place::live) {
    struct stat status;
    if (vfs::sys::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
      const int result = shim::make_descriptor_draft(fd);
      return result == 0 ? pass() : shim::answer(result);
    }
  } else if (located.place != shim::Place::sealed) {
    return pass();
  }
  const int flags = vfs::sys::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0) return shim::answer(-EBADF);
  long result = -ESTALE;
  for (int i = 0; i < shim::kAttempts && result == -ESTALE; ++i) {
    Lookup found;
    if (!located.path_known ||
        vfs::look_up_canonical(workspace, located.path, found) != 0 || !found.exists()) {
      // Removed since it was opened: nobody can see what it would change.
      result = 0;
      break;
    }
    result = change(found);
  }
  shim::log(call, located.path.text, "descriptor", result);
  return shim::answer(result);
}

// struct timeval has microseconds.
const struct timespec* from_timeval(const struct timeval* times, struct timespec* out) {
  if (times == nullptr) return nullptr;
  for (int i = 0; i < 2; ++i) {
    // Out of range has to stay out of range, not turn into UTIME_NOW.
    const long micro = times[i].tv_usec;
    out[i].tv_sec = times[i].tv_sec;
    out[i].tv_nsec = micro >= 0 && micro < 1'000'000 ? micro * 1000 : -1;
  }
  return out;
}

}  // namespace

VFS_INTERPOSE(int, chmod, (const char* path, mode_t mode)) {
  return chmod_at("chmod", AT_FDCWD, path, mode, Follow::yes,
                  [&](int, const char* real) { return VFS_NEXT(chmod)(real, mode); });
}
VFS_INTERPOSE(int, lchmod, (const char* path, mode_t mode)) {
  return chmod_at("lchmod", AT_FDCWD, path, mode, Follow::no,
                  [&](int, const char* real) { return VFS_NEXT(lchmod)(real, mode); });
}
VFS_INTERPOSE(int, fchmodat, (int dirfd, const char* path, mode_t mode, int flags)) {
  if ((flags & ~AT_SYMLINK_NOFOLLOW) != 0) return shim::answer(-EINVAL);
  return chmod_at("fchmodat", dirfd, path, mode, follow_unless(flags),
                  [&](int directory, const char* real) {
                    return VFS_NEXT(fchmodat)(directory, real, mode, flags);
                  });
}
VFS_INTERPOSE(int, fchmod, (int fd, mode_t mode)) {
  return on_descriptor(
      "fchmod", fd,
      [&](const Lookup& found) { return vfs::change_mode(workspace, found, mode); },
      [&] { return VFS_NEXT(fchmod)(fd, mode); });
}

VFS_INTERPOSE(int, chown, (const char* path, uid_t uid, gid_t gid)) {
  return chown_at("chown", AT_FDCWD, path, uid, gid, Follow::yes,
                  [&](int, const char* real) { return VFS_NEXT(chown)(real, uid, gid); });
}
VFS_INTERPOSE(int, lchown, (const char* path, uid_t uid, gid_t gid)) {
  return chown_at("lchown", AT_FDCWD, path, uid, gid, Follow::no,
                  [&](int, const char* real) { return VFS_NEXT(lchown)(real, uid, gid); });
}
VFS_INTERPOSE(int, fchown, (int fd, uid_t uid, gid_t gid)) {
  return on_descriptor(
      "fchown", fd,
      [&](const Lookup& found) { return vfs::change_owner(workspace, found, uid, gid); },
      [&] { return VFS_NEXT(fchown)(fd, uid, gid); });
}
VFS_INTERPOSE(int, fchownat, (int dirfd, const char* path, uid_t uid, gid_t gid, int flags)) {
  if (path != nullptr && *path == '\0' && (flags & AT_EMPTY_PATH) != 0 && dirfd >= 0) {
    return interposed_fchown(dirfd, uid, gid);
  }
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return shim::answer(-EINVAL);
  return chown_at("fchownat", dirfd, path, uid, gid, follow_unless(flags),
                  [&](int directory, const char* real) {
                    return VFS_NEXT(fchownat)(directory, real, uid, gid, flags);
                  });
}

VFS_INTERPOSE(int, futimens, (int fd, const struct timespec* times)) {
  return on_descriptor(
      "futimens", fd,
      [&](const Lookup& found) { return vfs::change_times(workspace, found, times); },
      [&] { return VFS_NEXT(futimens)(fd, times); });
}
VFS_INTERPOSE(int, utimensat,
              (int dirfd, const char* path, const struct timespec* times, int flags)) {
  // glibc refuses a null path; the kernel's meaning, the descriptor itself, is
  // that of futimens.
  if (path != nullptr && *path == '\0' && (flags & AT_EMPTY_PATH) != 0 && dirfd >= 0) {
    return interposed_futimens(dirfd, times);
  }
  // The kernel does not even look at the path then.
  if (times != nullptr && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return 0;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return shim::answer(-EINVAL);
  return times_at("utimensat", dirfd, path, times, follow_unless(flags),
                  [&](int directory, const char* real) {
                    return VFS_NEXT(utimensat)(directory, real, times, flags);
                  });
}
VFS_INTERPOSE(int, utime, (const char* path, const struct utimbuf* times)) {
  struct timespec exact[2] = {};
  if (times != nullptr) {
    exact[0].tv_sec = times->actime;
    exact[1].tv_sec = times->modtime;
  }
  return times_at("utime", AT_FDCWD, path, times != nullptr ? exact : nullptr, Follow::yes,
                  [&](int, const char* real) { return VFS_NEXT(utime)(real, times); });
}
VFS_INTERPOSE(int, utimes, (const char* path, const struct timeval* times)) {
  struct timespec exact[2];
  return times_at("utimes", AT_FDCWD, path, from_timeval(times, exact), Follow::yes,
                  [&](int, const char* real) { return VFS_NEXT(utimes)(real, times); });
}
VFS_INTERPOSE(int, lutimes, (const char* path, const struct timeval* times)) {
  struct timespec exact[2];
  return times_at("lutimes", AT_FDCWD, path, from_timeval(times, exact), Follow::no,
                  [&](int, const char* real) { return VFS_NEXT(lutimes)(real, times); });
}
VFS_INTERPOSE(int, futimesat, (int dirfd, const char* path, const struct timeval* times)) {
  struct timespec exact[2];
  return times_at("futimesat", dirfd, path, from_timeval(times, exact), Follow::yes,
                  [&](int directory, const char* real) {
                    return VFS_NEXT(futimesat)(directory, real, times);
                  });
}
VFS_INTERPOSE(int, futimes, (int fd, const struct timeval* times)) {
  struct timespec exact[2];
  const struct timespec* wanted = from_timeval(times, exact);
  return on_descriptor(
      "futimes", fd,
      [&](const Lookup& found) { return vfs::change_times(workspace, found, wanted); },
      [&] { return VFS_NEXT(futimes)(fd, times); });
}

VFS_INTERPOSE(int, truncate, (const char* path, off_t length)) {
  return on_path(
      "truncate", AT_FDCWD, path, Follow::yes,
      [&](const Lookup& found) {
        return static_cast<long>(vfs::truncate_file(workspace, found, length));
      },
      [&](int, const char* real) { return VFS_NEXT(truncate)(real, length); });
}
VFS_ALIAS(truncate64, truncate);
