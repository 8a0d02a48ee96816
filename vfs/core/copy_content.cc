#include "vfs/core/copy_content.h"

#include <linux/fs.h>
#include <sys/resource.h>

#include "vfs/core/sys.h"

namespace vfs {
namespace {

int write_all(int to, const char* at, long count) {
  while (count > 0) {
    const long written = sys::write(to, at, static_cast<size_t>(count));
    if (written == -EINTR) continue;
    if (written < 0) return static_cast<int>(written);
    at += written;
    count -= written;
  }
  return 0;
}

// Moves up to `length` bytes, less only at the end of the file, from where both
// descriptors stand.
int copy_range(int from, int to, off_t length) {
  while (length > 0) {
    const long count = sys::call(SYS_copy_file_range, from, 0, to, 0, length, 0);
    if (count == 0) return 0;
    if (count > 0) {
      length -= count;
    } else if (count != -EINTR) {
      // Across file systems, old kernels, files of /proc: by hand, from where
      // it stopped (both offsets have moved alike).
      if (count != -EXDEV && count != -ENOSYS && count != -EINVAL && count != -EOPNOTSUPP) {
        return static_cast<int>(count);
      }
      break;
    }
  }
  char buffer[16 * 1024];
  while (length > 0) {
    const size_t wanted = length < off_t{sizeof(buffer)} ? static_cast<size_t>(length) : sizeof(buffer);
    const long count = sys::read(from, buffer, wanted);
    if (count == -EINTR) continue;
    if (count <= 0) return static_cast<int>(count);
    const int result = write_all(to, buffer, count);
    if (result != 0) return result;
    length -= count;
  }
  return 0;
}

// Copies what is data and leaves the holes: SEEK_DATA must answer the same
// before and after the first write.
int copy_segments(int from, int to, off_t size) {
  for (off_t at = 0; at < size;) {
    const off_t data = sys::lseek(from, at, SEEK_DATA);
    if (data == -ENXIO) break;
    const off_t hole = data < 0 ? data : sys::lseek(from, data, SEEK_HOLE);
    if (hole < 0) return static_cast<int>(hole);
    if (sys::lseek(from, data, SEEK_SET) != data || sys::lseek(to, data, SEEK_SET) != data) return -EIO;
    const int result = copy_range(from, to, hole - data);
    if (result != 0) return result;
    at = hole;
  }
  return sys::ftruncate(to, size);
}

}  // namespace

int copy_content(int from, int to) {
  struct stat status;
  const int known = sys::fstat(from, &status);
  if (known != 0) return known;
  // Beyond the limit the kernel would also send SIGXFSZ, for a write that the
  // program has not made.
  struct rlimit limit;
  if (sys::call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, sys::as_argument(&limit)) == 0 &&
      static_cast<rlim_t>(status.st_size) > limit.rlim_cur) {
    return -EFBIG;
  }
  if (sys::call(SYS_ioctl, to, FICLONE, from) == 0) return 0;
  if (status.st_blocks * 512 < status.st_size) return copy_segments(from, to, status.st_size);
  constexpr off_t kToTheEnd = off_t{1} << 62;
  return copy_range(from, to, kToTheEnd);
}

}  // namespace vfs
