// From a real directory to a snapshot.
#pragma once

#include <filesystem>
#include <functional>

#include "cas/object_store.h"
#include "manifest/manifest.h"

namespace vfs {

struct IngestProgress {
  uint64_t files_done = 0;
  uint64_t files_total = 0;
  uint64_t bytes_done = 0;
};

struct IngestOptions {
  std::string message;
  std::optional<SnapshotId> parent;
  // Called from time to time, from one thread at a time.
  std::function<void(const IngestProgress&)> progress;
  // A path that was left out (a socket, a file that vanished), and why.
  std::function<void(const std::string& path, const std::string& why)> skipped;
};

// Stores the tree at `directory` and gives its snapshot. Links are never
// followed; the marker `.vfs` at the top and the store itself are left out.
// Files unchanged since they were stored before are not read again. Throws
// Error, naming the file, when one cannot be read.
Snapshot ingest(const Store& store, Manifest& manifest, const std::filesystem::path& directory,
                const IngestOptions& options);

Metadata metadata_of(const struct stat& status);

// A number for the hard-link group whose first name is `path`.
uint64_t link_group_of(std::string_view path);

}  // namespace vfs
