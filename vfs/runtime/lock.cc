#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

namespace {

// Some file systems of user space give a file another number each time.
constexpr int kAttempts = 1000;

// Made only where it is missing: to ask for that is refused for what others own
// in a directory like /tmp (fs.protected_regular).
int open_lock(const char* path, int access) {
  const int fd = open_file(AT_FDCWD, path, access);
  return fd == -ENOENT ? open_file(AT_FDCWD, path, access | O_CREAT, 0666) : fd;
}

int set_lock(int fd, int command, short type) {
  struct flock lock = {};  // from the first byte to behind the last
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return sys::fcntl(fd, command, sys::as_argument(&lock));
}

bool leads_to(const char* path, int fd) {
  struct stat there;
  struct stat own;
  return sys::fstatat(AT_FDCWD, path, &there, 0) == 0 && sys::fstat(fd, &own) == 0 &&
         there.st_dev == own.st_dev && there.st_ino == own.st_ino;
}

int lock_file(const char* path, unsigned flags) {
  const bool shared = (flags & RT_SHARED) != 0;
  // Again whenever somebody has replaced or removed the file meanwhile.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Descriptor file(open_lock(path, shared ? O_RDONLY : O_RDWR));
    if (file.failed()) return file.get();
    const int result = set_lock(file.get(), (flags & RT_WAIT) != 0 ? F_OFD_SETLKW : F_OFD_SETLK,
                                shared ? F_RDLCK : F_WRLCK);
    if (result != 0) return result;
    if (leads_to(path, file.get())) return file.take();
  }
  return -EAGAIN;
}

}  // namespace

int rt_file_lock(const char* path, unsigned flags) {
  if (path == nullptr || (flags & ~(RT_SHARED | RT_WAIT)) != 0) return fail(-EINVAL);
  return answer(lock_file(path, flags));
}

int rt_file_unlock(int lock) {
  // Closing alone would leave it to a child that has a copy.
  const int result = set_lock(lock, F_OFD_SETLK, F_UNLCK);
  const int closed = Descriptor(lock).close();
  return answer(result != 0 ? result : closed);
}
