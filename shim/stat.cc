// The stat family, statx, access.
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shim/table.h"
#include "vfs/core/attributes.h"
#include "vfs/core/open.h"

// Before glibc 2.33 stat was an inline function around these.
extern "C" {
int __xstat(int version, const char* path, struct stat* status);
int __lxstat(int version, const char* path, struct stat* status);
int __fxstat(int version, int fd, struct stat* status);
int __fxstatat(int version, int dirfd, const char* path, struct stat* status, int flags);
}

namespace {

using shim::follow;
using shim::no_follow;
using shim::Role;
using shim::workspace;
using vfs::Lookup;

using stat_links =
    shim::follow_unless<AT_SYMLINK_NOFOLLOW, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
                                                 AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE>;

// For the result of an fstat: what the virtual file has to answer.
int corrected(int result, int fd, struct stat* status) {
  if (result == 0 && shim::engaged()) shim::correct_status(fd, *status);
  return result;
}

// Hands a result over to the caller's memory.
template <typename T>
int give(const T& value, T* to) {
  if (!shim::is_writable(to, sizeof(T))) return -EFAULT;
  *to = value;
  return 0;
}

// "." of a directory that was removed has no path to be looked up by: whether
// that may be why the call has this result.
bool may_be_removed(const auto& call, int result, uint64_t links) {
  return strcmp(call.template get<Role::path>(), ".") == 0 &&
         (result == 0 ? links == 0 : errno == ENOENT);
}

int of_removed_directory(int dirfd, struct stat& status) {
  const int fd = vfs::sys::openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fd;
  const int result = vfs::sys::fstat(fd, &status);
  if (result == 0) shim::correct_status(fd, status);
  vfs::sys::close(fd);
  return result;
}

struct Status {
  static constexpr bool kReads = true;

  static long found(const Lookup& found, const auto& call) {
    struct stat status;
    const int result = vfs::get_status(workspace, found, status);
    return result == 0 ? give(status, call.template get<Role::status>()) : result;
  }
  static int empty_path(const auto& call) {
    return corrected(call.pass(), call.template get<Role::dirfd>(),
                     call.template get<Role::status>());
  }
  static int finish(const auto& call, int result) {
    struct stat* status = call.template get<Role::status>();  // null, in a call that failed
    if (!shim::engaged() || !may_be_removed(call, result, result == 0 ? status->st_nlink : 0)) {
      return result;
    }
    struct stat removed;
    const int known = of_removed_directory(call.template get_or<Role::dirfd>(int{AT_FDCWD}), removed);
    return shim::answer(known == 0 ? give(removed, status) : known);
  }
};

void to_statx(const struct stat& from, struct statx& to) {
  const auto time = [](const struct timespec& t) {
    struct statx_timestamp stamp = {};
    stamp.tv_sec = t.tv_sec;
    stamp.tv_nsec = static_cast<uint32_t>(t.tv_nsec);
    return stamp;
  };
  to = {};
  to.stx_mask = STATX_BASIC_STATS;
  to.stx_blksize = static_cast<uint32_t>(from.st_blksize);
  to.stx_nlink = static_cast<uint32_t>(from.st_nlink);
  to.stx_uid = from.st_uid;
  to.stx_gid = from.st_gid;
  to.stx_mode = static_cast<uint16_t>(from.st_mode);
  to.stx_ino = from.st_ino;
  to.stx_size = static_cast<uint64_t>(from.st_size);
  to.stx_blocks = static_cast<uint64_t>(from.st_blocks);
  to.stx_atime = time(from.st_atim);
  to.stx_ctime = time(from.st_ctim);
  to.stx_mtime = time(from.st_mtim);
  to.stx_rdev_major = major(from.st_rdev);
  to.stx_rdev_minor = minor(from.st_rdev);
  to.stx_dev_major = major(from.st_dev);
  to.stx_dev_minor = minor(from.st_dev);
}

// The kernel looks at these before the path.
struct statx_links : stat_links {
  static bool valid(const auto& call) {
    return (call.template get<Role::flags>() & AT_STATX_SYNC_TYPE) != AT_STATX_SYNC_TYPE &&
           (call.template get<Role::mask>() & STATX__RESERVED) == 0 && stat_links::valid(call);
  }
};

struct ExtendedStatus {
  static constexpr bool kReads = true;

