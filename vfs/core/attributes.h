// Mode, owner, times, size, access by path. Each call answers as the system
// call of its name does. The look-up decides whether a link is followed.
// -ESTALE: the tree changed meanwhile; look up again.
#pragma once

#include "vfs/core/lookup.h"

namespace vfs {

// st_* as lstat(2) of the looked-up path; exact also for st_nlink of merged
// directories, which a look-up leaves approximate.
int get_status(Workspace& workspace, const Lookup& found, struct stat& status);

int change_mode(Workspace& workspace, const Lookup& found, mode_t mode);
// -1 leaves the user or group as it is.
int change_owner(Workspace& workspace, const Lookup& found, uid_t uid, gid_t gid);
// `times`: {access, modification} with UTIME_NOW and UTIME_OMIT, or null.
int change_times(Workspace& workspace, const Lookup& found, const struct timespec* times);
int truncate_file(Workspace& workspace, const Lookup& found, off_t length);

// access(2): `mask` of R_OK, W_OK, X_OK or F_OK; effective or real ids.
int test_access(Workspace& workspace, const Lookup& found, int mask, bool effective);

}  // namespace vfs
