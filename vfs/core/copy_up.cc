#include "vfs/core/copy_up.h"

#include "cas/same_time.h"
#include "vfs/core/copy_content.h"
#include "vfs/core/directory_mode.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/identity.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

// Gives a new inode owner, mode and times. An ordinary user cannot give files
// away; the copy is then theirs, as with cp -p.
int dress(int fd, const struct stat& status, const struct timespec& atime) {
  if (status.st_uid != sys::geteuid() || status.st_gid != sys::getegid()) {
    int result = sys::fchown(fd, status.st_uid, status.st_gid);
    if (result == -EPERM) result = sys::fchown(fd, static_cast<uid_t>(-1), status.st_gid);
    if (result != 0 && result != -EPERM) return result;
  }
  const int result = sys::fchmod(fd, status.st_mode & 07777);
  if (result != 0) return result;
  const struct timespec times[2] = {atime, status.st_mtim};
  return sys::futimens(fd, times);
}

int open_content(Workspace& workspace, const Lookup& found) {
  PathBuffer path;
  const bool fits = found.source == Source::live ? workspace.live_path(found.base_path(), path)
                                                 : workspace.object_path(found.digest, path);
  if (!fits) return -ENAMETOOLONG;
  const int fd = sys::open(path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  // A sealed file whose object is gone is damage, not absence.
  return fd == -ENOENT && found.is_sealed() ? -EIO : fd;
}

// Makes the finished inode at the absolute path `temporary`.
int make_copy(Workspace& workspace, const Lookup& found, Content content, const char* temporary) {
  const struct stat& status = found.status;
  if (S_ISLNK(status.st_mode)) {
    PathBuffer target;
    PathBuffer stored;
    int result = read_link(workspace, found, target);
    if (result != 0) return result;
    // A number changes sooner than a link is lost.
    if (!format_kept_link_target(target.text, status.st_ino, status.st_dev, stored) &&
        !format_link_target(target.text, stored)) {
      return -ENAMETOOLONG;
    }
    result = sys::symlink(stored.text, temporary);
    if (result != 0) return result;
    const int owned = sys::lchown(temporary, status.st_uid, status.st_gid);
    if (owned != 0 && owned != -EPERM) return owned;
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    return sys::utimensat(temporary, times, AT_SYMLINK_NOFOLLOW);
  }
  if (!S_ISREG(status.st_mode)) {
    int result = sys::mknod(temporary, status.st_mode, status.st_rdev);
    if (result == 0) keep_special_identity(workspace, temporary, status);
    const int owned = sys::lchown(temporary, status.st_uid, status.st_gid);
    if (result == 0 && owned != -EPERM) result = owned;
    // Behind it: a new owner clears the set-id bits.
    if (result == 0) result = sys::chmod(temporary, status.st_mode & 07777);
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    return result != 0 ? result : sys::utimensat(temporary, times, AT_SYMLINK_NOFOLLOW);
  }
  const int to = sys::open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (to < 0) return to;
  int result = 0;
  keep_identity(workspace, to, status);
  if (content == Content::keep && status.st_size > 0) {
    const int from = open_content(workspace, found);
    result = from < 0 ? from : copy_content(from, to);
    if (from >= 0) sys::close(from);
  }
  if (result == 0) result = dress(to, status, status.st_atim);
  sys::close(to);
  return result;
}

// Puts the inode at `temporary` in the place of `found`.
int place(Workspace& workspace, const Lookup& found, const char* temporary) {
  PathBuffer upper;
  PathBuffer parent;
  if (!workspace.upper_path(found.path, upper)) return -ENAMETOOLONG;
  parent.assign(upper);
  parent.pop();
  KeepTimes keep(parent.text);
  announce(workspace, found, found.status.st_mode);
  return sys::rename(temporary, upper.text);
}

bool same_record(const ObjectRecord& a, const ObjectRecord& b) {
  return memcmp(a.digest.bytes, b.digest.bytes, Digest::kSize) == 0 && a.size == b.size &&
         a.inode == b.inode && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         same_time(a.atime, b.atime) && same_time(a.mtime, b.mtime);
}

// Whether what the look-up found still is what the tree has, where upper has no
// inode. If not then others have written since, and a commit has sealed that:
// to go on from what was found would undo it. Under the path's lock it stays so.
bool is_current(const Workspace& workspace, const Lookup& found, const UpperEntry& upper) {
  if (upper.kind == UpperKind::object) {
    return found.source == Source::record && same_record(upper.object, object_record_of(found));
  }
  return found.source != Source::record && is_of_this_base(workspace, found);
}

// Not announced: to_change has done that before.
int mirror_one(Workspace& workspace, const PathBuffer& path) {
  Lookup found;
  int result = look_up_canonical(workspace, path, found);
  if (result != 0) return result;
  if (!found.exists()) return -ENOENT;
  if (!found.is_directory()) return -ENOTDIR;
  if (found.source == Source::upper) return 0;
  PathBuffer temporary;
  PathBuffer upper;
  PathBuffer parent;
  if (!workspace.temporary_path(temporary) || !workspace.upper_path(path, upper)) {
    return -ENAMETOOLONG;
  }
  parent.assign(upper);
  parent.pop();
  result = sys::mkdir(temporary.text, 0700);
  if (result != 0) return result;
  const struct timespec times[2] = {found.status.st_atim, found.status.st_mtim};
  result = set_directory_mode(workspace, temporary.text, found.hash, found.status);
  if (result == 0) result = sys::utimensat(temporary.text, times, AT_SYMLINK_NOFOLLOW);
  if (result == 0) {
    KeepTimes keep(parent.text);
    // Another process may have been here first; its directory stays.
    result = sys::rename(temporary.text, upper.text, RENAME_NOREPLACE);
    if (result == -EEXIST) result = 0;
    else if (result == 0) return 0;
  }
  sys::rmdir(temporary.text);
  return result;
}

}  // namespace

