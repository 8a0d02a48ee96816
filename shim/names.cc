// Calls that make, remove and rename names.
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/table.h"
#include "vfs/core/names.h"

extern "C" {
int __xmknod(int version, const char* path, mode_t mode, dev_t* device);
int __xmknodat(int version, int dirfd, const char* path, mode_t mode, dev_t* device);
}

namespace {

using shim::new_name;
using shim::no_follow;
using shim::Role;
using shim::workspace;
using vfs::Lookup;

using link_links = shim::follow_if<AT_SYMLINK_FOLLOW, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH>;

struct unlink_links : new_name {
  static bool valid(const auto& call) {
    return (call.template get<Role::flags>() & ~AT_REMOVEDIR) == 0;
  }
};

struct MakeDirectory {
  static long found(const Lookup& found, const auto& call) {
    return vfs::make_directory(workspace, found, call.template get<Role::mode>());
  }
};

// __xmknod takes a pointer to the device number.
dev_t device_number(dev_t device) { return device; }
dev_t device_number(const dev_t* device) { return *device; }

struct MakeNode {
  static long found(const Lookup& found, const auto& call) {
    return vfs::make_node(workspace, found, call.template get<Role::mode>(),
                          device_number(call.template get<Role::device>()));
  }
};

struct MakeFifo {
  static long found(const Lookup& found, const auto& call) {
    return vfs::make_node(workspace, found, S_IFIFO | (call.template get<Role::mode>() & 07777), 0);
  }
};

struct MakeSymbolicLink {
  static long found(const Lookup& found, const auto& call) {
    const char* target = call.template get<Role::target>();
    if (!shim::is_string(target)) return -EFAULT;
    return vfs::make_symbolic_link(workspace, target, found);
  }
};

struct MakeHardLink {
  static constexpr bool source_first = true;
  static long found(const Lookup& source, const Lookup& target, const auto&) {
    return vfs::make_hard_link(workspace, source, target);
  }

  // "" with AT_EMPTY_PATH, and "/proc/self/fd/N" with AT_SYMLINK_FOLLOW: how an
  // unnamed inode (O_TMPFILE) gets a name.
  static int descriptor(const auto& call) {
    const int flags = call.template get_or<Role::flags>(0);
    const char* from = call.template get<Role::from>();
    if ((flags & AT_EMPTY_PATH) != 0 && *from == '\0') {
      return call.template get_or<Role::from_dirfd>(-1);
    }
    return (flags & AT_SYMLINK_FOLLOW) != 0 ? shim::descriptor_of_path(from) : -1;
  }

  // The inode itself only if it is of upper. An object or a file of the live
  // base must never get a name in upper, through which it could be written: it
  // is linked by the path that it still has.
  static long found_descriptor(int fd, const Lookup& target) {
    shim::Located held;
    struct stat status;
    shim::locate_descriptor(fd, held);
    if (fstat(fd, &status) != 0) return -errno;
    if (S_ISDIR(status.st_mode)) return -EPERM;
    if (held.place == shim::Place::elsewhere) return -EXDEV;
    if (held.place == shim::Place::upper) return vfs::link_descriptor(workspace, fd, target);
    Lookup source;
    if (!held.path_known || vfs::look_up_canonical(workspace, held.path, source) != 0 ||
        !source.exists() || source.status.st_ino != status.st_ino) {
      return -ENOENT;
    }
    return vfs::make_hard_link(workspace, source, target);
  }
};

struct Remove {
  static long found(const Lookup& found, const auto& call) {
    return (call.template get_or<Role::flags>(0) & AT_REMOVEDIR) != 0
               ? vfs::remove_directory(workspace, found)
               : vfs::remove_file(workspace, found);
  }
};
struct RemoveDirectory {
  static long found(const Lookup& found, const auto&) {
    return vfs::remove_directory(workspace, found);
  }
};
struct RemoveAny {
  static long found(const Lookup& found, const auto&) {
    return found.is_directory() ? vfs::remove_directory(workspace, found)
                                : vfs::remove_file(workspace, found);
  }
};

struct Rename {
  static constexpr bool source_first = false;
  static long found(const Lookup& source, const Lookup& target, const auto& call) {
    return vfs::rename_entry(workspace, source, target, call.template get_or<Role::flags>(0u));
  }
};

}  // namespace

#define VFS_TABLE_NAMES
#include "shim/entry_points.def"
