// The bytes of one file into another.
#pragma once

namespace vfs {

// Copies all that `from` holds into `to`, an empty file or what takes bytes one
// behind the other (a pipe, a device), by the fastest means that works here:
// shared blocks (FICLONE), copy_file_range(2), sendfile(2), read and write.
// Between regular files holes stay holes. Both positions move. What others add
// meanwhile may be copied or not. Nothing is allocated. 0 or a negative errno;
// then `to` may have a part. -EFBIG: it is more than this process may write to
// a file; nothing was written then.
int copy_content(int from, int to);

}  // namespace vfs
