#include "vfs/core/directory_mode.h"

#include "vfs/core/identity.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

struct ShownMode {
  uint64_t inode;  // the directory's own number: a copy of the attribute is void
  uint32_t mode;   // permission bits
  uint32_t uid;
  uint32_t gid;
  uint32_t reserved;
};

uint64_t inode_key(uint64_t inode) { return mix_hash(inode ^ 0x27d4eb2f165667c5ull, 0x85ebca77c2b2ae63ull); }

bool lets_owner_do_all(mode_t mode) { return (mode & S_IRWXU) == S_IRWXU; }

int store(Workspace& workspace, const char* directory, const struct stat& real,
          const struct stat& wanted) {
  const ShownMode shown = {real.st_ino, wanted.st_mode & 07777u, wanted.st_uid, wanted.st_gid, 0};
  workspace.control->filter.announce(inode_key(real.st_ino));
  return sys::lsetxattr(directory, kIdentityAttribute, &shown, sizeof(shown));
}

void announce_mode(Workspace& workspace, uint64_t hash, const struct stat& wanted, bool stored) {
  ChangeFilter& filter = workspace.control->filter;
  if (stored || (wanted.st_mode & S_ISVTX) != 0) filter.announce(guarded_key(hash));
  if (!is_searchable(workspace, wanted.st_mode, wanted.st_uid)) filter.announce(closed_key(hash));
}

// As far as it is allowed: the owner, or only the group.
int give(const char* directory, const struct stat& wanted, struct stat& real) {
  if (real.st_uid == wanted.st_uid && real.st_gid == wanted.st_gid) return 0;
  if (sys::lchown(directory, wanted.st_uid, wanted.st_gid) != 0) {
    sys::lchown(directory, static_cast<uid_t>(-1), wanted.st_gid);
  }
  return sys::lstat(directory, &real);
}

}  // namespace

bool show_directory_mode(const Workspace& workspace, const char* directory, struct stat& status) {
  const bool guarded = !lets_owner_do_all(status.st_mode) || (status.st_mode & S_ISVTX) != 0;
  if (!workspace.control->filter.may_have_changed(inode_key(status.st_ino))) return guarded;
  ShownMode shown;
  const long size = sys::call(SYS_lgetxattr, sys::as_argument(directory),
                              sys::as_argument(kIdentityAttribute), sys::as_argument(&shown),
                              sizeof(shown));
  if (size != sizeof(shown) || shown.inode != status.st_ino) return guarded;
  status.st_mode = S_IFDIR | shown.mode;
  status.st_uid = shown.uid;
  status.st_gid = shown.gid;
  return true;
}

int set_directory_mode(Workspace& workspace, const char* directory, uint64_t hash,
                       const struct stat& wanted) {
  struct stat real;
  int result = sys::lstat(directory, &real);
  if (result != 0) return result;
  const bool had = workspace.control->filter.may_have_changed(inode_key(real.st_ino));
  result = give(directory, wanted, real);
  if (result != 0) return result;
  const mode_t mode = wanted.st_mode & 07777;
  bool differs = !lets_owner_do_all(mode) || real.st_uid != wanted.st_uid ||
                 real.st_gid != wanted.st_gid;
  announce_mode(workspace, hash, wanted, differs);
  if (differs) {
    // The attribute asks for the right to write, and says the new mode at once.
    if (!lets_owner_do_all(real.st_mode)) result = sys::chmod(directory, mode | S_IRWXU);
    if (result == 0) store(workspace, directory, real, wanted);
  }
  if (result == 0 && (real.st_mode & 07777) != (mode | S_IRWXU)) {
    result = sys::chmod(directory, mode | S_IRWXU);
  }
  if (result != 0) return result;
  if (!differs && (mode & S_ISGID) != 0 && sys::lstat(directory, &real) == 0 &&
      (real.st_mode & S_ISGID) == 0) {
    // Taken away because the process is not in the group.
    differs = true;
    announce_mode(workspace, hash, wanted, true);
    store(workspace, directory, real, wanted);
  }
  if (!differs && had) {
    sys::lremovexattr(directory, kIdentityAttribute);
  }
  return 0;
}

int unlock_directory(Workspace& workspace, const char* directory, uint64_t hash) {
  struct stat status;
  const int result = sys::lstat(directory, &status);
  if (result != 0 || !S_ISDIR(status.st_mode) || lets_owner_do_all(status.st_mode)) return result;
  show_directory_mode(workspace, directory, status);
  return set_directory_mode(workspace, directory, hash, status);
}

}  // namespace vfs
