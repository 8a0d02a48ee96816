#include <sys/uio.h>

#include "vfs/cap/calls.h"
#include "vfs/core/write_all.h"

namespace vfs::cap {

int64_t console_write(Capability& console, uint32_t stream, Bytes bytes, bool line) {
  if (stream != VFS_CONSOLE_OUTPUT && stream != VFS_CONSOLE_ERROR) return -EINVAL;
  if (bytes.at == nullptr && bytes.size != 0) return -EINVAL;
  if ((console.rights & kMayWrite) == 0) return -EACCES;
  const int fd = static_cast<int>(stream);
  char newline = '\n';
  // At once, so that a line stays one among those of others.
  const struct iovec parts[2] = {{const_cast<char*>(bytes.at), bytes.size}, {&newline, 1}};
  const size_t whole = bytes.size + (line ? 1 : 0);
  long written = 0;
  do {
    written = sys::call(SYS_writev, fd, sys::as_argument(parts), line ? 2 : 1);
  } while (written == -EINTR);
  if (written < 0) return written;
  const auto done = static_cast<size_t>(written);
  if (done < whole) {
    const size_t text_done = done < bytes.size ? done : bytes.size;
    int result = write_all(fd, bytes.at + text_done, bytes.size - text_done);
    if (result == 0 && line) result = write_all(fd, &newline, 1);
    if (result != 0) return result;
  }
  return static_cast<int64_t>(bytes.size);
}

int64_t console_read(Capability& console, Space space) {
  if ((console.rights & kMayRead) == 0) return -EACCES;
  if (space.at == nullptr && space.size != 0) return -EINVAL;
  long count = 0;
  do {
    count = sys::read(0, space.at, space.size);
  } while (count == -EINTR);
  return count;
}

}  // namespace vfs::cap
