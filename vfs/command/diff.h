// Unified diffs of what changed.
#pragma once

#include "vfs/command/changes.h"

namespace vfs {

// Prints the differences of two sides at the changed paths: unified diff for
// text, one line for binary files, links and types. `stat` prints counts of
// lines only.
void print_diff(const std::vector<Change>& changes, Reference& before, Reference& after, bool stat);

}  // namespace vfs
