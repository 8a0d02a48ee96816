// Making workspaces, and what the state of all of them refers to.
#pragma once

#include "vfs/command/context.h"

namespace vfs {

// Makes `directory` a workspace whose base is the directory itself.
void make_live_workspace(const Store& store, const std::string& directory);

// Makes `directory` (which must be missing or empty) a workspace over a
// snapshot. Hold a StoreLock from before the snapshot was looked up.
void make_snapshot_workspace(const Store& store, Manifest& manifest, const Snapshot& snapshot,
                             const std::string& directory);

// The heads of all workspaces in a store, with those that they are being moved to, and the digests that records in
// their upper layers refer to. Exact only under an exclusive StoreLock.
std::vector<SnapshotId> all_heads(const Store& store);
// The snapshots that workspaces have as base.
std::vector<SnapshotId> all_bases(const Store& store);
std::vector<Digest> all_recorded_digests(const Store& store);

}  // namespace vfs
