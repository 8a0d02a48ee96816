// The capability set of this process: found out from its environment at the first question.
#pragma once

#include "vfs/cap/capability.h"

namespace vfs::cap {

// Opens what is called `name`. Errors as of vfs_cap_get().
int open_named(const char* name, size_t length, Capability*& opened);

// The workspace that in_tree capabilities are of; only for those.
Workspace& workspace();

// Whether the real path `name` belongs to the workspace, be that usable or not: as the real root
// or as a part of its state. What is there is reached by capabilities of the tree alone.
bool is_of_workspace(const PathBuffer& name);
// Whether the directory `name` is above such places.
bool is_above_workspace(const PathBuffer& name);

// For _start: there is no libc that would keep it.
void set_environment(const char* const* variables);

}  // namespace vfs::cap
