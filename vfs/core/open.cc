#include "vfs/core/open.h"

#include "vfs/core/copy_up.h"
#include "vfs/core/names_internal.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

bool wants_write(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

// O_CREAT on a file that exists says that the program would have made it: a
// lock file, mostly, which has to be an inode of its own to be locked.
bool wants_draft(int flags) { return wants_write(flags) || (flags & O_CREAT) != 0; }

// touch(1) opens with just these flags, sets the times by descriptor and never
// writes. A large sealed file is not copied for that: it is opened for reading,
// so that a program which does write gets EBADF instead of reaching the object.
bool only_touches(const Lookup& found, int flags) {
  constexpr int kTouch = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY;
  constexpr off_t kLarge = 1 << 20;  // bytes; smaller files are simply copied
  return (flags & ~(O_CLOEXEC | O_LARGEFILE)) == kTouch && found.is_sealed() &&
         found.is_regular() && found.status.st_size >= kLarge;
}

int access_mask(int flags) {
  switch (flags & O_ACCMODE) {
    case O_RDONLY: return (flags & O_TRUNC) != 0 ? R_OK | W_OK : R_OK;
    case O_WRONLY: return W_OK;
    default: return R_OK | W_OK;
  }
}

// The errors that only depend on what was found.
int check_open(const Lookup& found, int flags) {
  const bool create = (flags & O_CREAT) != 0;
  const bool path_only = (flags & O_PATH) != 0;
  // What O_CREAT makes is no directory: a slash behind the name is refused
  // before it matters what stands there.
  if (create && !path_only && found.must_be_directory && found.last == LastComponent::name) {
    return -EISDIR;
  }
  if (!found.exists()) {
    if (!create || path_only) return -ENOENT;
    return is_reserved(found.path) ? -EPERM : 0;
  }
  if (create && (flags & O_EXCL) != 0 && !path_only) return -EEXIST;
  if (found.is_directory()) {
    const bool temporary = (flags & O_TMPFILE) == O_TMPFILE;
    if (!path_only && !temporary && (wants_write(flags) || create)) return -EISDIR;
    return 0;
  }
  if ((flags & O_DIRECTORY) != 0 || found.must_be_directory) return -ENOTDIR;
  if (found.is_link() && !path_only) return -ELOOP;
  return 0;
}

// Not to touch the access time is the owner's right.
int check_no_atime(const Lookup& found, int flags) {
  const bool asked = (flags & (O_NOATIME | O_PATH)) == O_NOATIME;
  return asked && !is_owner(found.status) ? -EPERM : 0;
}

// open(2) gives the lowest free number, and programs rely on it; the lock had
// taken that.
int lowest_descriptor(int fd, PathLock& lock, int flags) {
  lock.release();
  const int lowest =
      sys::fcntl(fd, (flags & O_CLOEXEC) != 0 ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
  if (lowest < 0) return fd;
  if (lowest > fd) {
    sys::close(lowest);
    return fd;
  }
  sys::close(fd);
  return lowest;
}

// A draft that was opened to be written. A commit may have sealed it while we
// waited for its lease, and taken the name away: what is written into an inode
// without one is lost.
int keep_if_named(int fd) {
  struct stat status;
  if (fd < 0 || sys::fstat(fd, &status) != 0 || status.st_nlink != 0) return fd;
  sys::close(fd);
  return -ESTALE;
}

// A new file where upper has a whiteout: made aside, then put over it.
int create_over_whiteout(Workspace& workspace, const Lookup& found, int flags, mode_t mode) {
  PathBuffer upper;
  PathBuffer temporary;
  if (!workspace.upper_path(found.path, upper) || !workspace.temporary_path(temporary)) {
    return -ENAMETOOLONG;
  }
  PathLock lock(workspace, found.hash);
  if (lock.error() != 0) return lock.error();
  UpperEntry entry;
  int result = read_upper(workspace, found.path, entry);
  if (result != 0) return result;
  if (entry.kind != UpperKind::whiteout) return -ESTALE;
  const int fd = sys::open(temporary.text, flags | O_CREAT | O_EXCL, mode);
  if (fd < 0) return fd;
  inherit_group(workspace, found, temporary.text);
  result = sys::rename(temporary.text, upper.text);
  if (result == 0) return lowest_descriptor(fd, lock, flags);
  sys::close(fd);
  sys::unlink(temporary.text);
  return result;
}

int create_file(Workspace& workspace, const Lookup& found, int flags, mode_t mode) {
  PathBuffer upper;
  if (!workspace.upper_path(found.path, upper)) return -ENAMETOOLONG;
  announce_path(workspace, found.path);
  if (found.whiteout || found.parent_guarded) {
    const int result = prepare_parent(workspace, found, NameChange::make);
    if (result != 0) return result;
    if (found.whiteout) return create_over_whiteout(workspace, found, flags, mode);
  }
  // Never through a link that appeared meanwhile: it might be a record.
  int fd = sys::open(upper.text, flags | O_NOFOLLOW, mode);
  if (fd == -ENOENT || fd == -ENOTDIR) {
    const int result = prepare_parent(workspace, found, NameChange::make);
    if (result != 0) return result;
    fd = sys::open(upper.text, flags | O_NOFOLLOW, mode);
  }
  if (fd == -ELOOP || fd == -ENXIO) return -ESTALE;
  return fd;
}

int open_directory(Workspace& workspace, const Lookup& found, int flags, mode_t mode) {
  PathBuffer real;
  const bool temporary = (flags & O_TMPFILE) == O_TMPFILE;
  if ((flags & O_PATH) == 0) {
    const int allowed = check_access(found.status, temporary ? W_OK | X_OK : R_OK, true);
    if (allowed != 0) return allowed;
  }
  int result = check_no_atime(found, flags);
  if (result == 0 && temporary) result = mirror_directory(workspace, found.path);
  if (result != 0) return result;
  if (temporary || found.source == Source::snapshot) {
    if (!workspace.upper_path(found.path, real)) return -ENAMETOOLONG;
    // Mirrored already, mostly.
    const int fd = sys::open(real.text, (flags & ~O_CREAT) | O_NOFOLLOW, mode);
    if (fd >= 0 || temporary) return fd;
  }
  result = real_path(workspace, found, real);
  if (result != 0) return result;
  return sys::open(real.text, flags & ~O_CREAT, mode);
}

}  // namespace

int real_path(Workspace& workspace, const Lookup& found, PathBuffer& real) {
  switch (found.source) {
    case Source::missing: return -ENOENT;
    case Source::upper: break;
    case Source::live:
      return workspace.live_path(found.base_path(), real) ? 0 : -ENAMETOOLONG;
    case Source::record:
    case Source::snapshot: {
      if (found.is_regular()) return workspace.object_path(found.digest, real) ? 0 : -ENAMETOOLONG;
      const int result = found.is_directory()
                             ? mirror_directory(workspace, found.path, Mirror::to_open)
                             : copy_up(workspace, found, Content::keep);
      if (result != 0) return result;
      break;
    }
  }
  return workspace.upper_path(found.path, real) ? 0 : -ENAMETOOLONG;
}

int prepare_open(Workspace& workspace, const Lookup& found, int flags, PathBuffer& real) {
  int result = check_open(found, flags);
  if (result != 0) return result;
  if (!found.exists()) {
    announce_path(workspace, found.path);
    result = prepare_parent(workspace, found, NameChange::make);
    if (result == 0 && found.whiteout) {
      const int fd = create_over_whiteout(workspace, found, O_WRONLY | O_CLOEXEC, 0666);
      if (fd < 0) return fd;
      sys::close(fd);
    }
    if (result != 0) return result;
    return workspace.upper_path(found.path, real) ? 0 : -ENAMETOOLONG;
  }
  if (S_ISFIFO(found.status.st_mode) && found.source == Source::live) {
    // What is written into a FIFO moves its times: the real one is not ours.
    result = check_access(found.status, access_mask(flags), true);
    if (result == 0) result = copy_up(workspace, found, Content::keep);
    if (result != 0) return result;
    return workspace.upper_path(found.path, real) ? 0 : -ENAMETOOLONG;
  }
  if (found.is_regular() && found.source != Source::upper) {
    // Before anything is made: a refused open must not leave a draft behind,
    // least of all an empty one. What is only read in the live base the kernel
    // judges itself.
    if (found.is_sealed() || wants_draft(flags)) {
      result = check_access(found.status, access_mask(flags), true);
    }
    if (result == 0) result = check_no_atime(found, flags);
    if (result == 0 && wants_draft(flags)) {
      result = copy_up(workspace, found,
                       (flags & O_TRUNC) != 0 ? Content::drop : Content::keep);
      if (result != 0) return result;
      return workspace.upper_path(found.path, real) ? 0 : -ENAMETOOLONG;
    }
    if (result != 0) return result;
  }
  return real_path(workspace, found, real);
}

int open_file(Workspace& workspace, const Lookup& found, int flags, mode_t mode,
              OpenedKind& kind) {
  const int checked = check_open(found, flags);
  if (checked != 0) return checked;
  if (found.is_directory()) {
    kind = (flags & O_TMPFILE) == O_TMPFILE ? OpenedKind::draft : OpenedKind::directory;
    return open_directory(workspace, found, flags, mode);
  }
  kind = OpenedKind::draft;
  if (!found.exists()) return create_file(workspace, found, flags, mode);
  PathBuffer real;
  // O_PATH asks for no permission on the file itself.
  const bool path_only = (flags & O_PATH) != 0;
  const bool touches = only_touches(found, flags);
  if (touches) {
    const int allowed = check_access(found.status, W_OK, true);
    if (allowed != 0) return allowed;
    flags &= ~(O_ACCMODE | O_CREAT);
  }
  const int result = path_only || touches ? real_path(workspace, found, real)
                                          : prepare_open(workspace, found, flags, real);
  if (result != 0) return result;
  // Of a live base only what was copied up is not the real inode.
  const bool copied = found.is_regular()
                          ? !path_only && wants_draft(flags)
                          : found.source != Source::live ||
                                (!path_only && S_ISFIFO(found.status.st_mode));
  const bool draft = found.source == Source::upper || copied;
  if (!draft) kind = found.is_sealed() ? OpenedKind::sealed : OpenedKind::live;
  const bool near = !draft && found.source == Source::live && found.near.path != nullptr;
  const int fd = sys::openat(near ? found.near.directory : AT_FDCWD,
                             near ? found.near.path : real.text,
                             (flags & ~(O_CREAT | O_EXCL)) | O_NOFOLLOW, mode);
  if (fd == -ENOENT || (fd == -ELOOP && !found.is_link()) ||
      (fd == -ENOTDIR && found.is_unseen())) {
    if (kind == OpenedKind::sealed) return -EIO;  // the object is gone
    return -ESTALE;
  }
  const bool writes = draft && found.is_regular() && !path_only && (flags & O_ACCMODE) != O_RDONLY;
  return writes ? keep_if_named(fd) : fd;
}

}  // namespace vfs
