// The file that is really started or loaded for a file of the tree.
#pragma once

#include "vfs/core/lookup.h"

namespace shim {

// For a regular file: the draft, the live file, or for a sealed one the hard
// link `run/<path>` to its object, made on demand. That name, unlike the
// object's, can be mapped back: /proc/self/exe, the process's name and $ORIGIN
// come from it. 0 or a negative errno.
int startable_path(const vfs::Lookup& found, vfs::PathBuffer& real);

// The second half of that: for a sealed file, whose object `real` is, gives the
// name under which it is started.
void name_for_start(const vfs::PathBuffer& path, vfs::PathBuffer& real);

// Makes the directories of `path` below `existing` bytes of it.
int make_directories(const vfs::PathBuffer& path, uint32_t existing);

}  // namespace shim
