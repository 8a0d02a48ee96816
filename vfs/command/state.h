// Making workspaces, and changing what they stand on.
#pragma once

#include "vfs/command/context.h"

namespace vfs {

// Makes `directory` a workspace whose base is the directory itself.
void make_live_workspace(const Store& store, const std::string& directory);

// Makes `directory` (which must be missing or empty) a workspace over a
// snapshot. Hold a StoreLock from before the snapshot was looked up.
void make_snapshot_workspace(const Store& store, Manifest& manifest, const Snapshot& snapshot,
                             const std::string& directory);

// Keeps the base of a workspace from being moved by two commands at once:
// commit, switch, restore and discard go one after the other. Waits. The
// kernel lets go when a holder dies. Programs inside are not kept out.
class BaseLock {
 public:
  explicit BaseLock(OpenWorkspace& workspace);

 private:
  Descriptor file_;
};

// Lets the workspace stand on a snapshot: head, base, kind, in an order in
// which every step leaves a usable workspace; processes notice by themselves.
// Hold a BaseLock, and a StoreLock from before the snapshot was looked up.
void move_base(OpenWorkspace& workspace, const Snapshot& snapshot);

// Drops everything upper holds.
void drop_upper(OpenWorkspace& workspace);

// Takes one path (with all below it) back to the base.
void restore_path(OpenWorkspace& workspace, const PathBuffer& path);

// The heads of all workspaces in a store, and the digests that records in
// their upper layers refer to. Exact only under an exclusive StoreLock.
std::vector<SnapshotId> all_heads(const Store& store);
// The snapshots that workspaces have as base.
std::vector<SnapshotId> all_bases(const Store& store);
std::vector<Digest> all_recorded_digests(const Store& store);

}  // namespace vfs
