// What listing.cc and classify.cc share.
#pragma once

#include <dirent.h>

#include "vfs/core/lookup.h"

namespace vfs {

constexpr unsigned char kHidden = 0xfe;  // d_type of a whiteout while merging

// Type and inode number of an entry of the upper directory `directory`, as
// programs see them; kHidden if they do not.
int classify(Workspace& workspace, const Lookup& directory, const struct dirent64& entry,
             unsigned char& type, uint64_t& inode);

}  // namespace vfs
