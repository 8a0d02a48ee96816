// Bytes on the heap that grow.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "vfs/core/sys.h"

namespace vfs::runtime {

// What is left in it at the end is freed.
struct Bytes {
  char* at = nullptr;
  size_t size = 0;  // in use
  size_t room = 0;  // allocated

  Bytes() = default;
  ~Bytes() { free(at); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  // Room for so many more; at least doubles, so that growing costs no more than
  // reading. 0 or -ENOMEM.
  int reserve(size_t more) {
    if (room - size >= more) return 0;
    if (more > PTRDIFF_MAX - size) return -ENOMEM;
    const size_t least = size + more;
    return resize(room < least / 2 ? least : room <= PTRDIFF_MAX / 2 && room * 2 > least ? room * 2 : least);
  }
  int resize(size_t wanted) {
    char* moved = static_cast<char*>(realloc(at, wanted));
    if (moved == nullptr) return -ENOMEM;
    at = moved;
    room = wanted;
    return 0;
  }
  char* take() {
    char* taken = at;
    at = nullptr;
    return taken;
  }
};

// All that can be read from `fd`, behind what there is, and a NUL that is not
// counted. 0 or a negative errno.
int read_all(int fd, Bytes& out);

}  // namespace vfs::runtime
