// Calls that make, remove and rename names, and readlink.
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/interpose.h"
#include "shim/locate.h"
#include "vfs/core/names.h"
#include "vfs/core/sys.h"

extern "C" {
int __xmknod(int version, const char* path, mode_t mode, dev_t* device);
int __xmknodat(int version, int dirfd, const char* path, mode_t mode, dev_t* device);
ssize_t __readlink_chk(const char* path, char* buffer, size_t size, size_t buffer_size);
ssize_t __readlinkat_chk(int dirfd, const char* path, char* buffer, size_t size,
                         size_t buffer_size);
void __chk_fail(void) __attribute__((noreturn));
}

namespace {

using shim::on_path;
using shim::workspace;
using vfs::Follow;
using vfs::Lookup;

// The name a call makes has no trailing slash followed: "link/" where link is
// dangling is not the target's name.
template <typename Act, typename Pass>
int name_at(const char* call, int dirfd, const char* path, Act act, Pass pass) {
  return on_path(
      call, dirfd, path, Follow::name,
      [&](const Lookup& found) { return static_cast<long>(act(found)); }, pass);
}

template <typename Pass>
int unlink_at(const char* call, int dirfd, const char* path, int flags, Pass pass) {
  return name_at(
      call, dirfd, path,
      [&](const Lookup& found) {
        if ((flags & ~AT_REMOVEDIR) != 0) return -EINVAL;
        return (flags & AT_REMOVEDIR) != 0 ? vfs::remove_directory(workspace, found)
                                           : vfs::remove_file(workspace, found);
      },
      pass);
}

// Calls with two paths. If only one of them is in the tree, no link or rename
// can join them: EXDEV, as between two file systems.
template <typename Act, typename Pass>
int on_two_paths(const char* call, int from_dirfd, const char* from, Follow follow, int to_dirfd,
                 const char* to, Act act, Pass pass) {
  if (!shim::engaged() || from == nullptr || to == nullptr) {
    return pass(from_dirfd, from, to_dirfd, to);
  }
  shim::LocatedPath source;
  shim::LocatedPath target;
  long result = -ESTALE;
  for (int i = 0; i < shim::kAttempts && result == -ESTALE; ++i) {
    shim::locate(from_dirfd, from, follow, source);
    shim::locate(to_dirfd, to, Follow::name, target);
    const bool source_inside = source.where == shim::Where::inside;
    const bool target_inside = target.where == shim::Where::inside;
    if (source.where == shim::Where::failed) {
      result = source.error;
    } else if (target.where == shim::Where::failed) {
      result = target.error;
    } else if (source_inside && target_inside) {
      result = act(source.found, target.found);
    } else if (source_inside || target_inside) {
      result = source_inside && !source.found.exists() ? -ENOENT : -EXDEV;
    } else {
      const shim::Passed a = shim::pass_on(source, from_dirfd, from);
      const shim::Passed b = shim::pass_on(target, to_dirfd, to);
      return pass(a.dirfd, a.path, b.dirfd, b.path);
    }
  }
  shim::log(call, from, to, result);
  return shim::answer(result);
}

template <typename Pass>
int rename_at(int from_dirfd, const char* from, int to_dirfd, const char* to, unsigned flags,
              Pass pass) {
  return on_two_paths(
      "rename", from_dirfd, from, Follow::name, to_dirfd, to,
      [&](const Lookup& source, const Lookup& target) {
        return static_cast<long>(vfs::rename_entry(workspace, source, target, flags));
      },
      pass);
}

template <typename Pass>
int symlink_at(const char* target, int dirfd, const char* path, Pass pass) {
  return name_at(
      "symlink", dirfd, path,
      [&](const Lookup& found) { return vfs::make_symbolic_link(workspace, target, found); },
      pass);
}

template <typename Pass>
int node_at(const char* call, int dirfd, const char* path, mode_t mode, dev_t device, Pass pass) {
  return name_at(
      call, dirfd, path,
      [&](const Lookup& found) { return vfs::make_node(workspace, found, mode, device); }, pass);
}

template <typename Pass>
int mkdir_at(int dirfd, const char* path, mode_t mode, Pass pass) {
  return name_at(
      "mkdir", dirfd, path,
      [&](const Lookup& found) { return vfs::make_directory(workspace, found, mode); }, pass);
}

}  // namespace

VFS_INTERPOSE(int, mkdir, (const char* path, mode_t mode)) {
  return mkdir_at(AT_FDCWD, path, mode,
                  [&](int, const char* real) { return VFS_NEXT(mkdir)(real, mode); });
}
VFS_INTERPOSE(int, mkdirat, (int dirfd, const char* path, mode_t mode)) {
  return mkdir_at(dirfd, path, mode, [&](int directory, const char* real) {
    return VFS_NEXT(mkdirat)(directory, real, mode);
  });
}

