// The stat family, statx, access.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shim/interpose.h"
#include "shim/locate.h"
#include "vfs/core/attributes.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

// Before glibc 2.33 stat was an inline function around these.
extern "C" {
int __xstat(int version, const char* path, struct stat* status);
int __lxstat(int version, const char* path, struct stat* status);
int __fxstat(int version, int fd, struct stat* status);
int __fxstatat(int version, int dirfd, const char* path, struct stat* status, int flags);
}

namespace {

using shim::on_path;

// What the kernel takes; a wrong flag has to fail in the tree as well.
constexpr int kStatFlags =
    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE;

vfs::Follow follow_unless(int flags, int no_follow) {
  return (flags & no_follow) != 0 ? vfs::Follow::no : vfs::Follow::yes;
}

template <typename Pass>
int stat_at(const char* call, int dirfd, const char* path, struct stat* status, int flags,
            Pass pass) {
  const auto act = [&](const vfs::Lookup& found) {
    if ((flags & ~kStatFlags) != 0) return static_cast<long>(-EINVAL);
    return static_cast<long>(vfs::get_status(shim::workspace, found, *status));
  };
  return on_path(call, dirfd, path, follow_unless(flags, AT_SYMLINK_NOFOLLOW), act, pass);
}

int corrected(int result, int fd, struct stat* status) {
  if (result == 0 && shim::engaged()) shim::correct_status(fd, *status);
  return result;
}

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

// For what has a real inode the kernel fills statx (it knows the birth time);
// identity and link count are then made to agree with stat.
long statx_found(const vfs::Lookup& found, int flags, unsigned mask, struct statx* result) {
  struct stat status;
  if ((flags & ~kStatFlags) != 0) return -EINVAL;
  const int known = vfs::get_status(shim::workspace, found, status);
  if (known != 0) return known;
  to_statx(status, *result);
  if (found.is_sealed()) return 0;
  vfs::PathBuffer real;
  struct statx exact;
  if (vfs::real_path(shim::workspace, found, real) == 0 &&
      vfs::sys::call(SYS_statx, AT_FDCWD, vfs::sys::as_argument(real.text),
                     flags | AT_SYMLINK_NOFOLLOW, mask, vfs::sys::as_argument(&exact)) == 0) {
    exact.stx_ino = result->stx_ino;
    exact.stx_dev_major = result->stx_dev_major;
    exact.stx_dev_minor = result->stx_dev_minor;
    exact.stx_nlink = result->stx_nlink;
    *result = exact;
  }
  return 0;
}

}  // namespace

VFS_INTERPOSE(int, stat, (const char* path, struct stat* status)) {
  return stat_at("stat", AT_FDCWD, path, status, 0,
                 [&](int, const char* real) { return VFS_NEXT(stat)(real, status); });
}
VFS_ALIAS(stat64, stat);

VFS_INTERPOSE(int, lstat, (const char* path, struct stat* status)) {
  return stat_at("lstat", AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW,
                 [&](int, const char* real) { return VFS_NEXT(lstat)(real, status); });
}
VFS_ALIAS(lstat64, lstat);

VFS_INTERPOSE(int, fstat, (int fd, struct stat* status)) {
  return corrected(VFS_NEXT(fstat)(fd, status), fd, status);
}
VFS_ALIAS(fstat64, fstat);

VFS_INTERPOSE(int, fstatat, (int dirfd, const char* path, struct stat* status, int flags)) {
  const int result = stat_at("fstatat", dirfd, path, status, flags,
                             [&](int directory, const char* real) {
                               return VFS_NEXT(fstatat)(directory, real, status, flags);
                             });
  const bool descriptor = path != nullptr && *path == '\0' && (flags & AT_EMPTY_PATH) != 0;
  return descriptor && dirfd >= 0 ? corrected(result, dirfd, status) : result;
}
VFS_ALIAS(fstatat64, fstatat);

