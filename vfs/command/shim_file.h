// Where libvfs.so is.
#pragma once

#include <string>

namespace vfs {

// Beside the command in a build directory, or where it was installed. Throws Error if it
// is in neither place.
std::string find_shim();

}  // namespace vfs
