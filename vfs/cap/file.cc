#include "vfs/cap/calls.h"
#include "vfs/cap/tree.h"

namespace vfs::cap {
namespace {

// A call on the descriptor, which goes on after a signal.
template <typename Call>
int64_t uninterrupted(Call call) {
  int64_t result = 0;
  do {
    result = call();
  } while (result == -EINTR);
  return result;
}

int check(const Capability& file, Rights right, const void* memory, size_t size) {
  if ((file.rights & right) == 0) return -EACCES;
  return memory == nullptr && size != 0 ? -EINVAL : 0;
}

bool is_usable(const Capability& file) {
  return (file.rights & (kMayRead | kMayWrite)) != 0;
}

bool is_position(uint64_t position) {
  return position <= INT64_MAX;
}

bool is_time(const vfs_time& time) {
  return time.zero == 0 && (time.nanoseconds < 1'000'000'000 || time.nanoseconds == VFS_TIME_NOW ||
                            time.nanoseconds == VFS_TIME_KEEP);
}

static_assert(VFS_TIME_NOW == UTIME_NOW && VFS_TIME_KEEP == UTIME_OMIT);

struct timespec to_timespec(const vfs_time& time) {
  return {time.seconds, static_cast<long>(time.nanoseconds)};
}

}  // namespace

int64_t file_read(Capability& file, Space space) {
  const int checked = check(file, kMayRead, space.at, space.size);
  if (checked != 0) return checked;
  return uninterrupted([&] { return sys::read(file.fd, space.at, space.size); });
}

int64_t file_pread(Capability& file, Space space, uint64_t position) {
  const int checked = check(file, kMayRead, space.at, space.size);
  if (checked != 0) return checked;
  if (!is_position(position)) return -EINVAL;
  return uninterrupted([&] {
    return sys::call(SYS_pread64, file.fd, sys::as_argument(space.at),
                     static_cast<long>(space.size), static_cast<long>(position));
  });
}

int64_t file_write(Capability& file, Bytes bytes) {
  const int checked = check(file, kMayWrite, bytes.at, bytes.size);
  if (checked != 0) return checked;
  return uninterrupted([&] { return sys::write(file.fd, bytes.at, bytes.size); });
}

int64_t file_pwrite(Capability& file, Bytes bytes, uint64_t position) {
  const int checked = check(file, kMayWrite, bytes.at, bytes.size);
  if (checked != 0) return checked;
  if (!is_position(position)) return -EINVAL;
  return uninterrupted([&] {
    return sys::call(SYS_pwrite64, file.fd, sys::as_argument(bytes.at),
                     static_cast<long>(bytes.size), static_cast<long>(position));
  });
}

int64_t file_truncate(Capability& file, uint64_t size) {
  const int checked = check(file, kMayWrite, nullptr, 0);
  if (checked != 0) return checked;
  if (!is_position(size)) return -EINVAL;
  return uninterrupted([&] { return sys::ftruncate(file.fd, static_cast<off_t>(size)); });
}

int64_t file_set_times(Capability& file, const vfs_time& accessed, const vfs_time& modified) {
  const int checked = check(file, kMayWrite, nullptr, 0);
  if (checked != 0) return checked;
  if (!is_time(accessed) || !is_time(modified)) return -EINVAL;
  const struct timespec times[2] = {to_timespec(accessed), to_timespec(modified)};
  return sys::futimens(file.fd, times);
}

int64_t file_sync(Capability& file) {
  if (!is_usable(file)) return -EACCES;
  return uninterrupted([&] { return sys::call(SYS_fsync, file.fd); });
}

int64_t file_stat(Capability& file, vfs_status& status) {
  if (!is_usable(file)) return -EACCES;
  struct stat known;
  const int result = sys::fstat(file.fd, &known);
  if (result != 0) return result;
  if (file.in_tree) tree::correct_status(file, known);
  status = to_status(known);
  return 0;
}

int64_t file_seek(Capability& file, int64_t offset, uint32_t whence) {
  static_assert(VFS_SEEK_BEGINNING == 0 && VFS_SEEK_POSITION == 1 && VFS_SEEK_END == 2);
  if (!is_usable(file)) return -EACCES;
  if (whence > VFS_SEEK_END) return -EINVAL;
  return sys::lseek(file.fd, offset, static_cast<int>(whence));
}

}  // namespace vfs::cap
