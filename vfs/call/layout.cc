#include "vfs/call/layout.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <utime.h>

#include <algorithm>
#include <type_traits>

namespace vfs::call {
namespace {

template <typename Value>
Field describe(const char* name, size_t offset) {
  using Element = std::remove_extent_t<Value>;
  Field field;
  field.name = name;
  field.offset = offset;
  field.count = std::is_array_v<Value> ? std::max<size_t>(std::extent_v<Value>, 1) : 1;
  field.is_text = std::is_array_v<Value> && std::is_same_v<Element, char>;
  if constexpr (std::is_pointer_v<Element>) {
    field.kind = Kind::pointer;
  } else if constexpr (std::is_same_v<Element, char>) {
    field.kind = Kind::character;
  } else if constexpr (std::is_integral_v<Element>) {
    constexpr Kind kSigned[] = {Kind::signed_char, Kind::signed_short, Kind::signed_int, Kind::signed_long};
    constexpr Kind kUnsigned[] = {Kind::unsigned_char, Kind::unsigned_short, Kind::unsigned_int, Kind::unsigned_long};
    constexpr size_t kWidth = sizeof(Element) == 1 ? 0 : sizeof(Element) == 2 ? 1 : sizeof(Element) == 4 ? 2 : 3;
    field.kind = std::is_signed_v<Element> ? kSigned[kWidth] : kUnsigned[kWidth];
  } else {
    field.kind = Kind::structure;
    if constexpr (std::is_same_v<Element, struct timespec>) field.structure = "timespec";
    if constexpr (std::is_same_v<Element, struct timeval>) field.structure = "timeval";
    if constexpr (std::is_same_v<Element, struct statx_timestamp>) field.structure = "statx_timestamp";
  }
  return field;
}

#define VFS_FIELD(type, field) describe<decltype(type::field)>(#field, offsetof(type, field))

std::vector<Layout> make_layouts() {
  std::vector<Layout> all;
  using Stat = struct stat;
  const std::vector<Field> stat_fields = {
      VFS_FIELD(Stat, st_dev), VFS_FIELD(Stat, st_ino), VFS_FIELD(Stat, st_mode), VFS_FIELD(Stat, st_nlink),
      VFS_FIELD(Stat, st_uid), VFS_FIELD(Stat, st_gid), VFS_FIELD(Stat, st_rdev), VFS_FIELD(Stat, st_size),
      VFS_FIELD(Stat, st_blksize), VFS_FIELD(Stat, st_blocks), VFS_FIELD(Stat, st_atim),
      VFS_FIELD(Stat, st_mtim), VFS_FIELD(Stat, st_ctim)};
  // On 64 bits both are one structure with two names.
  all.push_back({"stat", sizeof(Stat), stat_fields});
  all.push_back({"stat64", sizeof(Stat), stat_fields});
  using Statx = struct statx;
  all.push_back({"statx", sizeof(Statx),
                 {VFS_FIELD(Statx, stx_mask), VFS_FIELD(Statx, stx_blksize), VFS_FIELD(Statx, stx_attributes),
                  VFS_FIELD(Statx, stx_nlink), VFS_FIELD(Statx, stx_uid), VFS_FIELD(Statx, stx_gid),
                  VFS_FIELD(Statx, stx_mode), VFS_FIELD(Statx, stx_ino), VFS_FIELD(Statx, stx_size),
                  VFS_FIELD(Statx, stx_blocks), VFS_FIELD(Statx, stx_attributes_mask), VFS_FIELD(Statx, stx_atime),
                  VFS_FIELD(Statx, stx_btime), VFS_FIELD(Statx, stx_ctime), VFS_FIELD(Statx, stx_mtime),
                  VFS_FIELD(Statx, stx_rdev_major), VFS_FIELD(Statx, stx_rdev_minor),
                  VFS_FIELD(Statx, stx_dev_major), VFS_FIELD(Statx, stx_dev_minor)}});
  all.push_back({"statx_timestamp", sizeof(statx_timestamp),
                 {VFS_FIELD(statx_timestamp, tv_sec), VFS_FIELD(statx_timestamp, tv_nsec)}});
  all.push_back({"timespec", sizeof(timespec), {VFS_FIELD(timespec, tv_sec), VFS_FIELD(timespec, tv_nsec)}});
  all.push_back({"timeval", sizeof(timeval), {VFS_FIELD(timeval, tv_sec), VFS_FIELD(timeval, tv_usec)}});
  all.push_back({"utimbuf", sizeof(utimbuf), {VFS_FIELD(utimbuf, actime), VFS_FIELD(utimbuf, modtime)}});
  using Flock = struct flock;
  const std::vector<Field> flock_fields = {VFS_FIELD(Flock, l_type), VFS_FIELD(Flock, l_whence),
                                           VFS_FIELD(Flock, l_start), VFS_FIELD(Flock, l_len),
                                           VFS_FIELD(Flock, l_pid)};
  all.push_back({"flock", sizeof(Flock), flock_fields});
  all.push_back({"flock64", sizeof(Flock), flock_fields});
  all.push_back({"iovec", sizeof(iovec), {VFS_FIELD(iovec, iov_base), VFS_FIELD(iovec, iov_len)}});
  const std::vector<Field> dirent_fields = {VFS_FIELD(dirent, d_ino), VFS_FIELD(dirent, d_off),
                                            VFS_FIELD(dirent, d_reclen), VFS_FIELD(dirent, d_type),
                                            VFS_FIELD(dirent, d_name)};
  all.push_back({"dirent", sizeof(dirent), dirent_fields});
  all.push_back({"dirent64", sizeof(dirent), dirent_fields});
  using Statfs = struct statfs;
  all.push_back({"statfs", sizeof(Statfs),
                 {VFS_FIELD(Statfs, f_type), VFS_FIELD(Statfs, f_bsize), VFS_FIELD(Statfs, f_blocks),
                  VFS_FIELD(Statfs, f_bfree), VFS_FIELD(Statfs, f_bavail), VFS_FIELD(Statfs, f_files),
                  VFS_FIELD(Statfs, f_ffree), VFS_FIELD(Statfs, f_namelen), VFS_FIELD(Statfs, f_flags)}});
  using Statvfs = struct statvfs;
  all.push_back({"statvfs", sizeof(Statvfs),
                 {VFS_FIELD(Statvfs, f_bsize), VFS_FIELD(Statvfs, f_frsize), VFS_FIELD(Statvfs, f_blocks),
                  VFS_FIELD(Statvfs, f_bfree), VFS_FIELD(Statvfs, f_bavail), VFS_FIELD(Statvfs, f_files),
                  VFS_FIELD(Statvfs, f_ffree), VFS_FIELD(Statvfs, f_favail), VFS_FIELD(Statvfs, f_fsid),
                  VFS_FIELD(Statvfs, f_flag), VFS_FIELD(Statvfs, f_namemax)}});
  all.push_back({"open_how", sizeof(open_how),
                 {VFS_FIELD(open_how, flags), VFS_FIELD(open_how, mode), VFS_FIELD(open_how, resolve)}});
  all.push_back({"sockaddr_un", sizeof(sockaddr_un), {VFS_FIELD(sockaddr_un, sun_family), VFS_FIELD(sockaddr_un, sun_path)}});
  all.push_back({"pollfd", sizeof(pollfd), {VFS_FIELD(pollfd, fd), VFS_FIELD(pollfd, events), VFS_FIELD(pollfd, revents)}});
  all.push_back({"rlimit", sizeof(rlimit), {VFS_FIELD(rlimit, rlim_cur), VFS_FIELD(rlimit, rlim_max)}});
  return all;
}
#undef VFS_FIELD

}  // namespace

const Layout* find_layout(std::string_view name) {
  static const std::vector<Layout> all = make_layouts();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Layout& one) { return one.name == name; });
  return found != all.end() ? &*found : nullptr;
}

}  // namespace vfs::call