VFS_INTERPOSE(int, mknod, (const char* path, mode_t mode, dev_t device)) {
  return node_at("mknod", AT_FDCWD, path, mode, device,
                 [&](int, const char* real) { return VFS_NEXT(mknod)(real, mode, device); });
}
VFS_INTERPOSE(int, mknodat, (int dirfd, const char* path, mode_t mode, dev_t device)) {
  return node_at("mknod", dirfd, path, mode, device, [&](int directory, const char* real) {
    return VFS_NEXT(mknodat)(directory, real, mode, device);
  });
}
VFS_INTERPOSE(int, __xmknod, (int version, const char* path, mode_t mode, dev_t* device)) {
  return node_at("mknod", AT_FDCWD, path, mode, *device, [&](int, const char* real) {
    return VFS_NEXT(__xmknod)(version, real, mode, device);
  });
}
VFS_INTERPOSE(int, __xmknodat,
              (int version, int dirfd, const char* path, mode_t mode, dev_t* device)) {
  return node_at("mknod", dirfd, path, mode, *device, [&](int directory, const char* real) {
    return VFS_NEXT(__xmknodat)(version, directory, real, mode, device);
  });
}
VFS_INTERPOSE(int, mkfifo, (const char* path, mode_t mode)) {
  return node_at("mkfifo", AT_FDCWD, path, S_IFIFO | (mode & 07777), 0,
                 [&](int, const char* real) { return VFS_NEXT(mkfifo)(real, mode); });
}
VFS_INTERPOSE(int, mkfifoat, (int dirfd, const char* path, mode_t mode)) {
  return node_at("mkfifo", dirfd, path, S_IFIFO | (mode & 07777), 0,
                 [&](int directory, const char* real) {
                   return VFS_NEXT(mkfifoat)(directory, real, mode);
                 });
}

VFS_INTERPOSE(int, symlink, (const char* target, const char* path)) {
  return symlink_at(target, AT_FDCWD, path,
                    [&](int, const char* real) { return VFS_NEXT(symlink)(target, real); });
}
VFS_INTERPOSE(int, symlinkat, (const char* target, int dirfd, const char* path)) {
  return symlink_at(target, dirfd, path, [&](int directory, const char* real) {
    return VFS_NEXT(symlinkat)(target, directory, real);
  });
}

VFS_INTERPOSE(int, link, (const char* from, const char* to)) {
  return on_two_paths(
      "link", AT_FDCWD, from, Follow::no, AT_FDCWD, to,
      [](const Lookup& source, const Lookup& target) {
        return static_cast<long>(vfs::make_hard_link(workspace, source, target));
      },
      [](int, const char* a, int, const char* b) { return VFS_NEXT(link)(a, b); });
}
VFS_INTERPOSE(int, linkat,
              (int from_dirfd, const char* from, int to_dirfd, const char* to, int flags)) {
  if (from != nullptr && *from == '\0' && (flags & AT_EMPTY_PATH) != 0 && shim::engaged()) {
    // A descriptor gets a name: of an inode of upper (O_TMPFILE) it can.
    shim::make_descriptor_draft(from_dirfd);
    return name_at(
        "linkat", to_dirfd, to,
        [&](const Lookup& target) { return vfs::link_descriptor(workspace, from_dirfd, target); },
        [&](int directory, const char* real) {
          return VFS_NEXT(linkat)(from_dirfd, from, directory, real, flags);
        });
  }
  const Follow follow = (flags & AT_SYMLINK_FOLLOW) != 0 ? Follow::yes : Follow::no;
  // "/proc/self/fd/N" with AT_SYMLINK_FOLLOW names an unnamed inode.
  const int fd = follow == Follow::yes && from != nullptr ? shim::descriptor_of_path(from) : -1;
  if (fd >= 0 && shim::engaged()) {
    return name_at(
        "linkat", to_dirfd, to,
        [&](const Lookup& target) { return vfs::link_descriptor(workspace, fd, target); },
        [&](int directory, const char* real) {
          return VFS_NEXT(linkat)(from_dirfd, from, directory, real, flags);
        });
  }
  return on_two_paths(
      "linkat", from_dirfd, from, follow, to_dirfd, to,
      [](const Lookup& source, const Lookup& target) {
        return static_cast<long>(vfs::make_hard_link(workspace, source, target));
      },
      [&](int a_dirfd, const char* a, int b_dirfd, const char* b) {
        return VFS_NEXT(linkat)(a_dirfd, a, b_dirfd, b, flags);
      });
}

