// One workspace: what its state directory says, against root, manifest and upper.
#pragma once

#include "manifest/manifest.h"
#include "vfs/command/findings.h"
#include "vfs/command/leftovers.h"
#include "vfs/command/workspace_state.h"

namespace vfs {

struct WorkspaceRules {
  Grace grace;
  bool remove_orphans = false;  // also those whose upper holds changes
};

// A state whose root has no marker that names it is an orphan. It is removed once
// it is old enough, nobody has it open and, unless the rules say otherwise, it
// holds no changes. Hold a StoreLock, an exclusive one to repair. Programs inside
// may go on; a workspace in which a command is at work is skipped.
void check_workspace(const Store& store, Manifest& manifest, const WorkspaceState& state,
                     const WorkspaceRules& rules, Findings& findings);

// Why an orphan has to stay, in words; empty if it may be removed.
std::string why_orphan_stays(const WorkspaceState& state, const WorkspaceRules& rules);

}  // namespace vfs
