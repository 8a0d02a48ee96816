// A write that is not cut short.
#pragma once

#include "vfs/core/sys.h"

namespace vfs {

// Writes all of it, whatever the kernel takes at a time and whatever interrupts
// it. 0 or a negative errno; then a part may have been written.
inline int write_all(int to, const char* at, size_t count) {
  while (count > 0) {
    const long written = sys::write(to, at, count);
    if (written == -EINTR) continue;
    if (written < 0) return static_cast<int>(written);
    at += written;
    count -= static_cast<size_t>(written);
  }
  return 0;
}

}  // namespace vfs