VFS_INTERPOSE(int, unlink, (const char* path)) {
  return unlink_at("unlink", AT_FDCWD, path, 0,
                   [](int, const char* real) { return VFS_NEXT(unlink)(real); });
}
VFS_INTERPOSE(int, unlinkat, (int dirfd, const char* path, int flags)) {
  return unlink_at("unlinkat", dirfd, path, flags, [&](int directory, const char* real) {
    return VFS_NEXT(unlinkat)(directory, real, flags);
  });
}
VFS_INTERPOSE(int, rmdir, (const char* path)) {
  return unlink_at("rmdir", AT_FDCWD, path, AT_REMOVEDIR,
                   [](int, const char* real) { return VFS_NEXT(rmdir)(real); });
}
VFS_INTERPOSE(int, remove, (const char* path)) {
  return name_at(
      "remove", AT_FDCWD, path,
      [](const Lookup& found) {
        return found.is_directory() ? vfs::remove_directory(workspace, found)
                                    : vfs::remove_file(workspace, found);
      },
      [](int, const char* real) { return VFS_NEXT(remove)(real); });
}

VFS_INTERPOSE(int, rename, (const char* from, const char* to)) {
  return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0,
                   [](int, const char* a, int, const char* b) { return VFS_NEXT(rename)(a, b); });
}
VFS_INTERPOSE(int, renameat, (int from_dirfd, const char* from, int to_dirfd, const char* to)) {
  return rename_at(from_dirfd, from, to_dirfd, to, 0,
                   [](int a_dirfd, const char* a, int b_dirfd, const char* b) {
                     return VFS_NEXT(renameat)(a_dirfd, a, b_dirfd, b);
                   });
}
VFS_INTERPOSE(int, renameat2,
              (int from_dirfd, const char* from, int to_dirfd, const char* to, unsigned flags)) {
  return rename_at(from_dirfd, from, to_dirfd, to, flags,
                   [&](int a_dirfd, const char* a, int b_dirfd, const char* b) {
                     return VFS_NEXT(renameat2)(a_dirfd, a, b_dirfd, b, flags);
                   });
}

namespace {

// Links of /proc that lead to a draft or an object have to be read as the
// virtual path; gives the new length.
ssize_t translate_target(const char* path, char* buffer, ssize_t length, size_t size) {
  vfs::PathBuffer rest;
  if (length <= 0 || (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/dev/", 5) != 0)) {
    return length;
  }
  const uint32_t count = static_cast<uint32_t>(length);
  vfs::PathBuffer target;
  if (!target.assign(buffer, count)) return length;
  shim::Located located;
  const int fd = shim::descriptor_of_path(path);
  if (fd >= 0) {
    shim::locate_descriptor(fd, located);
    if (located.place == shim::Place::elsewhere || !located.path_known) return length;
    rest.assign(located.path);
  } else if (!workspace.to_virtual(target.text, target.length, rest)) {
    return length;
  }
  if (!workspace.live_path(rest, target)) return length;
  const size_t fits = target.length < size ? target.length : size;
  memcpy(buffer, target.text, fits);
  return static_cast<ssize_t>(fits);
}

template <typename Pass>
ssize_t readlink_at(int dirfd, const char* path, char* buffer, size_t size, Pass pass) {
  const auto act = [&](const Lookup& found) -> long {
    if (!found.exists()) return -ENOENT;
    if (!found.is_link()) return -EINVAL;
    if (static_cast<ssize_t>(size) <= 0) return -EINVAL;
    vfs::PathBuffer target;
    const int result = vfs::read_link(workspace, found, target);
    if (result != 0) return result;
    const size_t fits = target.length < size ? target.length : size;
    memcpy(buffer, target.text, fits);
    return static_cast<long>(fits);
  };
  const ssize_t length = on_path("readlink", dirfd, path, Follow::no, act, pass);
  return shim::engaged() && path != nullptr ? translate_target(path, buffer, length, size)
                                            : length;
}

}  // namespace

VFS_INTERPOSE(ssize_t, readlink, (const char* path, char* buffer, size_t size)) {
  return readlink_at(AT_FDCWD, path, buffer, size, [&](int, const char* real) {
    return VFS_NEXT(readlink)(real, buffer, size);
  });
}
VFS_INTERPOSE(ssize_t, readlinkat, (int dirfd, const char* path, char* buffer, size_t size)) {
  return readlink_at(dirfd, path, buffer, size, [&](int directory, const char* real) {
    return VFS_NEXT(readlinkat)(directory, real, buffer, size);
  });
}
VFS_INTERPOSE(ssize_t, __readlink_chk,
              (const char* path, char* buffer, size_t size, size_t buffer_size)) {
  if (size > buffer_size) __chk_fail();
  return interposed_readlink(path, buffer, size);
}
VFS_INTERPOSE(ssize_t, __readlinkat_chk,
              (int dirfd, const char* path, char* buffer, size_t size, size_t buffer_size)) {
  if (size > buffer_size) __chk_fail();
  return interposed_readlinkat(dirfd, path, buffer, size);
}
