// What a workspace stands on, and leaving what it has above.
//
// A switch and a discard have one moment at which they count (rfcs/0006): what
// upper holds is laid aside, whole; the journal is written; then nothing is left
// that recovery could not finish.
#pragma once

#include "vfs/command/context.h"
#include "vfs/command/workspace_state.h"

namespace vfs {

// Keeps the base of a workspace from being moved by two commands at once: commit,
// switch, restore and discard go one after the other. The kernel lets go when a
// holder dies; what it had begun is then finished or undone before this returns.
// Programs inside are not kept out.
class BaseLock {
 public:
  // if_free: may not get it, if another command is at work. Throws Error.
  explicit BaseLock(OpenWorkspace& workspace, StateLock::Wait wait = StateLock::until_free);
  bool held() const { return lock_.held(); }

 private:
  StateLock lock_;
};

// All below only under a BaseLock. They throw Error.

// Lets the workspace stand on a snapshot: head, base, kind, in an order in
// which every step leaves a usable workspace; processes notice by themselves.
// Hold a StoreLock from before the snapshot was looked up.
void move_base(OpenWorkspace& workspace, const Snapshot& snapshot);

// Drops everything upper holds.
void drop_upper(OpenWorkspace& workspace);

// The same, and lets the workspace stand on a snapshot.
void switch_base(OpenWorkspace& workspace, const Snapshot& snapshot);

// Takes one path (with all below it) back to the base.
void restore_path(OpenWorkspace& workspace, const PathBuffer& path);

// --- for recovery ---------------------------------------------------------------

// What was laid aside goes back to upper, but for names that were made since.
void take_upper_back(OpenWorkspace& workspace);
// What was laid aside goes, and the root looks as the base has it.
void drop_laid_aside(OpenWorkspace& workspace);

}  // namespace vfs
