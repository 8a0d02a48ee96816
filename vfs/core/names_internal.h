// What names.cc and rename.cc share.
#pragma once

#include <errno.h>

#include "vfs/core/lookup.h"

namespace vfs {

// How to make one new inode at a given absolute path; 0 or a negative errno.
struct NewInode {
  // Not pure: __cxa_pure_virtual would have to come from libstdc++.
  virtual int make([[maybe_unused]] const char* path) { return -EINVAL; }
  // Not only another name of an inode that there is.
  virtual bool is_new() const { return true; }

 protected:
  ~NewInode() = default;
};

// The errors of a call that makes the name `found`.
int check_new_name(const Lookup& found, bool directory);

// Puts a new inode of `type` at the missing `found`, whiteout or not.
int place_new(Workspace& workspace, const Lookup& found, mode_t type, NewInode& inode);

// What was made aside gets the group, and a directory the bit, that it would
// have got at `place`, in a directory with set-group-id.
void inherit_group(Workspace& workspace, const Lookup& place, const char* made);

// Removes what was taken out of the tree: a file, or a directory in which
// only records are left.
void discard_aside(const char* path);

}  // namespace vfs
