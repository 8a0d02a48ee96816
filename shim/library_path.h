// Paths to libraries as ld.so writes them.
#pragma once

#include <stddef.h>

#include "vfs/core/path_buffer.h"

#if defined(__x86_64__)
#define VFS_MULTIARCH "x86_64-linux-gnu"
#else
#define VFS_MULTIARCH "aarch64-linux-gnu"
#endif

namespace shim {

// One element of a search path, or the name given to dlopen, with ld.so's
// tokens ($ORIGIN, $LIB, $PLATFORM) expanded. "" is the working directory.
// False: too long, or an origin that is not known.
bool expand_library_path(const char* text, size_t length, const vfs::PathBuffer& origin,
                         vfs::PathBuffer& out);

// What $ORIGIN stands for in the file `absolute`.
void set_directory_of(const char* absolute, vfs::PathBuffer& directory);

}  // namespace shim
