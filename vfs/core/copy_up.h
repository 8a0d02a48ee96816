// Bringing things into upper before they change.
//
// Every function returns 0 or a negative errno (the kernel's own where it was
// asked; -ESTALE if the tree has something else by now: look up again). What is
// announced in the change filter is announced before it can be seen. After
// success `found` is stale: look the path up again if its state matters.
#pragma once

#include "vfs/core/lookup.h"

namespace vfs {

// Why upper needs a directory. One that is only opened, or stood in, says
// nothing that the base does not: it is not announced, so that a program which
// reads a tree goes on to be answered from the index.
enum class Mirror : bool { to_open, to_change };

// Makes sure that upper has a real directory at `path` and at each ancestor,
// with the base's mode, owner and times. -ENOENT or -ENOTDIR if the tree has
// no such directory.
int mirror_directory(Workspace& workspace, const PathBuffer& path,
                     Mirror purpose = Mirror::to_change);
// The same for the directory that holds `path`.
int mirror_parent(Workspace& workspace, const PathBuffer& path);

enum class Content : bool { keep, drop };  // drop: the caller truncates anyway

// Makes sure that upper has a real inode for `found`, of whatever type: a
// draft with the sealed content, the mirrored directory, the link. For a hard
// link of a snapshot the other names are linked to the same inode.
int copy_up(Workspace& workspace, const Lookup& found, Content content);

// Makes sure that upper holds `found` by itself, moving no bytes if it is
// sealed: an object record, or else a copy-up. What rename needs.
int bring_up(Workspace& workspace, const Lookup& found);

// Replaces what upper says of a sealed file by `object`. -EAGAIN: it has become a
// draft since it was looked up.
int write_object_record(Workspace& workspace, const Lookup& found, const ObjectRecord& object);

// The record that says of a sealed file what the look-up found.
ObjectRecord object_record_of(const Lookup& found);

// Announces that upper is about to have a say on this path, and so on what is
// below each of its ancestors: where a directory's bit is clear, nothing at any
// depth below it has changed.
void announce_path(Workspace& workspace, const PathBuffer& path);
// The same of what was looked up. Everything but plain files and fresh
// directories may change what is below it too.
void announce(Workspace& workspace, const Lookup& found, mode_t type);
void announce_subtree(Workspace& workspace, const Lookup& found);

}  // namespace vfs
