// An index derived from that of another snapshot: see index_format.h for what
// a delta is.
#pragma once

#include "manifest/index_image.h"
#include "vfs/core/index_level.h"

namespace vfs {

// Writes the index of `snapshot` as a delta, if `predecessor` has an index that
// it can be derived from, and if that is worth while: false if not. What it
// costs follows the difference of the two, and the size of the predecessor's
// own delta, which is carried over. Throws Error.
bool write_delta(const Store& store, Manifest& manifest, const Snapshot& snapshot,
                 const Snapshot& predecessor);

}  // namespace vfs
