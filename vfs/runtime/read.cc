#include "vfs/runtime/bytes.h"
#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

namespace vfs::runtime {
namespace {

// For what does not say how large it is: /proc, pipes, empty files.
constexpr size_t kUnknown = 4096;

}  // namespace

int read_all(int fd, Bytes& out) {
  struct stat status;
  int result = sys::fstat(fd, &status);
  if (result != 0) return result;
  // The promise may be kept or not: the file may grow, shrink, or be one of
  // /sys. Behind it one byte to meet the end with, and one for the NUL.
  const size_t promised = S_ISREG(status.st_mode) ? static_cast<size_t>(status.st_size) : 0;
  if (promised > PTRDIFF_MAX - 2) return -EFBIG;
  const size_t start = out.size;
  result = out.reserve(promised != 0 ? promised + 2 : kUnknown);
  while (result == 0) {
    const size_t wanted = out.room - out.size - 1;
    const long count = sys::read(fd, out.at + out.size, wanted);
    if (count == -EINTR) continue;
    if (count < 0) return static_cast<int>(count);
    out.size += static_cast<size_t>(count);
    // More was asked for than the file promised, so it ended with just that:
    // asking once more would show only what was added since.
    if (count == 0 || out.size - start == promised) break;
    result = out.reserve(2);
  }
  if (result == 0) out.at[out.size] = '\0';
  return result;
}

}  // namespace vfs::runtime

using namespace vfs::runtime;

char* rt_file_read_text(const char* path, size_t* size) {
  if (path == nullptr) return fail_null(-EINVAL);
  const Descriptor file(open_file(AT_FDCWD, path, O_RDONLY));
  if (file.failed()) return fail_null(file.get());
  Bytes bytes;
  const int result = read_all(file.get(), bytes);
  if (result != 0) return fail_null(result);
  // What was only room goes back. That it cannot be is no failure.
  if (bytes.room - bytes.size > 2) bytes.resize(bytes.size + 1);
  if (size != nullptr) *size = bytes.size;
  return bytes.take();
}
