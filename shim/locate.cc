#include "shim/locate.h"

#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

bool has_prefix(const char* text, const char* prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

// /proc/self/fd/N, /dev/fd/N, /dev/stdin, /proc/self/cwd/...: links that the
// kernel follows to real inodes. One that leads to something of ours has to be
// answered as the path it stands for. Gives the length of the link's name in
// `path`, or 0.
uint32_t magic_link_length(const char* path) {
  if (path[0] != '/' || (path[1] != 'p' && path[1] != 'd')) return 0;
  if (has_prefix(path, "/dev/std")) {
    for (const char* name : {"/dev/stdin", "/dev/stdout", "/dev/stderr"}) {
      if (strcmp(path, name) == 0) return static_cast<uint32_t>(strlen(name));
    }
    return 0;
  }
  const char* rest = nullptr;
  if (has_prefix(path, "/dev/fd/")) {
    rest = path + 8;
  } else if (has_prefix(path, "/proc/")) {
    const char* process = path + 6;
    const char* slash = strchr(process, '/');
    if (slash == nullptr) return 0;
    const char* what = slash + 1;
    if (has_prefix(what, "task/")) {
      slash = strchr(what + 5, '/');
      if (slash == nullptr) return 0;
      what = slash + 1;
    }
    if (has_prefix(what, "fd/")) {
      rest = what + 3;
    } else {
      for (const char* name : {"cwd", "exe"}) {
        if (has_prefix(what, name) && (what[3] == '/' || what[3] == '\0')) {
          return static_cast<uint32_t>(what + 3 - path);
        }
      }
      return 0;
    }
  }
  if (rest == nullptr || *rest < '0' || *rest > '9') return 0;
  const char* end = rest;
  while (*end >= '0' && *end <= '9') ++end;
  return *end == '\0' || *end == '/' ? static_cast<uint32_t>(end - path) : 0;
}

// The descriptor number that a magic link of this process names, or -1.
int descriptor_of_link(const char* path, uint32_t length) {
  if (has_prefix(path, "/dev/stdin")) return 0;
  if (has_prefix(path, "/dev/stdout")) return 1;
  if (has_prefix(path, "/dev/stderr")) return 2;
  if (has_prefix(path, "/proc/") && path[6] >= '0' && path[6] <= '9') {
    long process = 0;
    for (const char* c = path + 6; *c >= '0' && *c <= '9' && process < 1l << 32; ++c) {
      process = process * 10 + (*c - '0');
    }
    if (process != vfs::sys::call(SYS_getpid)) return -1;
  } else if (!has_prefix(path, "/dev/fd/") && !has_prefix(path, "/proc/self/fd/") &&
             !has_prefix(path, "/proc/thread-self/fd/")) {
    return -1;
  }
  int fd = 0;
  const char* digits = path + length;
  if (digits[-1] < '0' || digits[-1] > '9') return -1;  // .../cwd, .../exe
  while (digits[-1] >= '0' && digits[-1] <= '9') --digits;
  while (*digits >= '0' && *digits <= '9' && fd < 100'000'000) fd = fd * 10 + (*digits++ - '0');
  return fd;
}

// Whether a file of the live base has been renamed or removed since the
// descriptor was opened: then its path says nothing of it any more.
bool is_moved(int fd, const vfs::PathBuffer& path) {
  struct stat status;
  vfs::Lookup found;
  if (vfs::sys::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return vfs::look_up_canonical(workspace, path, found) != 0 || !found.exists() ||
         found.status.st_ino != status.st_ino;
}

// True if the magic link leads into the tree; gives the path relative to root.
bool resolve_magic_link(const char* path, vfs::PathBuffer& rest) {
  const uint32_t length = magic_link_length(path);
  if (length == 0) return false;
  const int fd = descriptor_of_link(path, length);
  if (fd >= 0) {
    Located located;
    locate_descriptor(fd, located);
    // A real inode is the kernel's to open again, whatever its name is now.
    if (located.place == Place::elsewhere || located.place == Place::upper ||
        !located.path_known) {
      if (located.place != Place::upper || path[length] == '\0') return false;
    }
    if (located.place == Place::live && is_moved(fd, located.path)) return false;
    rest.assign(located.path);
  } else {
    vfs::PathBuffer link;
    vfs::PathBuffer target;
    link.assign(path, length);
    const long count = vfs::sys::readlink(link.text, target.text, sizeof(target.text) - 1);
    if (count <= 0) return false;
    target.truncate(static_cast<uint32_t>(count));
    if (!workspace.to_virtual(target.text, target.length, rest)) return false;
  }
  if (rest.length == 0) rest.assign(".");
  return rest.append(path + length);
}

void refuse_if_below_broken_root(const char* path, LocatedPath& located) {
  vfs::PathBuffer rest;
  vfs::PathBuffer here;
  const char* absolute = path;
  if (path[0] != '/') {
    const long length = vfs::sys::getcwd(here.text, sizeof(here.text));
    if (length <= 0) return;
    here.truncate(static_cast<uint32_t>(length - 1));
    if (!here.append_character('/') || !here.append(path)) return;
    absolute = here.text;
  }
  if (vfs::enter_workspace(workspace, absolute, rest)) {
    located.where = Where::failed;
    located.error = -EIO;
  }
}

// --- links from outside into the workspace ------------------------------------
//
// An aliased home directory must not be a way around the layer. The directory
// part of an outside path is resolved by the kernel once a process and then
// remembered; a link as the last component costs one readlink. Paths of the
// system are exempt, so that what every program does costs nothing.

bool is_system_path(const char* path) {
  for (const char* prefix : {"/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/bin/",
                             "/sbin/", "/run/"}) {
    if (has_prefix(path, prefix)) return true;
  }
  return false;
}

constexpr int kMaximumAliases = 8;  // ways out and in again of one path
constexpr uint32_t kOutsideDirectories = 512;
std::atomic<uint64_t> outside_directories[kOutsideDirectories];

// The canonical name of the longest part of `path` that exists; cuts `path`
// down to that part.
bool canonical_part(vfs::PathBuffer& path, vfs::PathBuffer& name) {
  while (path.length > 1) {
    const int fd = vfs::sys::open(path.text, O_PATH | O_CLOEXEC);
    if (fd >= 0) {
      const bool known = vfs::name_of_descriptor(fd, name);
      vfs::sys::close(fd);
      return known;
    }
    path.pop();
  }
  return false;
}

bool enter_through_directory(const char* path, vfs::PathBuffer& rest) {
  vfs::PathBuffer directory;
  const char* last = strrchr(path, '/');
  if (last == path || !directory.assign(path, static_cast<size_t>(last - path))) return false;
  const uint64_t key = vfs::path_hash_append(1, directory.text, directory.length) | 1;
  std::atomic<uint64_t>& slot = outside_directories[key / 2 % kOutsideDirectories];
  if (slot.load(std::memory_order_relaxed) == key) return false;
  const uint32_t whole = directory.length;
  vfs::PathBuffer name;
  if (!canonical_part(directory, name)) return false;
  if (workspace.to_virtual(name.text, name.length, rest)) {
    // At the root itself `rest` is empty: no slash at its front then.
    const char* below = path + directory.length;
    return rest.append(rest.length == 0 ? below + 1 : below);
  }
  if (directory.length == whole) slot.store(key, std::memory_order_relaxed);
  return false;
}

bool enter_through_link(const char* path, vfs::PathBuffer& rest, int depth) {
  vfs::PathBuffer target;
  const long length = vfs::sys::readlink(path, target.text, sizeof(target.text) - 1);
  if (length <= 0 || depth > kMaximumAliases) return false;
  target.truncate(static_cast<uint32_t>(length));
  vfs::PathBuffer absolute;
  if (target.text[0] != '/') {
    absolute.assign(path);
    absolute.pop();
    if (!absolute.append_character('/')) return false;
  }
  if (!absolute.append(target.text, target.length)) return false;
  return vfs::enter_workspace(workspace, absolute.text, rest) ||
         enter_through_directory(absolute.text, rest) ||
         enter_through_link(absolute.text, rest, depth + 1);
}

bool enter_through_alias(const char* path, vfs::Follow follow, vfs::PathBuffer& rest) {
  if (is_system_path(path)) return false;
  return enter_through_directory(path, rest) ||
         (follow == vfs::Follow::yes && enter_through_link(path, rest, 0));
}

void locate_from(const vfs::PathBuffer& start, const char* path, vfs::Follow follow,
                 LocatedPath& located, int depth = 0) {
  located.error = vfs::look_up(workspace, start, path, follow, located.found);
  if (located.error != 0) {
    located.where = Where::failed;
    return;
  }
  located.where = located.found.inside ? Where::inside : Where::outside;
  // Out of the tree, and perhaps back in through a link from outside.
  vfs::PathBuffer rest;
  const char* outside = located.found.path.text;
  if (located.where == Where::outside && depth < kMaximumAliases &&
      ((follow == vfs::Follow::yes && resolve_magic_link(outside, rest)) ||
       enter_through_alias(outside, follow, rest))) {
    const vfs::PathBuffer top;
    locate_from(top, rest.text, follow, located, depth + 1);
  }
}

// A relative path from a directory outside: it may still lead in, if the
// directory is above the root or the path climbs.
void locate_from_outside(const Directory& directory, const char* path, vfs::Follow follow,
                         LocatedPath& located) {
  const vfs::PathBuffer& root = workspace.root;
  const vfs::PathBuffer& here = directory.path;
  if (here.length == 0) return;
  const bool above_root =
      here.length == 1 || (here.length < root.length && root.text[here.length] == '/' &&
                           memcmp(root.text, here.text, here.length) == 0);
  const bool climbs = above_root || strstr(path, "..") != nullptr;
  vfs::PathBuffer absolute;
  vfs::PathBuffer rest;
  if (!absolute.assign(here) || !absolute.append_character('/') || !absolute.append(path)) return;
  if (!(climbs && vfs::enter_workspace(workspace, absolute.text, rest)) &&
      !enter_through_alias(absolute.text, follow, rest)) {
    return;
  }
  const vfs::PathBuffer top;
  locate_from(top, rest.text, follow, located);
}

}  // namespace

int descriptor_of_path(const char* path) {
  const uint32_t length = magic_link_length(path);
  return length != 0 && path[length] == '\0' ? descriptor_of_link(path, length) : -1;
}

void locate(int dirfd, const char* path, vfs::Follow follow, LocatedPath& located) {
  located.where = Where::untouched;
  located.error = 0;
  if (activity.load(std::memory_order_relaxed) == Activity::broken) {
    refuse_if_below_broken_root(path, located);
    return;
  }
  const vfs::PathBuffer top;
  vfs::PathBuffer rest;
  if (path[0] == '/') {
    if (vfs::enter_workspace(workspace, path, rest) ||
        (follow == vfs::Follow::yes && resolve_magic_link(path, rest)) ||
        enter_through_alias(path, follow, rest)) {
      locate_from(top, rest.text, follow, located);
    }
    return;
  }
  if (path[0] == '\0') return;  // ENOENT, or AT_EMPTY_PATH: the kernel's
  Directory directory;
  if (locate_directory(dirfd, directory) != 0) return;  // the kernel gives the error
  if (directory.inside) {
    locate_from(directory.path, path, follow, located);
  } else {
    locate_from_outside(directory, path, follow, located);
  }
}

}  // namespace shim
