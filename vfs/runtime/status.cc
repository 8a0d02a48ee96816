#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

namespace {

int status_of(const char* path, struct stat& status) {
  return path == nullptr ? -EINVAL : sys::fstatat(AT_FDCWD, path, &status, 0);
}

}  // namespace

int rt_file_exists(const char* path) {
  struct stat status;
  const int result = status_of(path, status);
  if (result == -ENOENT || result == -ENOTDIR) return 0;
  return result == 0 ? 1 : fail(result);
}

int64_t rt_file_size(const char* path) {
  struct stat status;
  const int result = status_of(path, status);
  if (result != 0) return fail(result);
  if (!S_ISREG(status.st_mode)) return fail(S_ISDIR(status.st_mode) ? -EISDIR : -ENOTSUP);
  return status.st_size;
}

int rt_file_modified_time(const char* path, int64_t* nanoseconds) {
  if (nanoseconds == nullptr) return fail(-EINVAL);
  struct stat status;
  const int result = status_of(path, status);
  if (result != 0) return fail(result);
  const struct timespec& time = status.st_mtim;
  int64_t whole;
  if (__builtin_mul_overflow(int64_t{time.tv_sec}, int64_t{1'000'000'000}, &whole) ||
      __builtin_add_overflow(whole, int64_t{time.tv_nsec}, nanoseconds)) {
    return fail(-EOVERFLOW);
  }
  return 0;
}
