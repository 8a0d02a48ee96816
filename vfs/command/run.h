// Running programs inside.
#pragma once

#include "vfs/command/context.h"

namespace vfs {

// Runs `arguments` with the shim in the workspace, at the virtual directory
// `directory` (absolute), and waits. Gives the wait status. Throws Error if it
// cannot be started.
int run_inside(OpenWorkspace& workspace, std::string directory,
               const std::vector<std::string>& arguments);

// Ends this process as the child ended: same exit status, or same signal.
[[noreturn]] void end_like(int wait_status);

// An interactive shell whose prompt says where it is.
int run_shell(OpenWorkspace& workspace, const std::string& directory);

}  // namespace vfs