  // For what has a real inode the kernel fills statx (it knows the birth time);
  // identity and link count are then made to agree with stat.
  static long found(const Lookup& found, const auto& call) {
    struct stat status;
    const int known = vfs::get_status(workspace, found, status);
    if (known != 0) return known;
    struct statx result;
    to_statx(status, result);
    if (!found.is_sealed()) add_real(found, call, result);
    return give(result, call.template get<Role::status>());
  }

  static void add_real(const Lookup& found, const auto& call, struct statx& result) {
    vfs::PathBuffer real;
    struct statx exact;
    if (vfs::real_path(workspace, found, real) == 0 &&
        vfs::sys::call(SYS_statx, AT_FDCWD, vfs::sys::as_argument(real.text),
                       call.template get<Role::flags>() | AT_SYMLINK_NOFOLLOW,
                       call.template get<Role::mask>(), vfs::sys::as_argument(&exact)) == 0) {
      exact.stx_ino = result.stx_ino;
      exact.stx_dev_major = result.stx_dev_major;
      exact.stx_dev_minor = result.stx_dev_minor;
      exact.stx_nlink = result.stx_nlink;
      exact.stx_size = result.stx_size;  // a link may be a record
      // A directory of upper has more rights than it shows.
      exact.stx_mode = result.stx_mode;
      exact.stx_uid = result.stx_uid;
      exact.stx_gid = result.stx_gid;
      result = exact;
    }
  }

  static int empty_path(const auto& call) {
    const int result = call.pass();
    const int fd = call.template get<Role::dirfd>();
    struct stat before;
    if (result != 0 || vfs::sys::fstat(fd, &before) != 0) return result;
    struct stat after = before;
    shim::correct_status(fd, after);
    if (memcmp(&before, &after, sizeof(before)) != 0) {
      to_statx(after, *call.template get<Role::status>());
    }
    return result;
  }

  static int finish(const auto& call, int result) {
    struct statx* status = call.template get<Role::status>();
    if (!shim::engaged() || !may_be_removed(call, result, result == 0 ? status->stx_nlink : 0)) {
      return result;
    }
    struct stat removed;
    const int known = of_removed_directory(call.template get<Role::dirfd>(), removed);
    if (known != 0) return shim::answer(known);
    struct statx shown;
    to_statx(removed, shown);
    return shim::answer(give(shown, status));
  }
};

// The kernel looks at the mask and the flags before the path.
struct access_links {
  static bool valid(const auto& call) {
    constexpr int kKnown = AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH;
    return (call.template get<Role::mode>() & ~(R_OK | W_OK | X_OK)) == 0 &&
           (call.template get_or<Role::flags>(0) & ~kKnown) == 0;
  }
  static vfs::Follow of(const auto& call) {
    return (call.template get_or<Role::flags>(0) & AT_SYMLINK_NOFOLLOW) != 0 ? vfs::Follow::no
                                                                             : vfs::Follow::yes;
  }
};

struct Access {
  static constexpr bool kReads = true;

  static long found(const Lookup& found, const auto& call) {
    const bool effective = (call.template get_or<Role::flags>(0) & AT_EACCESS) != 0;
    return vfs::test_access(workspace, found, call.template get<Role::mode>(), effective);
  }
  static int empty_path(const auto& call) {
    struct stat status;
    if (fstat(call.template get<Role::dirfd>(), &status) != 0) return -1;
    const bool effective = (call.template get<Role::flags>() & AT_EACCESS) != 0;
    return shim::answer(vfs::check_access(status, call.template get<Role::mode>(), effective));
  }
};
struct EffectiveAccess {
  static constexpr bool kReads = true;

  static long found(const Lookup& found, const auto& call) {
    // glibc ignores the bits that access() refuses.
    constexpr int kKnown = R_OK | W_OK | X_OK;
    return vfs::test_access(workspace, found, call.template get<Role::mode>() & kKnown, true);
  }
};

}  // namespace

VFS_INTERPOSE(int, fstat, (int fd, struct stat* status)) {
  return corrected(VFS_NEXT(fstat)(fd, status), fd, status);
}
VFS_INTERPOSE(int, __fxstat, (int version, int fd, struct stat* status)) {
  return corrected(VFS_NEXT(__fxstat)(version, fd, status), fd, status);
}

#define VFS_TABLE_STATUS
#include "shim/entry_points.def"
