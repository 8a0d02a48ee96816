// readlink and its kin.
#include <string.h>
#include <unistd.h>

#include "shim/descriptors.h"
#include "shim/table.h"
#include "vfs/core/names.h"
#include "vfs/core/open.h"

extern "C" {
ssize_t __readlink_chk(const char* path, char* buffer, size_t size, size_t buffer_size);
ssize_t __readlinkat_chk(int dirfd, const char* path, char* buffer, size_t size,
                         size_t buffer_size);
void __chk_fail(void) __attribute__((noreturn));
}

namespace {

using shim::no_follow;
using shim::Role;
using shim::workspace;
using vfs::Lookup;

// Links of /proc that lead to a draft or an object have to be read as the
// virtual path; gives the new length.
ssize_t translate_target(const char* path, char* buffer, ssize_t length, size_t size) {
  if (length <= 0 || (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/dev/", 5) != 0)) {
    return length;
  }
  vfs::PathBuffer rest;
  vfs::PathBuffer target;
  if (!target.assign(buffer, static_cast<uint32_t>(length))) return length;
  const int fd = shim::descriptor_of_path(path);
  if (fd >= 0) {
    shim::Located located;
    shim::locate_descriptor(fd, located);
    if (located.place == shim::Place::elsewhere || !located.path_known) return length;
    rest.assign(located.path);
  } else if (!workspace.to_virtual(target.text, target.length, rest)) {
    return length;
  }
  if (!workspace.live_path(rest, target)) return length;
  const size_t fits = target.length < size ? target.length : size;
  memcpy(buffer, target.text, fits);
  return static_cast<ssize_t>(fits);
}

// By a descriptor of the link itself (O_PATH): what upper has may be a record of it.
ssize_t plain_target(int fd, char* buffer, ssize_t length, size_t size) {
  vfs::PathBuffer target;
  vfs::Record record;
  if (length <= 0 || !shim::engaged() || !shim::read_descriptor_link(fd, target, record)) {
    return length;
  }
  if (record.kind != vfs::RecordKind::link) return length;
  const size_t whole = strlen(record.payload);
  const size_t fits = whole < size ? whole : size;
  memcpy(buffer, record.payload, fits);
  return static_cast<ssize_t>(fits);
}

struct ReadLink {
  static constexpr bool kUnseen = true;

  static long found(const Lookup& found, const auto& call) {
    const size_t size = call.template get<Role::size>();
    check_fortified(call);
    if (static_cast<ssize_t>(size) <= 0) return -EINVAL;
    if (!found.exists()) return -ENOENT;
    if (!found.is_link() && !found.is_unseen()) return -EINVAL;
    vfs::PathBuffer target;
    const int result = vfs::read_link(workspace, found, target);
    if (result != 0) return result;
    const size_t fits = target.length < size ? target.length : size;
    if (!shim::is_writable(call.template get<Role::buffer>(), fits)) return -EFAULT;
    memcpy(call.template get<Role::buffer>(), target.text, fits);
    return static_cast<long>(fits);
  }

  static ssize_t finish(const auto& call, ssize_t length) {
    if (*call.template get<Role::path>() == '\0') {
      return plain_target(call.template get_or<Role::dirfd>(int{AT_FDCWD}),
                          call.template get<Role::buffer>(), length,
                          call.template get<Role::size>());
    }
    return translate_target(call.template get<Role::path>(), call.template get<Role::buffer>(),
                            length, call.template get<Role::size>());
  }

  // The fortified forms end the program when the buffer is smaller than said.
  static void check_fortified(const auto& call) {
    const size_t size = call.template get<Role::size>();
    if (size > call.template get_or<Role::buffer_size>(size)) __chk_fail();
  }
};

}  // namespace

#define VFS_TABLE_LINKS
#include "shim/entry_points.def"
