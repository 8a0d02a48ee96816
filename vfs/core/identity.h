// Identity: a file keeps its st_dev and st_ino when it is copied up.
//
// The draft carries the identity it had in the base in an extended attribute.
// Special files cannot have one, and that of a file without read permission
// cannot be read: theirs is in a note, which counts as long as the inode was born
// at the moment the note says. (Links tell it themselves:
// record.h.) Asking at every stat would cost a system call, so the change filter
// has a bit for the inode numbers of drafts that have another identity.
#pragma once

#include <sys/stat.h>

#include "vfs/core/workspace.h"

namespace vfs {

// What upper's own attributes begin with: hidden from programs by the shim.
constexpr char kOwnAttributes[] = "user.vfs.";
constexpr char kIdentityAttribute[] = "user.vfs.identity";

// Lets the new inode behind `fd` appear as the one of `status` from now on.
// Does nothing where the file system has no extended attributes: then the
// number changes, as it does on overlayfs.
void keep_identity(Workspace& workspace, int fd, const struct stat& status);
// The same for the new special file at the absolute path `path`.
void keep_special_identity(Workspace& workspace, const char* path, const struct stat& status);

// The file of the base with this status is about to be copied up or to lose a
// name: what the kernel says of its inode is not the whole any more.
void announce_base_inode(Workspace& workspace, const struct stat& status);
bool may_have_changed(const Workspace& workspace, const struct stat& status);

// To be called before the draft behind `fd` gets a mode that does not let its
// owner read the attribute.
void keep_identity_unreadable(Workspace& workspace, int fd);

// If the inode carries another identity, puts it into `status` and returns true.
// By absolute path (not followed), or by descriptor.
bool restore_identity(const Workspace& workspace, const char* path, struct stat& status);
bool restore_identity(const Workspace& workspace, int fd, struct stat& status);

}  // namespace vfs
