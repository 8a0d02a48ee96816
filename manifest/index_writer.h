// Compiles a snapshot into its index file (vfs/core/index_format.h).
#pragma once

#include "cas/store.h"
#include "manifest/manifest.h"

namespace vfs {

// Where the index of a snapshot lies.
std::filesystem::path index_path(const Store& store, const SnapshotId& id);

// Writes it unless it is there already; complete or not at all. Throws Error.
void write_index(const Store& store, Manifest& manifest, const Snapshot& snapshot);

// Reads a whole index file and checks header, body checksum and every entry.
// Returns what is wrong, or an empty string.
std::string check_index(const std::filesystem::path& path);

}  // namespace vfs
