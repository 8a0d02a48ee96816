// Making workspaces, and changing what they stand on.
#pragma once

#include "vfs/command/context.h"

namespace vfs {

// Makes `directory` a workspace whose base is the directory itself.
void make_live_workspace(const Store& store, const std::string& directory);

// Makes `directory` (which must be missing or empty) a workspace over a snapshot.
void make_snapshot_workspace(const Store& store, Manifest& manifest, const Snapshot& snapshot,
                             const std::string& directory);

// Lets the workspace stand on a snapshot: head, base, kind, in an order in
// which every step leaves a usable workspace; processes notice by themselves.
void move_base(OpenWorkspace& workspace, const Snapshot& snapshot);

// Drops everything upper holds.
void drop_upper(OpenWorkspace& workspace);

// Takes one path (with all below it) back to the base.
void restore_path(OpenWorkspace& workspace, const PathBuffer& path);

// The heads of all workspaces in a store, and the digests that records in
// their upper layers refer to.
std::vector<SnapshotId> all_heads(const Store& store);
std::vector<Digest> all_recorded_digests(const Store& store);

}  // namespace vfs
