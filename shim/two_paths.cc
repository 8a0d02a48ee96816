#include "shim/two_paths.h"

#include <stdio.h>

#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

bool has_slash_behind(const char* path) { return *path != '\0' && path[strlen(path) - 1] == '/'; }

// The error of walking to the directory that holds the last name, or 0.
long directory_error(const Side& side) {
  if (side.is_inside()) return 0;
  if (side.located.where == Where::failed) return side.located.error;
  const Passed outside = side.passed();
  vfs::PathBuffer directory;
  if (*outside.path == '\0') return -ENOENT;
  if (!directory.assign(outside.path)) return -ENAMETOOLONG;
  while (directory.length > 1 && has_slash_behind(directory.text)) {
    directory.truncate(directory.length - 1);
  }
  directory.pop();
  if (directory.length == 0) directory.assign(*outside.path == '/' ? "/" : ".");
  const int fd = sys::openat(outside.dirfd, directory.text, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fd;
  // In a directory that was removed there is nothing, and nothing can be made.
  struct stat status;
  const bool removed = sys::fstat(fd, &status) == 0 && status.st_nlink == 0;
  sys::close(fd);
  return removed ? -ENOENT : 0;
}

// The error of a path that has to exist.
long existing_error(const Side& side, bool follow) {
  if (side.located.where == Where::failed) return side.located.error;
  if (side.is_inside()) return side.located.found.exists() ? 0 : -ENOENT;
  struct stat status;
  const Passed outside = side.passed();
  return sys::fstatat(outside.dirfd, outside.path, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW);
}

// The error of a path that must not exist.
long new_name_error(const Side& side) {
  const long error = directory_error(side);
  if (error != 0) return error;
  if (side.has_long_name()) return side.located.error;
  if (side.is_inside()) {
    const vfs::Lookup& found = side.located.found;
    if (found.last != vfs::LastComponent::name || found.exists()) return -EEXIST;
    return found.must_be_directory ? -ENOENT : 0;
  }
  struct stat status;
  const Passed outside = side.passed();
  const int looked = sys::fstatat(outside.dirfd, outside.path, &status, AT_SYMLINK_NOFOLLOW);
  if (looked == 0 || looked == -ENOTDIR) return -EEXIST;
  return looked == -ENOENT && !has_slash_behind(outside.path) ? 0 : looked;
}

bool is_name(const Side& side) {
  if (side.has_long_name()) return true;
  const vfs::LastComponent last = side.located.found.last;
  return last == vfs::LastComponent::name || last == vfs::LastComponent::root;
}

}  // namespace

bool Side::has_long_name() const {
  if (located.where != Where::failed || located.error != -ENAMETOOLONG) return false;
  const size_t length = strlen(path);
  size_t end = length;
  while (end > 0 && path[end - 1] == '/') --end;
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') --start;
  return end - start > NAME_MAX && length < PATH_MAX;
}

bool may_link_by_descriptor(const Passed& from) {
  // Never succeeds: the root exists.
  return sys::call(SYS_linkat, from.dirfd, sys::as_argument(*from.path == '/' ? "/" : ""), AT_FDCWD,
                   sys::as_argument("/"), AT_EMPTY_PATH) != -ENOENT;
}

long link_error(const Side& from, bool follow, const Side& to) {
  long error = existing_error(from, follow);
  if (error == 0) error = new_name_error(to);
  return error == 0 && from.is_inside() != to.is_inside() ? -EXDEV : error;
}

long rename_error(const Side& from, const Side& to, unsigned flags) {
  const bool exchange = (flags & RENAME_EXCHANGE) != 0;
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0 ||
      (exchange && flags != RENAME_EXCHANGE)) {
    return -EINVAL;
  }
  if (const long error = directory_error(from); error != 0) return error;
  if (const long error = directory_error(to); error != 0) return error;
  if (from.is_inside() != to.is_inside()) return -EXDEV;
  if (!is_name(from)) return -EBUSY;
  if (!is_name(to)) return (flags & RENAME_NOREPLACE) != 0 ? -EEXIST : -EBUSY;
  if (from.has_long_name()) return from.located.error;
  if (!from.located.found.exists()) return -ENOENT;
  return to.has_long_name() ? to.located.error : 0;
}

}  // namespace shim
