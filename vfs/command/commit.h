// Sealing: upper becomes a snapshot, and the base moves to it.
#pragma once

#include <functional>

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
//
// Programs may go on. A file that is gone when it is to be read is not part of the
// snapshot; where a directory was moved meanwhile, the tree is looked at once more.
// `recorded`: for tests; called when the snapshot is recorded, and the base not moved.
CommitResult commit(OpenWorkspace& workspace, const std::string& message,
                    const std::function<void()>& recorded = {});

}  // namespace vfs
