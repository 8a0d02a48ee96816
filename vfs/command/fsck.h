// Every invariant of a store and of the workspaces on it.
#pragma once

#include <functional>

#include "cas/store.h"
#include "vfs/command/findings.h"
#include "vfs/command/workspace_check.h"

namespace vfs {

struct FsckRules {
  Repair repair = Repair::no;
  WorkspaceRules workspaces;
  std::function<void()> waiting;  // called before it waits for commands that store something
};

struct Checked {
  uint64_t objects = 0;
  uint64_t workspaces = 0;
  Findings findings;
};

// Reads everything there is. To repair it keeps out, and waits for, every command
// that stores something; programs go on. Throws Error if the store cannot be read
// at all.
Checked check_all(const Store& store, const FsckRules& rules);

}  // namespace vfs
