#include "shim/openat2.h"

#include <string.h>
#include <unistd.h>

#include "shim/aliases.h"
#include "shim/descriptors.h"
#include "shim/interpose.h"
#include "shim/open.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

long pass(int dirfd, const char* path, const struct open_how* how, size_t size) {
  return VFS_NEXT(syscall)(SYS_openat2, dirfd, path, how, size);
}

// Whether the kernel takes these arguments, found out without a path.
bool is_valid_how(const struct open_how* how, size_t size) {
  constexpr int kNoDescriptor = -1;
  const int saved = errno;
  if (pass(kNoDescriptor, "x", how, size) >= 0 || errno != EBADF) return false;
  errno = saved;
  return true;
}

// Where a restricted walk through the tree begins, and what it walks.
struct Course {
  vfs::PathBuffer start;
  vfs::PathBuffer path;
  uint64_t resolve;
};

enum class Leads : uint8_t {
  outside,  // never into the tree: the kernel judges all of it
  inside,   // starts in the tree: `course`
  mixed,    // from outside into the tree
};

Leads find_course(int dirfd, const char* path, uint64_t resolve, Course& course) {
  LocatedPath located;
  course.resolve = resolve;
  if (path[0] == '/' && (resolve & RESOLVE_IN_ROOT) == 0) {
    // The kernel refuses these at once, or at the first link of /proc.
    constexpr uint64_t kNoMagic = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    if ((resolve & RESOLVE_BENEATH) != 0) return Leads::outside;
    if (strncmp(path, "/proc/", 6) == 0 && (resolve & kNoMagic) != 0) return Leads::outside;
    if (vfs::enter_workspace(workspace, path, course.path)) {
      if (course.path.length == 0) course.path.assign(".");
      // Only a walk that did not begin at "/" has left its mount at an absolute link.
      course.resolve &= ~uint64_t{RESOLVE_NO_XDEV};
      return Leads::inside;
    }
  } else {
    Directory directory;
    if (locate_directory(dirfd, directory) != 0) return Leads::outside;  // the kernel's error
    if (directory.inside) {
      while (*path == '/') ++path;
      course.start.assign(directory.path);
      // Too long is nothing that can be walked, and not empty either.
      if (!course.path.assign(*path != '\0' ? path : ".")) return Leads::mixed;
      return Leads::inside;
    }
  }
  locate(dirfd, path, vfs::Follow::yes, located, {.needs = kNeedsNothing});
  return located.where == Where::inside || located.where == Where::failed ? Leads::mixed
                                                                          : Leads::outside;
}

long open_in_tree(const Course& course, const struct open_how* how, size_t size) {
  const int flags = static_cast<int>(how->flags);
  const vfs::Follow follow = follow_for_open(course.path.text, flags);
  vfs::Lookup found;
  bool left = false;
  const long result = retry_while_stale([&]() -> long {
    const int error = vfs::look_up_restricted(workspace, course.start, course.path.text, follow,
                                              course.resolve, found);
    left = error == 0 && !found.inside;
    if (error != 0 || left) return error;
    return open_found(found, flags, static_cast<mode_t>(how->mode));
  });
  if (left) return pass(AT_FDCWD, found.path.text, how, size);
  log("openat2", course.path.text, "tree", result);
  return answer<long>(result);
}

}  // namespace

long openat2(int dirfd, const char* path, const struct open_how* how, size_t size) {
  if (!is_string(path) || !is_readable(how)) return pass(dirfd, path, how, size);
  if (!is_valid_how(how, size)) return -1;
  if (how->resolve == 0) {
    return ::openat(dirfd, path, static_cast<int>(how->flags), static_cast<mode_t>(how->mode));
  }
  if (activity != Activity::active || path[0] == '\0') return pass(dirfd, path, how, size);
  Course course;
  switch (find_course(dirfd, path, how->resolve, course)) {
    case Leads::outside: return pass(dirfd, path, how, size);
    case Leads::mixed: return answer<long>(-ENOSYS);
    case Leads::inside: break;
  }
  // Only what needs no work may be answered; callers ask again without the flag.
  if ((how->resolve & RESOLVE_CACHED) != 0) return answer<long>(-EAGAIN);
  return open_in_tree(course, how, size);
}

}  // namespace shim
