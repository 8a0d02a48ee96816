// An inode of its own for a descriptor that was opened on an object or on a
// file of the live base.
#include "shim/descriptors.h"
#include "shim/state.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/descriptor_name.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/identity.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

// All that `from` holds, without moving its position.
int copy_all(int from, int to) {
  off_t at = 0;
  for (;;) {
    const long count = sys::call(SYS_copy_file_range, from, sys::as_argument(&at), to, 0, 1 << 30, 0);
    if (count == 0) return 0;
    if (count > 0 || count == -EINTR) continue;
    if (count != -EXDEV && count != -ENOSYS && count != -EINVAL && count != -EOPNOTSUPP) {
      return static_cast<int>(count);
    }
    break;
  }
  char buffer[16 * 1024];
  for (;;) {
    const long count = sys::call(SYS_pread64, from, sys::as_argument(buffer), sizeof(buffer), at);
    if (count == 0) return 0;
    if (count == -EINTR) continue;
    if (count < 0) return static_cast<int>(count);
    const long written = sys::call(SYS_pwrite64, to, sys::as_argument(buffer), count, at);
    if (written < 0 && written != -EINTR) return static_cast<int>(written);
    if (written > 0) at += written;
  }
}

int dress(int fd, const struct stat& status) {
  const int owned = sys::fchown(fd, status.st_uid, status.st_gid);
  if (owned != 0 && owned != -EPERM) return owned;
  const int result = sys::fchmod(fd, status.st_mode & 07777);
  const struct timespec times[2] = {status.st_atim, status.st_mtim};
  return result != 0 ? result : sys::futimens(fd, times);
}

// For a file that has lost its name: a copy that only this descriptor has.
int open_private_draft(int fd, int flags, const struct stat& status) {
  vfs::PathBuffer path;
  if (!workspace.temporary_path(path)) return -ENAMETOOLONG;
  const int copy = sys::open(path.text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (copy < 0) return copy;
  vfs::keep_identity(workspace, copy, status);
  int result = copy_all(fd, copy);
  if (result == 0) result = sys::open(vfs::DescriptorName(copy).text, flags);
  if (result >= 0) {
    const int dressed = dress(copy, status);
    if (dressed != 0) {
      sys::close(result);
      result = dressed;
    }
  }
  sys::unlink(path.text);
  sys::close(copy);
  return result;
}

// -ENOENT: a directory that was removed.
int open_draft(int fd, const Located& located, int flags, const struct stat& status) {
  vfs::Lookup found;
  const bool has_other_name = located.place == Place::live && S_ISREG(status.st_mode) &&
                              status.st_nlink > 0;
  long result = -ESTALE;
  for (int i = 0; i < kAttempts && result == -ESTALE; ++i) {
    if (!find_located(fd, located, found) &&
        !(has_other_name && vfs::search_live_name(workspace, status, found))) {
      return S_ISREG(status.st_mode) ? open_private_draft(fd, flags, status) : -ENOENT;
    }
    result = vfs::copy_up(workspace, found, vfs::Content::keep);
  }
  vfs::PathBuffer real;
  if (result != 0) return static_cast<int>(result);
  if (!workspace.upper_path(found.path, real)) return -ENAMETOOLONG;
  return sys::open(real.text, flags);
}

}  // namespace

int make_descriptor_draft(int fd) {
  Located located;
  if (!locate_descriptor(fd, located) || located.place == Place::upper) return 0;
  const int flags = sys::fcntl(fd, F_GETFL);
  struct stat status;
  if (flags < 0 || (flags & O_PATH) != 0 || sys::fstat(fd, &status) != 0) return 0;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return 0;
  correct_status(fd, status);
  const int draft = open_draft(
      fd, located, (flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW)) | O_CLOEXEC, status);
  if (draft == -ENOENT && S_ISDIR(status.st_mode)) return 0;  // it was removed
  if (draft < 0) return draft;
  const off_t position = sys::lseek(fd, 0, SEEK_CUR);
  if (position > 0) sys::lseek(draft, position, SEEK_SET);
  const int close_on_exec = sys::fcntl(fd, F_GETFD);
  const int result = sys::dup3(draft, fd, (close_on_exec & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
  sys::close(draft);
  forget_descriptor(fd);
  if (S_ISDIR(status.st_mode)) note_directory(fd, located.path, false);
  return result < 0 ? result : 0;
}

}  // namespace shim
