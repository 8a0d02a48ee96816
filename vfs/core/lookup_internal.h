// What the files of the look-up share.
//
//   lookup.cc   one pass over a path without ".", ".." or "//": hashes of all
//               ancestors, filter bits, one probe. Final in most cases.
//   lookup_way.cc  the directories on that path, where they are not known yet.
//   walk.cc     otherwise, component by component, following links.
//   look_at.cc  one component: upper if the filter says it may have a say,
//               else the base.
#pragma once

#include <errno.h>

#include "vfs/core/lookup.h"

namespace vfs {

// Fills `out` for out.path, whose parent directory is out.path's prefix. The
// base_* fields say where the base has the path. `ask_upper`: the filter's
// bits cannot be trusted for this path (an ancestor was renamed).
// `near`: where else the live base's file is to be had; `unseen`: whether not to
// look at it.
int look_at(Workspace& workspace, bool ask_upper, Lookup& out, Near near = {},
            bool unseen = false);

// The same, asking nothing but the base.
int look_in_base(Workspace& workspace, Lookup& out, Near near = {}, bool unseen = false);

// Whether directories on the way have to grant search permission.
enum class Search : bool { checked, free };

// look_up() for any path; `resolve` as of look_up_restricted().
int walk(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
         Search search, uint64_t resolve, Lookup& out);

// Directories that were found to be plain and, from the root down, searchable
// are remembered by hash.
void remember_directory(Workspace& workspace, uint64_t hash);
bool is_known_directory(const Workspace& workspace, uint64_t hash);
void remember_file(Workspace& workspace, uint64_t hash);

// --- the way to a path ------------------------------------------------------------

enum class Way : uint8_t {
  leads,    // all directories are there
  missing,  // one of them is not
  unsure,   // that takes a walk: upper may have a say, or there is a link
};

// For the path out.path below `start`, of whose ancestors none carries a subtree
// bit: looks at the directories between that are not known. Compilers ask for
// "include/sys/types.h" in each directory of their list. Sets out.start_stands.
Way learn_way(Workspace& workspace, const PathBuffer& start, Lookup& out);

// Whether the parent of the missing out.path is surely a directory that was
// reached without a link.
bool parent_is_directory(Workspace& workspace, const Lookup& out, uint64_t parent_hash);

// Whether the base's directories above `path` are all searchable. What upper
// has changed about them is in the filter.
bool base_is_searchable(Workspace& workspace, const PathBuffer& path);

}  // namespace vfs
