// The control file of a workspace that is not, or cannot be, opened.
#pragma once

#include <optional>
#include <string>

#include "vfs/command/findings.h"
#include "vfs/core/control.h"

namespace vfs {

// The kind of base it says; after a repair, if it was repaired. Nothing if it
// cannot be told. A control file that is damaged is written again: what upper may
// have a say on is then everything, which costs time and nothing else. `shown`
// names the workspace.
std::optional<BaseKind> check_control(const std::string& state, const std::string& shown, Findings& findings);

// Lets processes notice that the base is another. Throws Error.
void raise_generation(const std::string& state);

}  // namespace vfs
