// Where the file that a descriptor holds is now.
#pragma once

#include "shim/slots.h"
#include "vfs/core/lookup.h"

namespace shim {

// Looks for the file that was seen with `status` at `path`: there, where it was
// renamed to, where its directory went, by its other names.
bool find_file(const vfs::PathBuffer& path, const struct stat& status, vfs::Lookup& found);

// The same for a noted file; after a commit too, which may have changed its number.
bool find_slot_file(Slot& slot, vfs::Lookup& found);

// Whether the descriptor `fd`, with that fstat, holds what was a draft until a
// commit sealed it: `found`, in the base.
bool is_sealed_since(int fd, const struct stat& draft, vfs::Lookup& found);

}  // namespace shim
