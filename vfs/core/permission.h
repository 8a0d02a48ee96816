// Who may do what, where the kernel cannot be asked: sealed files have no
// inode of their own, and a directory of upper lets its owner do everything,
// whatever it shows to programs (see directory_mode.h).
#pragma once

#include "vfs/core/lookup.h"

namespace vfs {

// Whether the calling process may access something with this status: `mask`
// as in access(2); effective or real ids. 0 or -EACCES. Asks the kernel for
// nothing if the mode lets everybody.
int check_access(const struct stat& status, int mask, bool effective);

// Whether it may because it is the owner, whom the mode grants it: then no
// access control list has a say.
bool is_granted_to_owner(const struct stat& status, int mask, bool effective);

// Whether the process may change mode and times: it owns the file, or
// CAP_FOWNER.
bool is_owner(const struct stat& status);

// chmod(2) as far as it is the caller's right; takes the set-group-id bit out
// of `mode` where the kernel would. 0 or -EPERM.
int check_mode_change(const struct stat& status, mode_t& mode);
// chown(2). 0 or -EPERM.
int check_owner_change(const struct stat& status, uid_t uid, gid_t gid);

// Whether a directory lets the owner of the workspace through. Others than
// that user and root cannot come to the store at all, so this much needs no
// system call; what it denies check_access() decides.
inline bool is_searchable(const Workspace& workspace, mode_t mode, uid_t uid) {
  return (mode & 0111) == 0111 || (uid == workspace.owner && (mode & S_IXUSR) != 0);
}

enum class NameChange : bool { make, remove };

// Whether the process may make the missing name `found`, or remove or replace
// the one that is there; and that upper has the directory which holds it. To
// be called before anything else is changed. 0 or a negative errno.
int prepare_parent(Workspace& workspace, const Lookup& found, NameChange change);

}  // namespace vfs
