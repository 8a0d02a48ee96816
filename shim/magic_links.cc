#include "shim/magic_links.h"

#include "shim/locate.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

bool has_prefix(const char* text, const char* prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
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

bool is_directory(int fd) {
  struct stat status;
  return vfs::sys::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) && status.st_nlink != 0;
}

}  // namespace

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
      for (const char* name : {"cwd", "exe", "root"}) {
        const char* end = what + strlen(name);
        if (has_prefix(what, name) && (*end == '/' || *end == '\0')) {
          return static_cast<uint32_t>(end - path);
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

bool resolve_magic_link(const char* path, uint32_t length, vfs::PathBuffer& rest) {
  if (activity.load(std::memory_order_relaxed) != Activity::active) return false;
  const int fd = descriptor_of_link(path, length);
  if (fd >= 0) {
    Located located;
    locate_descriptor(fd, located);
    if (located.place == Place::elsewhere || !located.path_known) return false;
    // A real inode is the kernel's to open again, whatever its name is now. But
    // a directory of upper is only a part of what it stands for.
    if (located.place == Place::upper && path[length] == '\0' && !is_directory(fd)) return false;
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

int descriptor_of_path(const char* path) {
  const uint32_t length = magic_link_length(path);
  return length != 0 && path[length] == '\0' ? descriptor_of_link(path, length) : -1;
}

}  // namespace shim
