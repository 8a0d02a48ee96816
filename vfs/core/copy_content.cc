#include "vfs/core/copy_content.h"

#include <linux/fs.h>
#include <sys/resource.h>

#include "vfs/core/write_all.h"

namespace vfs {
namespace {

constexpr off_t kToTheEnd = off_t{1} << 62;

// One step of a copy within the kernel, from where both descriptors stand: how
// much was moved, 0 at the end, or a negative errno; then neither has moved.
using Step = long (*)(int from, int to, off_t length);

long within_file_system(int from, int to, off_t length) {
  return sys::call(SYS_copy_file_range, from, 0, to, 0, length, 0);
}

long within_kernel(int from, int to, off_t length) { return sys::call(SYS_sendfile, to, from, 0, length); }

// Across file systems, old kernels, files of /proc, pipes: another means may do.
bool is_no_means(long error) {
  return error == -EXDEV || error == -ENOSYS || error == -EINVAL || error == -EOPNOTSUPP || error == -EBADF;
}

// Moves up to `length` bytes, which is then what is left, as far as this means
// goes. 1: to the end, 0: another has to go on, or a negative errno.
int move_by(Step step, int from, int to, off_t& length) {
  for (bool moved = false; length > 0;) {
    const long count = step(from, to, length);
    if (count > 0) {
      length -= count;
      moved = true;
    } else if (count == 0) {
      // What calls itself empty may hold something, as files of /proc do: only
      // reading shows it.
      return moved ? 1 : 0;
    } else if (count != -EINTR) {
      return is_no_means(count) ? 0 : static_cast<int>(count);
    }
  }
  return 1;
}

int read_and_write(int from, int to, off_t length) {
  char buffer[16 * 1024];
  while (length > 0) {
    const size_t wanted = length < off_t{sizeof(buffer)} ? static_cast<size_t>(length) : sizeof(buffer);
    const long count = sys::read(from, buffer, wanted);
    if (count == -EINTR) continue;
    if (count <= 0) return static_cast<int>(count);
    const int result = write_all(to, buffer, static_cast<size_t>(count));
    if (result != 0) return result;
    length -= count;
  }
  return 0;
}

// Moves up to `length` bytes, less only at the end of the file, from where both
// descriptors stand.
int copy_range(int from, int to, off_t length) {
  int result = move_by(within_file_system, from, to, length);
  if (result == 0) result = move_by(within_kernel, from, to, length);
  if (result == 0) return read_and_write(from, to, length);
  return result == 1 ? 0 : result;
}

// Copies what is data and leaves the holes: SEEK_DATA must answer the same
// before and after the first write.
int copy_segments(int from, int to, off_t size) {
  for (off_t at = 0; at < size;) {
    const off_t data = sys::lseek(from, at, SEEK_DATA);
    if (data == -ENXIO) break;
    // A file system that does not know holes only looks as if it had some.
    if (data == -EINVAL && at == 0) return copy_range(from, to, kToTheEnd);
    const off_t hole = data < 0 ? data : sys::lseek(from, data, SEEK_HOLE);
    if (hole < 0) return static_cast<int>(hole);
    if (sys::lseek(from, data, SEEK_SET) != data || sys::lseek(to, data, SEEK_SET) != data) return -EIO;
    const int result = copy_range(from, to, hole - data);
    if (result != 0) return result;
    at = sys::lseek(from, 0, SEEK_CUR);
    // It ends before it said it would: it was cut, or is one of /sys, which all
    // call themselves a page.
    if (at < hole) size = at;
  }
  // The hole at the end; less of it if the file was cut meanwhile.
  struct stat now;
  const int known = sys::fstat(from, &now);
  return known != 0 ? known : sys::ftruncate(to, now.st_size < size ? now.st_size : size);
}

// Beyond the limit the kernel would also send SIGXFSZ, for a write that the
// program has not made.
bool is_over_limit(off_t size) {
  struct rlimit limit = {};  // without optimization the compiler does not see that the kernel fills it
  return sys::call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, sys::as_argument(&limit)) == 0 &&
         static_cast<rlim_t>(size) > limit.rlim_cur;
}

}  // namespace

int copy_content(int from, int to) {
  struct stat status;
  struct stat target;
  int known = sys::fstat(from, &status);
  if (known == 0) known = sys::fstat(to, &target);
  if (known != 0) return known;
  if (S_ISREG(status.st_mode) && S_ISREG(target.st_mode)) {
    if (is_over_limit(status.st_size)) return -EFBIG;
    if (sys::call(SYS_ioctl, to, FICLONE, from) == 0) return 0;
    if (status.st_blocks * 512 < status.st_size) return copy_segments(from, to, status.st_size);
  }
  return copy_range(from, to, kToTheEnd);
}

}  // namespace vfs
