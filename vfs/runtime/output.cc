#include "vfs/runtime/output.h"

#include <linux/fs.h>
#include <unistd.h>

#include "vfs/runtime/vfsrt.h"

namespace vfs::runtime {
namespace {

// As many as the kernel follows.
constexpr int kMaxLinks = 40;

int sync(int fd) {
  long result;
  do {
    result = sys::call(SYS_fsync, fd);
  } while (result == -EINTR);
  // What has no disk below it: pipes, /dev, directories of some file systems.
  return result == -EINVAL || result == -EROFS ? 0 : static_cast<int>(result);
}

// Puts what the link at `path` leads to in its place. 1 if it was a link, 0 if
// not, or a negative errno.
int follow(PathBuffer& path) {
  char target[PATH_MAX];
  const long length = sys::readlink(path.text, target, sizeof(target));
  if (length == -EINVAL || length == -ENOENT) return 0;
  if (length < 0) return static_cast<int>(length);
  if (length == sizeof(target)) return -ENAMETOOLONG;
  path.truncate(target[0] == '/' ? 0 : static_cast<uint32_t>(path.name() - path.text));
  return path.append(target, static_cast<size_t>(length)) ? 1 : -ENAMETOOLONG;
}

int may_write(const char* path) {
  const int result = sys::faccessat(path, W_OK, AT_EACCESS);
  // Before Linux 5.8, by the real user.
  return result == -ENOSYS ? sys::faccessat(path, W_OK, 0) : result;
}

}  // namespace

void Output::Temporary::choose() {
  uint64_t number = 0;
  // Where it cannot be had at once the number need not be a secret, only one
  // that others do not choose.
  if (sys::call(SYS_getrandom, sys::as_argument(&number), sizeof(number), 1 /* GRND_NONBLOCK */) != sizeof(number)) {
    struct timespec now;
    sys::call(SYS_clock_gettime, CLOCK_MONOTONIC, sys::as_argument(&now));
    number = static_cast<uint64_t>(now.tv_nsec) << 32 ^ static_cast<uint64_t>(sys::gettid());
  }
  memcpy(name, ".rt-", 4);
  for (int i = 0; i < 16; ++i, number >>= 4) name[4 + i] = "0123456789abcdef"[number & 15];
  name[20] = '\0';
}

// The directory in which the name is, and in place_ the path of it. With RT_NEW
// a link is a name like another.
int Output::find_place(const char* path) {
  if (*path == '\0') return -ENOENT;
  if (!place_.assign(path)) return -ENAMETOOLONG;
  int links = 0;
  for (int found = 1; found == 1 && (flags_ & RT_NEW) == 0;) {
    if (links++ > kMaxLinks) return -ELOOP;
    found = follow(place_);
    if (found < 0) return found;
  }
  if (*place_.name() == '\0') return -EISDIR;
  const uint32_t parent = static_cast<uint32_t>(place_.name() - place_.text);
  const char first = place_.text[parent];
  place_.text[parent] = '\0';
  // Only what is to reach the disk needs leave to read the directory.
  const int access = (flags_ & RT_DURABLE) != 0 ? O_RDONLY : O_PATH;
  directory_.reset(open_file(AT_FDCWD, parent == 0 ? "." : place_.text, access | O_DIRECTORY));
  place_.text[parent] = first;
  return directory_.failed() ? directory_.get() : 0;
}

int Output::open(const char* path, int how, mode_t mode, unsigned flags) {
  flags_ = flags;
  if ((flags & RT_ATOMIC) != 0) return open_atomic(path, mode);
  const int exclusive = (flags & RT_NEW) != 0 ? O_EXCL : 0;
  if ((flags & RT_DURABLE) != 0) {
    const int result = find_place(path);
    if (result != 0) return result;
  }
  file_.reset(open_file(AT_FDCWD, path, O_WRONLY | O_CREAT | exclusive | how, mode));
  return file_.failed() ? file_.get() : 0;
}

int Output::open_atomic(const char* path, mode_t mode) {
  // Asked for first: what the kernel does not follow, as others' links in /tmp
  // (fs.protected_symlinks), is not followed by hand.
  struct stat seen;
  int result = sys::fstatat(AT_FDCWD, path, &seen, (flags_ & RT_NEW) != 0 ? AT_SYMLINK_NOFOLLOW : 0);
  if (result != 0 && result != -ENOENT) return result;
  if (result == 0 && (flags_ & RT_NEW) != 0) return -EEXIST;
  result = find_place(path);
  if (result != 0) return result;
  result = sys::fstatat(directory_.get(), place_.name(), &replaced_, AT_SYMLINK_NOFOLLOW);
  if (result != 0 && result != -ENOENT) return result;
  replaces_ = result == 0;
  if (replaces_) {
    if (S_ISDIR(replaced_.st_mode)) return -EISDIR;
    if (!S_ISREG(replaced_.st_mode)) return -EINVAL;
    // Nothing may be replaced that could not be written to.
    result = may_write(place_.text);
    if (result != 0) return result;
  }
  do {
    temporary_.choose();
    file_.reset(open_file(directory_.get(), temporary_.name, O_WRONLY | O_CREAT | O_EXCL, replaces_ ? 0600 : mode));
  } while (file_.get() == -EEXIST);
  unfinished_ = !file_.failed();
  return file_.failed() ? file_.get() : 0;
}

bool Output::is(const struct stat& status) const {
  struct stat own;
  if (unfinished_) {
    if (!replaces_) return false;
    own = replaced_;
  } else if (sys::fstat(file_.get(), &own) != 0) {
    return false;
  }
  return own.st_dev == status.st_dev && own.st_ino == status.st_ino;
}

// Owner, group and permission of what it replaces. Who may not give files away
// keeps them. Set-id bits go, as they do where a file is written to.
int Output::dress() {
  struct stat own;
  int result = sys::fstat(file_.get(), &own);
  if (result == 0 && (own.st_uid != replaced_.st_uid || own.st_gid != replaced_.st_gid)) {
    result = sys::fchown(file_.get(), replaced_.st_uid, replaced_.st_gid);
    if (result == -EPERM) result = sys::fchown(file_.get(), static_cast<uid_t>(-1), replaced_.st_gid);
    if (result == -EPERM) result = 0;
  }
  return result == 0 ? sys::fchmod(file_.get(), replaced_.st_mode & 0777) : result;
}

int Output::finish() {
  int result = unfinished_ && replaces_ ? dress() : 0;
  if (result == 0 && (flags_ & RT_DURABLE) != 0) result = sync(file_.get());
  const int closed = file_.close();
  if (result == 0) result = closed;
  if (result == 0 && unfinished_) {
    const unsigned how = (flags_ & RT_NEW) != 0 ? RENAME_NOREPLACE : 0;
    result = static_cast<int>(sys::call(SYS_renameat2, directory_.get(), sys::as_argument(temporary_.name),
                                        directory_.get(), sys::as_argument(place_.name()), how));
    unfinished_ = result != 0;
  }
  return result == 0 && (flags_ & RT_DURABLE) != 0 ? sync(directory_.get()) : result;
}

Output::~Output() {
  if (unfinished_) sys::call(SYS_unlinkat, directory_.get(), sys::as_argument(temporary_.name), 0);
}

}  // namespace vfs::runtime
