// Hard links of the base: all names of one inode have to lead to one draft.
#pragma once

#include "vfs/core/lookup.h"

namespace vfs {

// `found` (a file of the base with more than one name) was just copied up:
// links the draft to its other names in the tree that the base still answers
// for. A name that has as many links as the file system allows, or whose directory
// cannot be had, keeps the base's content. Returns 0, or the negative errno of a disk
// that has no room or fails: then no name has the draft any more, not even `found`.
int link_siblings(Workspace& workspace, const Lookup& found);

// `found` is about to be removed or replaced. A live base goes on counting the
// name of a file that has others: notes it, for count_hidden_names().
void note_hidden_name(Workspace& workspace, const Lookup& found);

// How many of the names that st_nlink of a file of the live base counts do not
// exist in the tree.
nlink_t count_hidden_names(Workspace& workspace, const struct stat& status);

// Looks for a name that the inode with `status`, which the snapshot has at `path`,
// still has in the tree.
bool find_other_name(Workspace& workspace, const PathBuffer& path, const struct stat& status,
                     Lookup& found);

// The same in the live base, where the whole tree has to be looked through.
bool search_live_name(Workspace& workspace, const struct stat& status, Lookup& found);

// How many names the inode of `found` still has in the tree, if it is a file of
// a snapshot: those that were removed or replaced since do not count.
nlink_t count_links(Workspace& workspace, const Lookup& found);

}  // namespace vfs
