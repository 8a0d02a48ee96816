// Calls that need no more than the real path behind a virtual one: file system
// statistics, limits, watches, extended attributes.
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shim/table.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/identity.h"
#include "vfs/core/open.h"
#include "vfs/core/permission.h"
#include "vfs/core/sys.h"

namespace {

using shim::follow;
using shim::no_follow;
using shim::Role;
using shim::workspace;
using vfs::Lookup;

using watch_links = shim::follow_unless<IN_DONT_FOLLOW, ~0>;
using mark_links = shim::follow_unless<FAN_MARK_DONT_FOLLOW, ~0>;
using handle_links = shim::follow_if<AT_SYMLINK_FOLLOW, ~0>;

// Of what is there now.
struct RealPath {
  static constexpr bool kLooks = true;
  static long real(const Lookup& found, const auto&, vfs::PathBuffer& real) {
    return vfs::real_path(workspace, found, real);
  }
};

// What is watched has to be the inode that will be written, and the directory
// that new names will appear in: those of upper.
struct Watched {
  static constexpr bool kLooks = true;
  static long real(const Lookup& found, const auto&, vfs::PathBuffer& real) {
    if (!found.exists()) return -ENOENT;
    const int allowed = vfs::check_access(found.status, R_OK, true);
    if (allowed != 0) return allowed;
    const int result = vfs::copy_up(workspace, found, vfs::Content::keep);
    // An inode that cannot be had is watched where it is: better than not at all.
    if (result == -ESTALE) return result;
    if (result != 0) return vfs::real_path(workspace, found, real);
    return workspace.upper_path(found.path, real) ? 0 : -ENAMETOOLONG;
  }
};

bool is_hidden_attribute(const char* name) {
  return shim::is_string(name) &&
         strncmp(name, vfs::kOwnAttributes, sizeof(vfs::kOwnAttributes) - 1) == 0;
}

// Takes our own attributes out of a list of names; gives the new length.
ssize_t without_hidden(char* list, ssize_t length) {
  for (ssize_t at = 0; at < length;) {
    const ssize_t size = static_cast<ssize_t>(strlen(list + at)) + 1;
    if (is_hidden_attribute(list + at)) {
      memmove(list + at, list + at + size, static_cast<size_t>(length - at - size));
      length -= size;
    } else {
      at += size;
    }
  }
  return length;
}

struct ReadAttribute {
  static constexpr bool kLooks = true;
  static long real(const Lookup& found, const auto& call, vfs::PathBuffer& real) {
    const int result = vfs::real_path(workspace, found, real);
    if (result == 0 && is_hidden_attribute(call.template get<Role::name>())) return -ENODATA;
    return result;
  }
};

// The names without our own. Read into a buffer of ours, since the caller's
// may be just large enough for what it is to see. `list(buffer, size)` is the
// kernel's call, with a negative errno.
template <typename List>
long list_attributes(List list, char* out, size_t size) {
  char names[8 * 1024];
  const long all = list(names, sizeof(names));
  if (all == -ERANGE) return list(out, size);  // more than anyone has
  if (all <= 0) return all;
  const long length = without_hidden(names, all);
  if (size == 0) return length;
  if (static_cast<size_t>(length) > size) return -ERANGE;
  if (!shim::is_writable(out, static_cast<size_t>(length))) return -EFAULT;
  memcpy(out, names, static_cast<size_t>(length));
  return length;
}

struct ListAttributes {
  static constexpr bool kLooks = true;
  static long found(const Lookup& found, const auto& call) {
    vfs::PathBuffer real;
    const int result = vfs::real_path(workspace, found, real);
    if (result != 0) return result;
    return list_attributes(
        [&](char* buffer, size_t size) {
          return vfs::sys::call(SYS_llistxattr, vfs::sys::as_argument(real.text),
                                vfs::sys::as_argument(buffer), size);
        },
        call.template get<Role::buffer>(), call.template get<Role::size>());
  }
};

// As the kernel asks it: the program's own attributes of who may write, all
// others of the owner.
int check_attribute_change(const Lookup& found, const char* name) {
  if (!shim::is_string(name)) return -EFAULT;
  if (strncmp(name, "user.", 5) != 0) return vfs::is_owner(found.status) ? 0 : -EPERM;
  const bool sticky = found.is_directory() && (found.status.st_mode & S_ISVTX) != 0;
  if (sticky && !vfs::is_owner(found.status)) return -EPERM;
  return vfs::check_access(found.status, W_OK, true);
}

// Of a draft, since the call changes something.
struct ChangeAttribute {
  static long real(const Lookup& found, const auto& call, vfs::PathBuffer& real) {
    if (!found.exists()) return vfs::real_path(workspace, found, real);
    if (is_hidden_attribute(call.template get<Role::name>())) return -EPERM;
    int result = check_attribute_change(found, call.template get<Role::name>());
    if (result == 0) result = vfs::copy_up(workspace, found, vfs::Content::keep);
    if (result != 0) return result;
    return workspace.upper_path(found.path, real) ? 0 : -ENAMETOOLONG;
  }
};

// A draft for the kernel itself to write to (accounting).
struct Draft {
  static long real(const Lookup& found, const auto&, vfs::PathBuffer& real) {
    return vfs::prepare_open(workspace, found, O_WRONLY, real);
  }
};

// What cannot be true of a virtual directory.
struct RefuseRoot {
  static long found(const Lookup& found, const auto&) {
    if (!found.exists()) return -ENOENT;
    return found.is_directory() ? -EPERM : -ENOTDIR;
  }
};

// A handle would name the real inode, past the layer: there are none, as on
// many file systems, and callers know how to do without.
struct NoHandle {
  static constexpr bool kLooks = true;
  static long found(const Lookup& found, const auto&) {
    return found.exists() ? -EOPNOTSUPP : -ENOENT;
  }
  static int empty_path(const auto& call) {
    shim::Located located;
    shim::locate_descriptor(call.template get<Role::dirfd>(), located);
    return located.place == shim::Place::elsewhere ? call.pass() : shim::answer(-EOPNOTSUPP);
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
  if (!shim::engaged()) return VFS_NEXT(flistxattr)(fd, list, size);
  return shim::answer<ssize_t>(list_attributes(
      [&](char* buffer, size_t room) {
        return vfs::sys::call(SYS_flistxattr, fd, vfs::sys::as_argument(buffer), room);
      },
      list, size));
}
VFS_INTERPOSE(ssize_t, fgetxattr, (int fd, const char* name, void* value, size_t size)) {
  if (shim::engaged() && is_hidden_attribute(name)) return shim::answer<ssize_t>(-ENODATA);
  return VFS_NEXT(fgetxattr)(fd, name, value, size);
}
VFS_INTERPOSE(int, fremovexattr, (int fd, const char* name)) {
  return change_attribute(fd, [&] { return VFS_NEXT(fremovexattr)(fd, name); });
}

VFS_INTERPOSE(key_t, ftok, (const char* path, int project)) {
  struct stat status;
  if (stat(path, &status) != 0) return -1;
  return static_cast<key_t>((status.st_ino & 0xffff) | ((status.st_dev & 0xff) << 16) |
                            (static_cast<unsigned>(project & 0xff) << 24));
}

#define VFS_TABLE_REAL_PATHS
#include "shim/entry_points.def"
