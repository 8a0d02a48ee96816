#include "vfs/core/identity.h"

#include "vfs/core/descriptor_name.h"
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

bool may_differ(const Workspace& workspace, const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_dev == workspace.device &&
         workspace.control->filter.may_have_changed(filter_key(status.st_ino));
}

void take(const Identity& identity, struct stat& status) {
  if (identity.draft != status.st_ino) return;
  status.st_ino = identity.inode;
  status.st_dev = identity.device;
}

}  // namespace

void keep_identity(Workspace& workspace, int fd, const struct stat& status) {
  struct stat own;
  if (sys::fstat(fd, &own) != 0) return;
  const Identity identity = {own.st_ino, status.st_ino, status.st_dev};
  workspace.control->filter.announce(filter_key(own.st_ino));
  sys::call(SYS_fsetxattr, fd, sys::as_argument(kIdentityAttribute), sys::as_argument(&identity),
            sizeof(identity), 0);
}

void restore_identity(const Workspace& workspace, const char* path, struct stat& status) {
  Identity identity;
  if (may_differ(workspace, status) &&
      sys::call(SYS_lgetxattr, sys::as_argument(path), sys::as_argument(kIdentityAttribute),
                sys::as_argument(&identity), sizeof(identity)) == sizeof(identity)) {
    take(identity, status);
  }
}

void restore_identity(const Workspace& workspace, int fd, struct stat& status) {
  if (!may_differ(workspace, status)) return;
  Identity identity;
  long size = sys::call(SYS_fgetxattr, fd, sys::as_argument(kIdentityAttribute),
                        sys::as_argument(&identity), sizeof(identity));
  if (size == -EBADF) {  // O_PATH
    size = sys::call(SYS_getxattr, sys::as_argument(DescriptorName(fd).text),
                     sys::as_argument(kIdentityAttribute), sys::as_argument(&identity),
                     sizeof(identity));
  }
  if (size == sizeof(identity)) take(identity, status);
}

}  // namespace vfs
