// Calls that need no more than the real path behind a virtual one: file system
// statistics, limits, watches, extended attributes.
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <string.h>
#include <unistd.h>

#include "shim/interpose.h"
#include "shim/locate.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/identity.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

namespace {

using shim::workspace;
using vfs::Follow;

// Calls `pass` with the real path: of what is there now, or, if the call
// changes something, of a draft.
enum class Need : uint8_t { any, draft };

template <typename Pass>
auto with_real_path(const char* call, const char* path, Follow follow, Need need, Pass pass)
    -> decltype(pass(path)) {
  using Result = decltype(pass(path));
  if (!shim::engaged() || path == nullptr) return pass(path);
  shim::LocatedPath located;
  shim::locate(AT_FDCWD, path, follow, located);
  if (located.where == shim::Where::failed) return shim::answer<Result>(located.error);
  if (located.where != shim::Where::inside) {
    return pass(shim::pass_on(located, AT_FDCWD, path).path);
  }
  vfs::PathBuffer real;
  int result = 0;
  if (need == Need::draft && located.found.exists()) {
    result = vfs::copy_up(workspace, located.found, vfs::Content::keep);
    if (result == 0 && !workspace.upper_path(located.found.path, real)) result = -ENAMETOOLONG;
  } else {
    result = vfs::real_path(workspace, located.found, real);
  }
  shim::log(call, path, real.text, result);
  return result == 0 ? pass(real.text) : shim::answer<Result>(result);
}

bool is_hidden_attribute(const char* name) {
  return name != nullptr && strcmp(name, vfs::kIdentityAttribute) == 0;
}

// Takes our own attribute out of a list of names; gives the new length.
ssize_t without_hidden(char* list, ssize_t length) {
  for (ssize_t at = 0; list != nullptr && at < length;) {
    const size_t size = strlen(list + at) + 1;
    if (is_hidden_attribute(list + at)) {
      memmove(list + at, list + at + size, static_cast<size_t>(length - at) - size);
      return length - static_cast<ssize_t>(size);
    }
    at += static_cast<ssize_t>(size);
  }
  return length;
}

ssize_t no_attribute() {
  errno = ENODATA;
  return -1;
}

}  // namespace

VFS_INTERPOSE(int, statfs, (const char* path, struct statfs* result)) {
  return with_real_path("statfs", path, Follow::yes, Need::any,
                        [&](const char* real) { return VFS_NEXT(statfs)(real, result); });
}
VFS_ALIAS(statfs64, statfs);

VFS_INTERPOSE(int, statvfs, (const char* path, struct statvfs* result)) {
  return with_real_path("statvfs", path, Follow::yes, Need::any,
                        [&](const char* real) { return VFS_NEXT(statvfs)(real, result); });
}
VFS_ALIAS(statvfs64, statvfs);

VFS_INTERPOSE(long, pathconf, (const char* path, int name)) {
  return with_real_path("pathconf", path, Follow::yes, Need::any,
                        [&](const char* real) { return VFS_NEXT(pathconf)(real, name); });
}

VFS_INTERPOSE(int, inotify_add_watch, (int fd, const char* path, uint32_t mask)) {
  const Follow follow = (mask & IN_DONT_FOLLOW) != 0 ? Follow::no : Follow::yes;
  return with_real_path("inotify_add_watch", path, follow, Need::any, [&](const char* real) {
    return VFS_NEXT(inotify_add_watch)(fd, real, mask);
  });
}

VFS_INTERPOSE(ssize_t, getxattr, (const char* path, const char* name, void* value, size_t size)) {
  if (shim::engaged() && is_hidden_attribute(name)) return no_attribute();
  return with_real_path("getxattr", path, Follow::yes, Need::any, [&](const char* real) {
    return VFS_NEXT(getxattr)(real, name, value, size);
  });
}
VFS_INTERPOSE(ssize_t, lgetxattr, (const char* path, const char* name, void* value, size_t size)) {
  if (shim::engaged() && is_hidden_attribute(name)) return no_attribute();
  return with_real_path("lgetxattr", path, Follow::no, Need::any, [&](const char* real) {
    return VFS_NEXT(lgetxattr)(real, name, value, size);
  });
}
VFS_INTERPOSE(ssize_t, listxattr, (const char* path, char* list, size_t size)) {
  return with_real_path("listxattr", path, Follow::yes, Need::any, [&](const char* real) {
    return without_hidden(size != 0 ? list : nullptr, VFS_NEXT(listxattr)(real, list, size));
  });
}
VFS_INTERPOSE(ssize_t, llistxattr, (const char* path, char* list, size_t size)) {
  return with_real_path("llistxattr", path, Follow::no, Need::any, [&](const char* real) {
    return without_hidden(size != 0 ? list : nullptr, VFS_NEXT(llistxattr)(real, list, size));
  });
}
VFS_INTERPOSE(int, setxattr,
              (const char* path, const char* name, const void* value, size_t size, int flags)) {
  return with_real_path("setxattr", path, Follow::yes, Need::draft, [&](const char* real) {
    return VFS_NEXT(setxattr)(real, name, value, size, flags);
  });
}
VFS_INTERPOSE(int, lsetxattr,
              (const char* path, const char* name, const void* value, size_t size, int flags)) {
  return with_real_path("lsetxattr", path, Follow::no, Need::draft, [&](const char* real) {
    return VFS_NEXT(lsetxattr)(real, name, value, size, flags);
  });
}
VFS_INTERPOSE(int, removexattr, (const char* path, const char* name)) {
  return with_real_path("removexattr", path, Follow::yes, Need::draft, [&](const char* real) {
    return VFS_NEXT(removexattr)(real, name);
  });
}
VFS_INTERPOSE(int, lremovexattr, (const char* path, const char* name)) {
  return with_real_path("lremovexattr", path, Follow::no, Need::draft, [&](const char* real) {
    return VFS_NEXT(lremovexattr)(real, name);
  });
}

namespace {

// By descriptor only the calls that change something matter: they must not
// reach an object or the live base.
template <typename Pass>
int change_attribute(int fd, Pass pass) {
  if (shim::engaged()) {
    const int result = shim::make_descriptor_draft(fd);
    if (result != 0) return shim::answer(result);
  }
  return pass();
}

}  // namespace

VFS_INTERPOSE(int, fsetxattr,
              (int fd, const char* name, const void* value, size_t size, int flags)) {
  return change_attribute(fd, [&] { return VFS_NEXT(fsetxattr)(fd, name, value, size, flags); });
}
VFS_INTERPOSE(ssize_t, flistxattr, (int fd, char* list, size_t size)) {
  const ssize_t length = VFS_NEXT(flistxattr)(fd, list, size);
  return shim::engaged() ? without_hidden(size != 0 ? list : nullptr, length) : length;
}
VFS_INTERPOSE(ssize_t, fgetxattr, (int fd, const char* name, void* value, size_t size)) {
  if (shim::engaged() && is_hidden_attribute(name)) return no_attribute();
  return VFS_NEXT(fgetxattr)(fd, name, value, size);
}
VFS_INTERPOSE(int, fremovexattr, (int fd, const char* name)) {
  return change_attribute(fd, [&] { return VFS_NEXT(fremovexattr)(fd, name); });
}
