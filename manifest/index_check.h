// Whether an index file (vfs/core/index_format.h) is what it should be.
#pragma once

#include <filesystem>
#include <string>

#include "cas/digest.h"

namespace vfs {

// Looks at the header only: true if it is sound, of this snapshot, and fits
// the size of the file. Throws nothing.
bool check_index_header(const std::filesystem::path& path, const Digest& snapshot);

// Reads a whole index file and checks header, body checksum, every entry, and
// that every path is found by its hash. Returns what is wrong, or an empty
// string.
std::string check_index(const std::filesystem::path& path);

}  // namespace vfs
