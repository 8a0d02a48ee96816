// Finishing or undoing what a command that was killed had begun.
#pragma once

#include "vfs/command/context.h"

namespace vfs {

// Does what the journal says, if there is one: afterwards the workspace is as it
// was before the command, or as the command would have left it, with everything
// that programs have written since. Can itself be killed and repeated. Only under
// a BaseLock. Throws Error.
void recover(OpenWorkspace& workspace);

}  // namespace vfs
