// Calls that need no more than the real path behind a virtual one: file system
// statistics, limits, watches, extended attributes.
#include <string.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shim/table.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/identity.h"
#include "vfs/core/open.h"

namespace {

using shim::follow;
using shim::no_follow;
using shim::Role;
using shim::workspace;
using vfs::Lookup;

using watch_links = shim::follow_unless<IN_DONT_FOLLOW, ~0>;

// Of what is there now.
struct RealPath {
  static long real(const Lookup& found, const auto&, vfs::PathBuffer& real) {
    return vfs::real_path(workspace, found, real);
  }
};

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

struct ReadAttribute {
  static long real(const Lookup& found, const auto& call, vfs::PathBuffer& real) {
    const int result = vfs::real_path(workspace, found, real);
    if (result == 0 && is_hidden_attribute(call.template get<Role::name>())) return -ENODATA;
    return result;
  }
};

struct ListAttributes : RealPath {
  static ssize_t finish(const auto& call, ssize_t length) {
    const bool asked = call.template get<Role::size>() != 0;
    return without_hidden(asked ? call.template get<Role::buffer>() : nullptr, length);
  }
};

// Of a draft, since the call changes something.
struct ChangeAttribute {
  static long real(const Lookup& found, const auto& call, vfs::PathBuffer& real) {
    if (!found.exists()) return vfs::real_path(workspace, found, real);
    if (is_hidden_attribute(call.template get<Role::name>())) return -EPERM;
    const int result = vfs::copy_up(workspace, found, vfs::Content::keep);
    if (result != 0) return result;
    return workspace.upper_path(found.path, real) ? 0 : -ENAMETOOLONG;
  }
};

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
  if (shim::engaged() && is_hidden_attribute(name)) return shim::answer<ssize_t>(-ENODATA);
  return VFS_NEXT(fgetxattr)(fd, name, value, size);
}
VFS_INTERPOSE(int, fremovexattr, (int fd, const char* name)) {
  return change_attribute(fd, [&] { return VFS_NEXT(fremovexattr)(fd, name); });
}

#define VFS_TABLE_REAL_PATHS
#include "shim/entry_points.def"
