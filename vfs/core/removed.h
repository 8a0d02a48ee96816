// What was last true of a file that has no name any more.
//
// A descriptor of a sealed file, or of one of the live base, gets its metadata
// by the file's name. When that goes, what the base says is still known; what
// had been changed since is noted, under the number that the file goes by.
#pragma once

#include "vfs/core/lookup.h"

namespace vfs {

// `found` is about to lose its only name. Does nothing for a file of which
// nobody can hold more than its own inode.
void note_removed(Workspace& workspace, const Lookup& found);

// Puts what was noted of the file with this status into it. `generation`: of the
// base, when the status was taken.
void recall_removed(const Workspace& workspace, uint64_t generation, struct stat& status);

// The same for a directory, by its own attribute: only its number has to be kept.
// `directory` is the absolute path in upper.
void note_removed_directory(Workspace& workspace, const Lookup& found, const char* directory);
void recall_removed_directory(int fd, struct stat& status);

}  // namespace vfs
