#include "vfs/core/attributes.h"

#include "vfs/core/copy_up.h"
#include "vfs/core/directory_mode.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/identity.h"
#include "vfs/core/listing.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

// A sealed regular file keeps its object: only its record changes. Hard links
// of a snapshot share one inode, which a record cannot say.
bool changes_by_record(const Lookup& found) {
  return found.is_sealed() && found.is_regular() && found.status.st_nlink == 1;
}

int write_record(Workspace& workspace, const Lookup& found, const ObjectRecord& object) {
  const int result = write_object_record(workspace, found, object);
  return result == -EAGAIN ? -ESTALE : result;
}

// Brings the inode up and gives its path, for the kernel to do the change.
int draft_path(Workspace& workspace, const Lookup& found, PathBuffer& path) {
  const int result = copy_up(workspace, found, Content::keep);
  if (result != 0) return result;
  return workspace.upper_path(found.path, path) ? 0 : -ENAMETOOLONG;
}

// The directory itself is upper's; what it shows is the program's.
int change_directory(Workspace& workspace, const Lookup& found, const struct stat& wanted) {
  PathBuffer path;
  const int result = draft_path(workspace, found, path);
  return result != 0 ? result : set_directory_mode(workspace, path.text, found.hash, wanted);
}

void set_time(struct timespec& field, const struct timespec* wanted) {
  if (wanted != nullptr && wanted->tv_nsec == UTIME_OMIT) return;
  if (wanted == nullptr || wanted->tv_nsec == UTIME_NOW) {
    // The clock that the kernel takes time stamps from: an exact one would
    // run ahead of files written a moment later.
    sys::call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, sys::as_argument(&field));
  } else {
    field = *wanted;
  }
}

bool is_valid(const struct timespec& time) {
  return time.tv_nsec == UTIME_NOW || time.tv_nsec == UTIME_OMIT ||
         (time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000);
}

bool means_now(const struct timespec* times) {
  return times == nullptr ||
         (times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW);
}

// As utimensat(2): the owner may set any time, whoever may write the current.
int check_times(const Lookup& found, const struct timespec* times) {
  if (times != nullptr) {
    if (!is_valid(times[0]) || !is_valid(times[1])) return -EINVAL;
    if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return 0;
  }
  if (is_owner(found.status)) return 0;
  if (!means_now(times)) return -EPERM;
  return check_access(found.status, W_OK, true);
}

}  // namespace

int get_status(Workspace& workspace, const Lookup& found, struct stat& status) {
  if (!found.exists()) return -ENOENT;
  status = found.status;
  if (found.merged) status.st_nlink = count_directory_links(workspace, found);
  if (found.source == Source::snapshot && !found.is_directory() && status.st_nlink > 1) {
    status.st_nlink = count_links(workspace, found);
  }
  if (found.source == Source::live) status.st_nlink -= count_hidden_names(workspace, status);
  return 0;
}

int change_mode(Workspace& workspace, const Lookup& found, mode_t mode) {
  if (!found.exists()) return -ENOENT;
  if (found.is_link()) return -EOPNOTSUPP;
  mode &= 07777;
  if (found.source != Source::upper || found.is_directory()) {
    const int result = check_mode_change(found.status, mode);
    if (result != 0) return result;
  }
  if (found.is_directory()) {
    struct stat wanted = found.status;
    wanted.st_mode = S_IFDIR | mode;
    return change_directory(workspace, found, wanted);
  }
  if (changes_by_record(found)) {
    ObjectRecord object = object_record_of(found);
    object.mode = (object.mode & S_IFMT) | mode;
    return write_record(workspace, found, object);
  }
  PathBuffer path;
  const int result = draft_path(workspace, found, path);
  if (result == 0 && (mode & S_IRUSR) == 0 && found.is_regular()) {
    const int fd = sys::open(path.text, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
      keep_identity_unreadable(workspace, fd);
      sys::close(fd);
    }
  }
  // Not followed: fchmodat has no such flag, but a link cannot stand here
  // unless it replaced the file just now, and links have no mode to change.
  return result != 0 ? result : check_reached(workspace, path, sys::chmod(path.text, mode));
}

