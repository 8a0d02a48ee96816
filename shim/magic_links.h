// /proc/self/fd/N, /dev/fd/N, /dev/stdin, /proc/self/cwd/...: links that the
// kernel follows to real inodes, whatever their text says. One that leads to
// something of ours has to be answered as the path it stands for.
#pragma once

#include <stdint.h>

#include "vfs/core/path_buffer.h"

namespace shim {

// The length of the magic link that the absolute `path` is or starts with; 0.
uint32_t magic_link_length(const char* path);

// True if the magic link of that length leads into the tree; gives the path
// relative to the root, with what follows the link.
bool resolve_magic_link(const char* path, uint32_t length, vfs::PathBuffer& rest);

}  // namespace shim
