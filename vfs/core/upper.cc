#include "vfs/core/upper.h"

#include <signal.h>

#include "vfs/core/sys.h"

namespace vfs {
namespace {

// Reads a link's target; a negative errno, or 0.
int read_target(const char* path, PathBuffer& target) {
  const long length = sys::readlink(path, target.text, sizeof(target.text) - 1);
  if (length < 0) return static_cast<int>(length);
  target.truncate(static_cast<uint32_t>(length));
  return 0;
}

// Whether a path in the base is written as we write it ourselves. One that goes
// up, or begins at the top, would lead out of the base.
bool is_canonical(const char* path) {
  for (const char* start = path;;) {
    const char* end = strchrnul(start, '/');
    const size_t length = static_cast<size_t>(end - start);
    const bool dots = start[0] == '.' && (length == 1 || (length == 2 && start[1] == '.'));
    if (length == 0 || dots) return false;
    if (*end == '\0') return true;
    start = end + 1;
  }
}

bool is_whiteout_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

int write_directory_record(const Workspace& workspace, const char* directory,
                           const PathBuffer& target) {
  PathBuffer temporary;
  PathBuffer path;
  if (!workspace.temporary_path(temporary) || !path.assign(directory) ||
      !path.append_character('/') || !path.append(kDirectoryRecordName)) {
    return -ENAMETOOLONG;
  }
  KeepTimes keep(directory);
  int result = sys::symlink(target.text, temporary.text);
  if (result != 0) return result;
  result = sys::rename(temporary.text, path.text);
  if (result != 0) sys::unlink(temporary.text);
  return result;
}

}  // namespace

void show_link(const Record& record, struct stat& status) {
  status.st_size = static_cast<off_t>(strlen(record.payload));
  if (record.inode == 0) return;
  status.st_ino = record.inode;
  status.st_dev = record.device;
}

int read_upper(const Workspace& workspace, const PathBuffer& path, UpperEntry& entry) {
  entry.kind = UpperKind::absent;
  PathBuffer real;
  if (!workspace.upper_path(path, real)) return -ENAMETOOLONG;
  const int result = sys::lstat(real.text, &entry.status);
  if (result == -ENOENT || result == -ENOTDIR) return 0;
  if (result != 0) return result;
  entry.kind = UpperKind::inode;
  if (is_whiteout_device(entry.status)) {
    entry.kind = UpperKind::whiteout;
  } else if (S_ISLNK(entry.status.st_mode)) {
    PathBuffer target;
    const int read = read_target(real.text, target);
    // Replaced since the lstat: whatever is there now is asked for anew.
    if (read == -EINVAL || read == -ENOENT) return read_upper(workspace, path, entry);
    if (read != 0) return read;
    Record record;
    parse_record(target.text, target.length, record);
    switch (record.kind) {
      case RecordKind::none: break;
      case RecordKind::object:
        entry.kind = UpperKind::object;
        entry.object = record.object;
        break;
      case RecordKind::link:
        show_link(record, entry.status);
        break;
      case RecordKind::whiteout:
      case RecordKind::opaque:
      case RecordKind::redirect: entry.kind = UpperKind::whiteout; break;
    }
  }
  return 0;
}

Shade read_shade(const Workspace& workspace, const PathBuffer& path, PathBuffer& redirect) {
  PathBuffer real;
  PathBuffer target;
  if (!workspace.upper_path(path, real) || !real.append_character('/') ||
      !real.append(kDirectoryRecordName) || read_target(real.text, target) != 0) {
    return Shade::merged;
  }
  Record record;
  parse_record(target.text, target.length, record);
  if (record.kind == RecordKind::none) return Shade::merged;
  // A damaged record hides the base rather than showing the wrong part of it.
  if (record.damaged) return Shade::opaque;
  if (record.generation != workspace.control->generation.load(std::memory_order_acquire)) {
    return Shade::merged;
  }
  return record.kind == RecordKind::redirect && is_canonical(record.payload) &&
                 redirect.assign(record.payload)
             ? Shade::redirected
             : Shade::opaque;
}

int write_opaque(const Workspace& workspace, const char* directory) {
  PathBuffer target;
  format_opaque_record(workspace.control->generation.load(std::memory_order_acquire), target);
  return write_directory_record(workspace, directory, target);
}

int write_redirect(const Workspace& workspace, const char* directory, const char* base_path) {
  PathBuffer target;
  const uint64_t generation = workspace.control->generation.load(std::memory_order_acquire);
  if (!format_redirect_record(generation, base_path, target)) return -ENAMETOOLONG;
  return write_directory_record(workspace, directory, target);
}

int read_upper_link(const Workspace& workspace, const PathBuffer& path, PathBuffer& target) {
  PathBuffer real;
  if (!workspace.upper_path(path, real)) return -ENAMETOOLONG;
  const int result = read_target(real.text, target);
  if (result != 0) return result;
  Record record;
  parse_record(target.text, target.length, record);
  if (record.kind == RecordKind::none) return 0;
  if (record.kind != RecordKind::link) return -EINVAL;
  return target.assign(record.payload) ? 0 : -ENAMETOOLONG;
}

namespace {

int make_own_whiteout(const char* absolute) {
  const int result = sys::mknod(absolute, S_IFCHR, 0);
  // Before Linux 5.8, or under a seccomp filter, only the privileged may make
  // the device: a link does as well.
  if (result != -EPERM && result != -ENOSYS && result != -EACCES) return result;
  PathBuffer target;
  format_whiteout_record(target);
  return sys::symlink(target.text, absolute);
}

}  // namespace

int make_whiteout(const Workspace& workspace, const char* absolute) {
  PathBuffer shared;
  PathBuffer temporary;
  if (!shared.assign(workspace.state) || !shared.append("/whiteout")) return -ENAMETOOLONG;
  int result = sys::link(shared.text, absolute);
  if (result == 0 || result == -EEXIST) return result;
  // None yet, or as many links as the file system allows: the new one takes over.
  result = make_own_whiteout(absolute);
  if (result == 0 && workspace.temporary_path(temporary) &&
      sys::link(absolute, temporary.text) == 0 &&
      sys::rename(temporary.text, shared.text) != 0) {
    sys::unlink(temporary.text);
  }
  return result;
}

int check_reached(const Workspace& workspace, const PathBuffer& upper, int result) {
  struct stat status;
  if (result == 0 && workspace.has_snapshot_base()) result = sys::lstat(upper.text, &status);
  return result == -ENOENT ? -ESTALE : result;
}

bool is_reserved(const PathBuffer& path) {
  // Both begin with a dot, which few names do.
  if (*path.name() != '.') return false;
  if (strcmp(path.text, kMarkerName) == 0) return true;
  return strcmp(path.name(), kDirectoryRecordName) == 0;
}

PathLock::PathLock(const Workspace& workspace, off_t byte, short kind) {
  const uint64_t all = ~0ull;
  sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::as_argument(&all),
            sys::as_argument(&saved_signals_), sizeof(all));
  PathBuffer path;
  if (!path.assign(workspace.state) || !path.append("/lock")) {
    fd_ = -ENAMETOOLONG;
    return;
  }
  fd_ = sys::open(path.text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) return;
  // One byte a path: an open-file-description lock, because a classic one
  // would be shared by the threads of a process and lost by a second open.
  struct flock range = {};
  range.l_type = kind;
  range.l_whence = SEEK_SET;
  range.l_start = byte;
  range.l_len = 1;
  int result;
  do {
    result = sys::fcntl(fd_, F_OFD_SETLKW, sys::as_argument(&range));
  } while (result == -EINTR);
  if (result != 0) {
    sys::close(fd_);
    fd_ = result;
  }
}

void PathLock::release() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -EBADF;
}

PathLock::~PathLock() {
  release();
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::as_argument(&saved_signals_), 0,
            sizeof(saved_signals_));
}

KeepTimes::KeepTimes(const char* directory) {
  struct stat status;
  known_ = path_.assign(directory) && sys::lstat(directory, &status) == 0;
  if (known_) {
    times_[0] = status.st_atim;
    times_[1] = status.st_mtim;
  }
}

KeepTimes::~KeepTimes() {
  if (known_) sys::utimensat(path_.text, times_, AT_SYMLINK_NOFOLLOW);
}

}  // namespace vfs
