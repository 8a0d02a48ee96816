// The capability set of this process: found out from its environment at the first question.
#pragma once

#include "vfs/cap/capability.h"

namespace vfs::cap {

// Opens what is called `name`. Errors as of vfs_cap_get().
int open_named(const char* name, size_t length, Capability*& opened);

// The workspace that in_tree capabilities are of; only for those, and where is_in_workspace().
Workspace& workspace();
bool is_in_workspace();

// For _start: there is no libc that would keep it.
void set_environment(const char* const* variables);

}  // namespace vfs::cap
