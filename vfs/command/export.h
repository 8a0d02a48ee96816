// Writing a tree as real files, and showing it.
#pragma once

#include "vfs/command/context.h"

namespace vfs {

// Writes the merged tree of a workspace, or a snapshot, to `directory`, which
// must be missing or empty: contents, modes, owners (as root), mtimes, links,
// hard links. One that is missing appears when it is complete. Throws Error.
void export_workspace(OpenWorkspace& workspace, const std::string& directory);
void export_snapshot(const ObjectStore& objects, Manifest& manifest, const Snapshot& snapshot,
                     const std::string& directory);

}  // namespace vfs
