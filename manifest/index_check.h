// Whether an index file (vfs/core/index_format.h) is what it should be.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cas/digest.h"
#include "vfs/core/index_level.h"

namespace vfs {

// Looks at headers only: true if it is sound, of this snapshot, and fits the
// size of the file, and a delta's main is there and the one that it needs.
// Throws nothing.
bool check_index_header(const std::filesystem::path& path, const Digest& snapshot);

// Reads a whole index file and checks header, body checksum, every entry, and
// that every path is found by its hash; of a delta also that it fits its main,
// of which it trusts nothing. Returns what is wrong, or an empty string.
std::string check_index(const std::filesystem::path& path);

// The snapshot of the main that a delta needs. Nothing for a full index, and
// for what is no index.
std::optional<Digest> main_of_index(const std::filesystem::path& path);

// A part of check_index(): what a delta says of its main. Up to `tree_end`
// each entry is known to stand in a directory; entries and names are sound.
std::string delta_problem(IndexLevel delta, IndexLevel main, uint32_t tree_end);

}  // namespace vfs
