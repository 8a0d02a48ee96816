// Identity: a file keeps its st_dev and st_ino when it is copied up.
//
// The draft carries the identity it had in the base in an extended attribute.
// Asking for that attribute at every stat would cost a system call, so the
// change filter has a bit for the inode numbers of drafts that carry one.
#pragma once

#include <sys/stat.h>

#include "vfs/core/workspace.h"

namespace vfs {

// Hidden from programs by the shim.
constexpr char kIdentityAttribute[] = "user.vfs.identity";

// Lets the new inode behind `fd` appear as the one of `status` from now on.
// Does nothing where the file system has no extended attributes: then the
// number changes, as it does on overlayfs.
void keep_identity(Workspace& workspace, int fd, const struct stat& status);

// If the inode carries another identity, puts it into `status`. By absolute
// path (not followed), or by descriptor.
void restore_identity(const Workspace& workspace, const char* path, struct stat& status);
void restore_identity(const Workspace& workspace, int fd, struct stat& status);

}  // namespace vfs
