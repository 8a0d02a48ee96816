// Whether a directory that is ingested again is as it was.
#pragma once

#include "manifest/manifest.h"

namespace vfs {

// The newest snapshot with this message and no parent, if its tree is just
// `top` (nodes sorted by name; files with digests, no tree ids needed). Read
// from its index: no row of the tree is. Nothing if there is no sound index.
// Throws Error if the manifest cannot be read.
std::optional<Snapshot> equal_snapshot(const Store& store, Manifest& manifest,
                                       std::string_view message, const TreeNode& top);

}  // namespace vfs