VFS_INTERPOSE(int, __xstat, (int version, const char* path, struct stat* status)) {
  return stat_at("stat", AT_FDCWD, path, status, 0, [&](int, const char* real) {
    return VFS_NEXT(__xstat)(version, real, status);
  });
}
VFS_ALIAS(__xstat64, __xstat);

VFS_INTERPOSE(int, __lxstat, (int version, const char* path, struct stat* status)) {
  return stat_at("lstat", AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW, [&](int, const char* real) {
    return VFS_NEXT(__lxstat)(version, real, status);
  });
}
VFS_ALIAS(__lxstat64, __lxstat);

VFS_INTERPOSE(int, __fxstat, (int version, int fd, struct stat* status)) {
  return corrected(VFS_NEXT(__fxstat)(version, fd, status), fd, status);
}
VFS_ALIAS(__fxstat64, __fxstat);

VFS_INTERPOSE(int, __fxstatat,
              (int version, int dirfd, const char* path, struct stat* status, int flags)) {
  const int result = stat_at("fstatat", dirfd, path, status, flags,
                             [&](int directory, const char* real) {
                               return VFS_NEXT(__fxstatat)(version, directory, real, status, flags);
                             });
  const bool descriptor = path != nullptr && *path == '\0' && (flags & AT_EMPTY_PATH) != 0;
  return descriptor && dirfd >= 0 ? corrected(result, dirfd, status) : result;
}
VFS_ALIAS(__fxstatat64, __fxstatat);

VFS_INTERPOSE(int, statx,
              (int dirfd, const char* path, int flags, unsigned mask, struct statx* result)) {
  const auto pass = [&](int directory, const char* real) {
    return VFS_NEXT(statx)(directory, real, flags, mask, result);
  };
  if (path != nullptr && *path == '\0' && (flags & AT_EMPTY_PATH) != 0 && dirfd >= 0 &&
      shim::engaged()) {
    const int answer = pass(dirfd, path);
    struct stat before;
    if (answer != 0 || vfs::sys::fstat(dirfd, &before) != 0) return answer;
    struct stat after = before;
    shim::correct_status(dirfd, after);
    if (memcmp(&before, &after, sizeof(before)) != 0) to_statx(after, *result);
    return answer;
  }
  return on_path(
      "statx", dirfd, path, follow_unless(flags, AT_SYMLINK_NOFOLLOW),
      [&](const vfs::Lookup& found) { return statx_found(found, flags, mask, result); }, pass);
}

namespace {

template <typename Pass>
int access_at(const char* call, int dirfd, const char* path, int mask, int flags, Pass pass) {
  const auto act = [&](const vfs::Lookup& found) {
    const bool effective = (flags & AT_EACCESS) != 0;
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH)) != 0 ||
        (mask & ~(R_OK | W_OK | X_OK)) != 0) {
      return static_cast<long>(-EINVAL);
    }
    return static_cast<long>(vfs::test_access(shim::workspace, found, mask, effective));
  };
  return on_path(call, dirfd, path, follow_unless(flags, AT_SYMLINK_NOFOLLOW), act, pass);
}

}  // namespace

VFS_INTERPOSE(int, access, (const char* path, int mask)) {
  return access_at("access", AT_FDCWD, path, mask, 0,
                   [&](int, const char* real) { return VFS_NEXT(access)(real, mask); });
}

VFS_INTERPOSE(int, faccessat, (int dirfd, const char* path, int mask, int flags)) {
  return access_at("faccessat", dirfd, path, mask, flags, [&](int directory, const char* real) {
    return VFS_NEXT(faccessat)(directory, real, mask, flags);
  });
}

VFS_INTERPOSE(int, euidaccess, (const char* path, int mask)) {
  return access_at("euidaccess", AT_FDCWD, path, mask, AT_EACCESS,
                   [&](int, const char* real) { return VFS_NEXT(euidaccess)(real, mask); });
}
VFS_ALIAS(eaccess, euidaccess);
