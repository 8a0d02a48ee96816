// open, creat and their kin.
#include <stdarg.h>
#include <unistd.h>

#include "shim/interpose.h"
#include "shim/locate.h"
#include "shim/open.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

namespace shim {

vfs::Follow follow_for_open(const char* path, int flags) {
  const bool no_follow = (flags & O_NOFOLLOW) != 0;
  if ((flags & (O_CREAT | O_PATH)) != O_CREAT) return no_follow ? vfs::Follow::no : vfs::Follow::yes;
  if (!no_follow && (flags & O_EXCL) == 0) return vfs::Follow::create;
  // With a slash behind it the name cannot be made, whatever stands there.
  const size_t length = is_string(path) ? strlen(path) : 0;
  return length > 0 && path[length - 1] == '/' ? vfs::Follow::name : vfs::Follow::no;
}

long open_found(const vfs::Lookup& found, int flags, mode_t mode) {
  vfs::OpenedKind kind;
  const int fd = vfs::open_file(workspace, found, flags, mode, kind);
  if (fd < 0) return fd;
  switch (kind) {
    case vfs::OpenedKind::directory: 
      note_directory(fd, found.path, found.source == vfs::Source::live);
      break;
    case vfs::OpenedKind::sealed: note_sealed(fd, found); break;
    case vfs::OpenedKind::live:
      found.is_unseen() ? forget_descriptor(fd) : note_live(fd, found);
      break;
    case vfs::OpenedKind::draft: note_draft(fd, found, flags); break;
  }
  return fd;
}

}  // namespace shim

namespace {

using shim::on_path;

// What the kernel refuses before it looks at the path.
bool are_refused(int flags) {
  constexpr int kTemporary = O_TMPFILE & ~O_DIRECTORY;
  if ((flags & O_PATH) != 0) return false;
  if ((flags & kTemporary) != 0) {
    return (flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE || (flags & O_ACCMODE) == O_RDONLY;
  }
  return (flags & O_DIRECTORY) != 0 && (flags & O_CREAT) != 0;
}

// Then an open file of the live base needs no look before.
bool only_reads(int flags) {
  constexpr int kSame = O_CLOEXEC | O_LARGEFILE | O_NOCTTY | O_NONBLOCK;
  return (flags & ~kSame) == O_RDONLY;
}

bool takes_mode(int flags) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

template <typename Pass>
int open_at(const char* call, int dirfd, const char* path, int flags, mode_t mode, Pass pass) {
  if (shim::engaged() && are_refused(flags)) return shim::answer(-EINVAL);
  return on_path(
      call, dirfd, path, shim::follow_for_open(path, flags),
      [&](const vfs::Lookup& found) { return shim::open_found(found, flags, mode); },
      [&](int directory, const char* real) {
        const int fd = pass(directory, real);
        if (fd >= 0 && shim::engaged()) shim::forget_descriptor(fd);
        return fd;
      },
      only_reads(flags) ? shim::Looking{vfs::Unseen::files, true, vfs::kMayRead}
                        : shim::Looking{.needs = shim::needs_to_open(flags)});
}

// The mode is only there when the flags ask for it: reading it otherwise would
// take whatever the register holds.
#define VFS_TAKE_MODE(flags)                                  \
  mode_t mode = 0;                                            \
  if (takes_mode(flags)) {                                    \
    va_list arguments;                                        \
    va_start(arguments, flags);                               \
    mode = static_cast<mode_t>(va_arg(arguments, unsigned));  \
    va_end(arguments);                                        \
  }

}  // namespace

VFS_INTERPOSE(int, open, (const char* path, int flags, ...)) {
  VFS_TAKE_MODE(flags)
  return open_at("open", AT_FDCWD, path, flags, mode, [&](int, const char* real) {
    return VFS_NEXT(open)(real, flags, mode);
  });
}
VFS_ALIAS(open64, open);
VFS_ALIAS(__open, open);
VFS_ALIAS(__open64, open);

VFS_INTERPOSE(int, openat, (int dirfd, const char* path, int flags, ...)) {
  VFS_TAKE_MODE(flags)
  return open_at("openat", dirfd, path, flags, mode, [&](int directory, const char* real) {
    return VFS_NEXT(openat)(directory, real, flags, mode);
  });
}
VFS_ALIAS(openat64, openat);

VFS_INTERPOSE(int, creat, (const char* path, mode_t mode)) {
  const int flags = O_CREAT | O_WRONLY | O_TRUNC;
  return open_at("creat", AT_FDCWD, path, flags, mode, [&](int, const char* real) {
    return VFS_NEXT(creat)(real, mode);
  });
}
VFS_ALIAS(creat64, creat);

// What the fortified headers turn open(path, flags) into; not declared anywhere.
extern "C" {
int __open_2(const char* path, int flags);
int __openat_2(int dirfd, const char* path, int flags);
}

VFS_INTERPOSE(int, __open_2, (const char* path, int flags)) {
  return open_at("open", AT_FDCWD, path, flags, 0, [&](int, const char* real) {
    return VFS_NEXT(__open_2)(real, flags);
  });
}
VFS_ALIAS(__open64_2, __open_2);

VFS_INTERPOSE(int, __openat_2, (int dirfd, const char* path, int flags)) {
  return open_at("openat", dirfd, path, flags, 0, [&](int directory, const char* real) {
    return VFS_NEXT(__openat_2)(directory, real, flags);
  });
}
VFS_ALIAS(__openat64_2, __openat_2);
