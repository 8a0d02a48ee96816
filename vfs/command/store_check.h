// What the store says of itself: manifest, indexes, names and permissions.
#pragma once

#include <filesystem>
#include <set>

#include "manifest/manifest.h"
#include "vfs/command/findings.h"
#include "vfs/command/leftovers.h"

namespace vfs {

// Where the indexes of all snapshots and of all workspaces' bases lie, if they
// exist, and those that they are derived from, whose snapshot may be gone.
std::set<std::filesystem::path> needed_indexes(const Store& store, Manifest& manifest);

// All below throw Error if the store cannot be read. Hold a StoreLock, an
// exclusive one if `findings` repairs.

void check_manifest(Manifest& manifest, Findings& findings);
// Reads every index. Indexes are written again from the manifest: for that, any
// StoreLock will do.
void check_indexes(const Store& store, Manifest& manifest, Findings& findings);
// That nothing is there but what belongs there, and that nobody else can look at it.
void check_names(const Store& store, Manifest& manifest, Findings& findings);
void check_leftovers(const Store& store, const Grace& grace, Findings& findings);

// For each: a name that is not known goes to the store's quarantine.
void report_stray(const Store& store, const std::filesystem::path& path, Findings& findings);
// A directory or file that others can look into is made private.
void check_private(const std::filesystem::path& path, Findings& findings);
void report_leftover(const Leftover& leftover, Findings& findings);

}  // namespace vfs