int change_owner(Workspace& workspace, const Lookup& found, uid_t uid, gid_t gid) {
  if (!found.exists()) return -ENOENT;
  if (found.source != Source::upper || found.is_directory()) {
    const int result = check_owner_change(found.status, uid, gid);
    if (result != 0) return result;
  }
  // Nothing to change: above all no reason to give the file away by a copy.
  if (uid == static_cast<uid_t>(-1) && gid == static_cast<gid_t>(-1) && !is_owner(found.status)) return 0;
  struct stat wanted = found.status;
  if (uid != static_cast<uid_t>(-1)) wanted.st_uid = uid;
  if (gid != static_cast<gid_t>(-1)) wanted.st_gid = gid;
  if (found.is_directory()) return change_directory(workspace, found, wanted);
  if (changes_by_record(found)) {
    ObjectRecord object = object_record_of(found);
    object.uid = wanted.st_uid;
    object.gid = wanted.st_gid;
    // As the kernel: a new owner clears the set-id bits of what can be run.
    object.mode &= ~static_cast<mode_t>(S_ISUID);
    if ((object.mode & S_IXGRP) != 0) object.mode &= ~static_cast<mode_t>(S_ISGID);
    return write_record(workspace, found, object);
  }
  PathBuffer path;
  const int result = draft_path(workspace, found, path);
  return result != 0 ? result : check_reached(workspace, path, sys::lchown(path.text, uid, gid));
}

int change_times(Workspace& workspace, const Lookup& found, const struct timespec* times) {
  if (!found.exists()) return -ENOENT;
  if (found.source != Source::upper || found.is_directory()) {
    const int result = check_times(found, times);
    if (result != 0) return result;
  }
  if (changes_by_record(found)) {
    ObjectRecord object = object_record_of(found);
    set_time(object.atime, times);
    set_time(object.mtime, times != nullptr ? times + 1 : nullptr);
    return write_record(workspace, found, object);
  }
  PathBuffer path;
  const int result = draft_path(workspace, found, path);
  if (result != 0) return result;
  return check_reached(workspace, path, sys::utimensat(path.text, times, AT_SYMLINK_NOFOLLOW));
}

int truncate_file(Workspace& workspace, const Lookup& found, off_t length) {
  if (length < 0) return -EINVAL;  // before all else, as the kernel says it
  if (!found.exists()) return -ENOENT;
  if (found.is_directory()) return -EISDIR;
  if (!found.is_regular()) return -EINVAL;
  if (found.source != Source::upper) {
    const int result = check_access(found.status, W_OK, true);
    if (result != 0) return result;
  }
  const int result = copy_up(workspace, found, length == 0 ? Content::drop : Content::keep);
  PathBuffer path;
  if (result != 0) return result;
  if (!workspace.upper_path(found.path, path)) return -ENAMETOOLONG;
  return check_reached(workspace, path, sys::truncate(path.text, length));
}

int test_access(Workspace& workspace, const Lookup& found, int mask, bool effective) {
  if (!found.exists()) return -ENOENT;
  if (found.is_sealed() || (found.source == Source::upper && found.is_directory())) {
    return check_access(found.status, mask, effective);
  }
  // What the owner may read the mode says whole. (Writing may be the mount's to
  // refuse, execution too, and others have an access control list perhaps.)
  const bool told = (mask & ~R_OK) == 0 && found.source == Source::live && !found.is_link();
  if (told && (mask == F_OK || is_granted_to_owner(found.status, mask, effective))) return 0;
  PathBuffer path;
  const int result = real_path(workspace, found, path);
  if (result != 0) return result;
  int flags = effective ? AT_EACCESS : 0;
  if (found.is_link()) flags |= AT_SYMLINK_NOFOLLOW;
  const int answer = sys::faccessat(path.text, mask, flags);
  if (answer == -ENOENT && found.source == Source::upper) return -ESTALE;
  return answer == -ENOSYS ? check_access(found.status, mask, effective) : answer;
}

}  // namespace vfs
