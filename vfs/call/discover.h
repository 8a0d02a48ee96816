// Asks vfs-headers, the program that reads headers by libclang.
#pragma once

#include <string>
#include <vector>

namespace vfs::call {

struct Printed {
  std::string lines;   // as read_headers.cc has them
  std::string excuse;  // why there are none: the program is missing, or cannot run
};

// `headers` empty: the standard ones. Throws Error if one that is named cannot be read. The child is a child like any
// other: in a workspace it sees the headers of the tree.
Printed discover(const std::vector<std::string>& headers, const std::vector<std::string>& directories);

}  // namespace vfs::call
