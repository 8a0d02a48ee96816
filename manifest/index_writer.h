// Compiles a snapshot into its index file (vfs/core/index_format.h).
#pragma once

#include "cas/store.h"
#include "manifest/index_check.h"
#include "manifest/manifest.h"

namespace vfs {

// Where the index of a snapshot lies.
std::filesystem::path index_path(const Store& store, const SnapshotId& id);

// Writes it unless it is there already with a sound header; complete or not at
// all, so that any number of processes may do so at once. With a `predecessor`,
// a snapshot that differs in little, it is derived from that one's index if
// there is one: then it refers to a full index, which has to stay. Throws Error.
void write_index(const Store& store, Manifest& manifest, const Snapshot& snapshot,
                 const Snapshot* predecessor = nullptr);

}  // namespace vfs
