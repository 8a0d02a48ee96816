// Running programs inside.
#pragma once

#include "vfs/command/fenced_run.h"
#include "vfs/io/process.h"

namespace vfs {

// Runs `arguments` with the shim in the workspace, at the virtual directory
// `directory` (absolute), and waits. SIGINT, SIGQUIT, SIGTERM and SIGHUP do not end us
// meanwhile: what the terminal sends the child gets too, what a process sends us is
// passed on. Behind `fenced`, unless it is null. Throws Error if it cannot be started.
io::ExitStatus run_inside(OpenWorkspace& workspace, std::string directory,
                          const std::vector<std::string>& arguments, const FencedRun* fenced = nullptr);

// Ends this process as the child ended: same exit status, or same signal.
[[noreturn]] void end_like(const io::ExitStatus& status);

// An interactive shell whose prompt says where it is.
io::ExitStatus run_shell(OpenWorkspace& workspace, const std::string& directory);

}  // namespace vfs
