// What the upper layer of a workspace holds.
#pragma once

#include "vfs/command/findings.h"
#include "vfs/command/workspace_state.h"

namespace vfs {

// Whether every record can be read and says of its object what is true, and, if
// the workspace can be opened (`can_open`), whether the change filter announces
// all that programs have to be shown. Hold the state's StateLock: the base must
// not move. Programs may go on. Throws Error.
void check_upper(const Store& store, const WorkspaceState& state, bool can_open, Findings& findings);

}  // namespace vfs
