// The bytes of one file into another.
#pragma once

namespace vfs {

// Copies all that `from` holds into the empty file `to`, with what is fastest
// here; holes stay holes. Both positions move. 0 or a negative errno.
int copy_content(int from, int to);

}  // namespace vfs
