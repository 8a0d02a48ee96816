// Sealing: upper becomes a snapshot, and the base moves to it.
#pragma once

#include "vfs/command/context.h"

namespace vfs {

struct CommitResult {
  Snapshot snapshot;
  bool changed;      // false: nothing to commit, `snapshot` is the old head
  uint64_t in_use;   // drafts that stay drafts: someone has them open for writing
};

// Commits the merged tree, unless it is as the last commit has it (directories
// may have other times). A live base stays live (the snapshot is recorded
// and becomes the head); otherwise the base becomes the new snapshot and upper
// is tidied. Can be killed at any point and repeated. Throws Error.
CommitResult commit(OpenWorkspace& workspace, const std::string& message);

}  // namespace vfs
