// Opening a path of the tree from within the shim: for every libc function
// that opens by itself (fopen, opendir, mkstemp, ...).
#pragma once

#include "shim/locate.h"

namespace shim {

// Whether open(2) of `path` with these flags follows a link as its last component.
vfs::Follow follow_for_open(const char* path, int flags);

// Opens what was found and remembers what the descriptor is. The descriptor,
// or a negative errno.
long open_found(const vfs::Lookup& found, int flags, mode_t mode);

}  // namespace shim
