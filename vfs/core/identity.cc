#include "vfs/core/identity.h"

#include "vfs/core/descriptor_name.h"
#include "vfs/core/notes.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

struct Identity {
  uint64_t draft;  // the draft's own number: a copy of the attribute is void
  uint64_t inode;
  uint64_t device;
};

uint64_t filter_key(uint64_t inode) { return mix_hash(inode ^ 0x1b873593cc9e2d51ull, 0xd6e8feb86659fd93ull); }

// The same for the number that the base has.
uint64_t base_key(uint64_t inode) { return mix_hash(inode ^ 0x3c79ac492ba7b653ull, 0x1c69b3f74ac4ae35ull); }

bool may_differ(const Workspace& workspace, const struct stat& status) {
  return !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode) && status.st_dev == workspace.device &&
         workspace.control->filter.may_have_changed(filter_key(status.st_ino));
}

// When an inode was born tells it from an earlier one with its number. False:
// the file system does not know.
bool time_of_birth(int fd, const char* path, uint64_t& birth) {
  struct statx exact = {};
  if (sys::call(SYS_statx, fd, sys::as_argument(path), AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
                STATX_BTIME, sys::as_argument(&exact)) != 0 ||
      (exact.stx_mask & STATX_BTIME) == 0) {
    return false;
  }
  birth = static_cast<uint64_t>(exact.stx_btime.tv_sec) * 1'000'000'000 + exact.stx_btime.tv_nsec;
  return true;
}

constexpr char kGroup[] = "identities";

// A note tells the birth of the draft, and the number and device it had.
bool read_identity_note(const Workspace& workspace, int fd, const char* path, struct stat& status) {
  PathBuffer group;
  PathBuffer text;
  uint64_t numbers[3];
  uint64_t birth;
  if (!note_group(workspace, kGroup, group) || !read_note(group, status.st_ino, text)) {
    return false;
  }
  const char* cursor = text.text;
  for (uint64_t& number : numbers) {
    if (!read_key(cursor, number)) return false;
  }
  if (!time_of_birth(fd, path, birth) || birth != numbers[0]) return false;
  status.st_ino = numbers[1];
  status.st_dev = numbers[2];
  return true;
}

void write_identity_note(Workspace& workspace, int fd, const char* path, uint64_t draft,
                         const struct stat& status) {
  uint64_t birth;
  PathBuffer group;
  PathBuffer text;
  if (!time_of_birth(fd, path, birth) || !note_group(workspace, kGroup, group) ||
      !append_key(text, birth) || !append_key(text, status.st_ino) ||
      !append_key(text, status.st_dev)) {
    return;
  }
  write_note(workspace, group, draft, text);
  workspace.control->filter.announce(filter_key(draft));
}

bool take(const Identity& identity, struct stat& status) {
  if (identity.draft != status.st_ino) return false;
  status.st_ino = identity.inode;
  status.st_dev = identity.device;
  return true;
}

// The attribute of the draft, as `size` says that it was read; or else a note.
bool take_attribute(const Workspace& workspace, long size, const Identity& identity, int fd,
                    const char* path, struct stat& status) {
  if (size == sizeof(identity)) return take(identity, status);
  return size == -EACCES && read_identity_note(workspace, fd, path, status);
}

}  // namespace

void keep_identity(Workspace& workspace, int fd, const struct stat& status) {
  struct stat own;
  if (sys::fstat(fd, &own) != 0) return;
  if ((status.st_mode & S_IRUSR) == 0) {
    write_identity_note(workspace, fd, "", own.st_ino, status);
  }
  const Identity identity = {own.st_ino, status.st_ino, status.st_dev};
  workspace.control->filter.announce(filter_key(own.st_ino));
  announce_base_inode(workspace, status);
  sys::call(SYS_fsetxattr, fd, sys::as_argument(kIdentityAttribute), sys::as_argument(&identity),
            sizeof(identity), 0);
}

void announce_base_inode(Workspace& workspace, const struct stat& status) {
  workspace.control->filter.announce(base_key(status.st_ino));
}

bool may_have_changed(const Workspace& workspace, const struct stat& status) {
  return workspace.control->filter.may_have_changed(base_key(status.st_ino));
}

void keep_special_identity(Workspace& workspace, const char* path, const struct stat& status) {
  struct stat own;
  if (sys::lstat(path, &own) != 0) return;
  write_identity_note(workspace, AT_FDCWD, path, own.st_ino, status);
}

void keep_identity_unreadable(Workspace& workspace, int fd) {
  struct stat own;
  if (sys::fstat(fd, &own) != 0 || !S_ISREG(own.st_mode)) return;
  struct stat shown = own;
  if (restore_identity(workspace, fd, shown)) {
    write_identity_note(workspace, fd, "", own.st_ino, shown);
  }
}

bool restore_identity(const Workspace& workspace, const char* path, struct stat& status) {
  if (!may_differ(workspace, status)) return false;
  if (!S_ISREG(status.st_mode)) return read_identity_note(workspace, AT_FDCWD, path, status);
  Identity identity;
  const long size =
      sys::call(SYS_lgetxattr, sys::as_argument(path), sys::as_argument(kIdentityAttribute),
                sys::as_argument(&identity), sizeof(identity));
  return take_attribute(workspace, size, identity, AT_FDCWD, path, status);
}

bool restore_identity(const Workspace& workspace, int fd, struct stat& status) {
  if (!may_differ(workspace, status)) return false;
  if (!S_ISREG(status.st_mode)) return read_identity_note(workspace, fd, "", status);
  Identity identity;
  long size = sys::call(SYS_fgetxattr, fd, sys::as_argument(kIdentityAttribute),
                        sys::as_argument(&identity), sizeof(identity));
  if (size == -EBADF) {  // O_PATH
    size = sys::call(SYS_getxattr, sys::as_argument(DescriptorName(fd).text),
                     sys::as_argument(kIdentityAttribute), sys::as_argument(&identity),
                     sizeof(identity));
  }
  return take_attribute(workspace, size, identity, fd, "", status);
}

}  // namespace vfs
