// Making and removing names. Each call answers as the system call of its name
// does: 0, or the negative errno of its man page. The look-ups must not have
// followed the last link. -ESTALE: the tree changed meanwhile; look up again.
#pragma once

#include "vfs/core/lookup.h"

namespace vfs {

int make_directory(Workspace& workspace, const Lookup& found, mode_t mode);
int make_node(Workspace& workspace, const Lookup& found, mode_t mode, dev_t device);
int make_symbolic_link(Workspace& workspace, const char* target, const Lookup& found);
int make_hard_link(Workspace& workspace, const Lookup& from, const Lookup& to);
// Gives the inode behind a descriptor of upper a name: linkat(2) with
// AT_EMPTY_PATH, or of /proc/self/fd/N. -EXDEV if it is not of upper's device.
int link_descriptor(Workspace& workspace, int fd, const Lookup& to);

int remove_file(Workspace& workspace, const Lookup& found);
int remove_directory(Workspace& workspace, const Lookup& found);

// `flags`: 0, RENAME_NOREPLACE or RENAME_EXCHANGE.
int rename_entry(Workspace& workspace, const Lookup& from, const Lookup& to, unsigned flags);

}  // namespace vfs
