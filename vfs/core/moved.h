// Where what the base has has gone.
//
// The base knows the names of an inode (its hard links) by the paths they had.
// And with a live base a process may stand in a real directory, or have it
// open, while it is renamed in the workspace: the kernel goes on calling it by
// its old name. For each directory that was moved a link in the state
// directory tells the path it has now. So it does for files that go by a number
// of the base, under that number: who holds a descriptor knows no more of them.
#pragma once

#include <sys/stat.h>

#include "vfs/core/workspace.h"

namespace vfs {

// A directory of the workspace was renamed from `from` to `to` (or the two have
// changed places): what had been moved to below it is elsewhere now.
void move_noted(const Workspace& workspace, const PathBuffer& from, const PathBuffer& to,
                bool exchanged);

// The directory that the base has at `base_path` is found at `path` now. After
// move_noted(), if that has to be said too.
void note_moved(const Workspace& workspace, const PathBuffer& base_path, const PathBuffer& path);

// The file with this status, which goes by a number of the base, is (also) found
// at `path` now.
void note_file(Workspace& workspace, const struct stat& status, const PathBuffer& path);
// Where it was when last noted. False: nothing was noted.
bool find_noted_file(const Workspace& workspace, const struct stat& status, PathBuffer& path);

// Replaces the path of something in the base by the path it has now. False: it
// is where it was.
bool follow_moves(const Workspace& workspace, PathBuffer& path);

}  // namespace vfs