void announce_path(Workspace& workspace, const PathBuffer& path) {
  ChangeFilter& filter = workspace.control->filter;
  uint64_t hash = kRootPathHash;
  for (const char* start = path.text; *start != '\0';) {
    const char* end = strchrnul(start, '/');
    hash = path_hash_append(hash, start, static_cast<uint32_t>(end - start));
    filter.announce(hash);
    start = *end == '/' ? end + 1 : end;
  }
}

void announce_subtree(Workspace& workspace, const Lookup& found) {
  announce_path(workspace, found.path);
  workspace.control->filter.announce_subtree(found.hash);
}

void announce(Workspace& workspace, const Lookup& found, mode_t type) {
  if (S_ISREG(type)) {
    announce_path(workspace, found.path);
  } else {
    announce_subtree(workspace, found);
  }
}

int mirror_directory(Workspace& workspace, const PathBuffer& path, Mirror purpose) {
  PathBuffer upper;
  struct stat status;
  if (!workspace.upper_path(path, upper)) return -ENAMETOOLONG;
  if (purpose == Mirror::to_change) announce_path(workspace, path);
  const int there = sys::lstat(upper.text, &status);
  if (there == 0 && S_ISDIR(status.st_mode)) {
    if ((status.st_mode & S_IRWXU) != S_IRWXU) {
      // If that fails, what has to be done in it fails as well.
      unlock_directory(workspace, upper.text, path_hash(path.text, path.length));
    }
    return 0;
  }
  if (there != 0 && there != -ENOENT && there != -ENOTDIR) return there;
  PathBuffer ancestor;
  for (const char* end = strchr(path.text, '/');; end = strchr(end + 1, '/')) {
    ancestor.assign(path.text, end != nullptr ? static_cast<size_t>(end - path.text) : path.length);
    const bool last = end == nullptr;
    const bool mirrored = !last && workspace.upper_path(ancestor, upper) &&
                          sys::lstat(upper.text, &status) == 0 && S_ISDIR(status.st_mode);
    const int result = mirrored ? 0 : mirror_one(workspace, ancestor);
    if (result != 0 || last) return result;
  }
}

int mirror_parent(Workspace& workspace, const PathBuffer& path) {
  PathBuffer parent;
  parent.assign(path);
  parent.pop();
  return mirror_directory(workspace, parent);
}

int copy_up(Workspace& workspace, const Lookup& found, Content content) {
  if (found.source == Source::upper) return 0;
  if (found.is_directory()) return mirror_directory(workspace, found.path);
  int result = mirror_parent(workspace, found.path);
  if (result != 0) return result;
  PathLock lock(workspace, found.hash);
  if (lock.error() != 0) return lock.error();
  UpperEntry upper;
  result = read_upper(workspace, found.path, upper);
  if (result != 0) return result;
  if (upper.kind == UpperKind::inode) return 0;         // another process was first
  if (upper.kind == UpperKind::whiteout) return -ENOENT;  // removed meanwhile
  if (!is_current(workspace, found, upper)) return -ESTALE;
  PathBuffer temporary;
  if (!workspace.temporary_path(temporary)) return -ENAMETOOLONG;
  result = make_copy(workspace, found, content, temporary.text);
  if (result == 0) result = place(workspace, found, temporary.text);
  if (result != 0) {
    sys::unlink(temporary.text);
    return result;
  }
  return link_siblings(workspace, found);
}

ObjectRecord object_record_of(const Lookup& found) {
  ObjectRecord object = {};
  object.digest = found.digest;
  object.size = static_cast<uint64_t>(found.status.st_size);
  object.inode = found.status.st_ino;
  object.mode = found.status.st_mode;
  object.uid = found.status.st_uid;
  object.gid = found.status.st_gid;
  object.atime = found.status.st_atim;
  object.mtime = found.status.st_mtim;
  return object;
}

int write_object_record(Workspace& workspace, const Lookup& found, const ObjectRecord& object) {
  PathBuffer target;
  PathBuffer temporary;
  format_object_record(object, target);
  int result = mirror_parent(workspace, found.path);
  if (result != 0) return result;
  PathLock lock(workspace, found.hash);
  if (lock.error() != 0) return lock.error();
  UpperEntry upper;
  result = read_upper(workspace, found.path, upper);
  if (result != 0) return result;
  if (upper.kind == UpperKind::inode) return -EAGAIN;
  if (upper.kind == UpperKind::whiteout || !is_current(workspace, found, upper)) return -ESTALE;
  if (!workspace.temporary_path(temporary)) return -ENAMETOOLONG;
  result = sys::symlink(target.text, temporary.text);
  if (result != 0) return result;
  result = place(workspace, found, temporary.text);
  if (result != 0) sys::unlink(temporary.text);
  return result;
}

int bring_up(Workspace& workspace, const Lookup& found) {
  const bool hard_linked = found.source == Source::snapshot && found.status.st_nlink > 1;
  if (found.source == Source::record) return 0;
  if (found.source == Source::snapshot && found.is_regular() && !hard_linked) {
    const int result = write_object_record(workspace, found, object_record_of(found));
    return result == -EAGAIN ? 0 : result;
  }
  return copy_up(workspace, found, Content::keep);
}

}  // namespace vfs
