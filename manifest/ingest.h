// From a real directory to a snapshot.
#pragma once

#include <filesystem>
#include <functional>

#include "cas/object_store.h"
#include "manifest/manifest.h"
#include "manifest/walk.h"

namespace vfs {

struct IngestProgress {
  uint64_t files_done = 0;
  uint64_t files_total = 0;
  uint64_t bytes_done = 0;  // of file content, also of files that needed no reading
};

struct IngestOptions {
  std::string message;
  std::optional<SnapshotId> parent;
  // The snapshot that is returned survives a power failure: rfcs/0006-promises.md.
  bool durable = false;
  // A snapshot that has just this tree if there is one: it is then the result.
  // Nodes are sorted by name. May be empty.
  std::function<std::optional<Snapshot>(const TreeNode& top)> find_equal;
  // Called from time to time, from one thread at a time.
  std::function<void(const IngestProgress&)> progress;
  // A path that was left out (a socket, a file that vanished), and why.
  std::function<void(const std::string& path, const std::string& why)> skipped;
};

// Stores the tree at `directory` and gives its snapshot. Links are never
// followed; the marker `.vfs` at the top and the store itself are left out, and
// so are sockets and what vanishes meanwhile. Files unchanged since they were
// stored before are not read again. Throws Error, naming the file, when one
// cannot be read; there is no snapshot then, only objects that the next try
// will find. Holds the store lock shared.
Snapshot ingest(const Store& store, Manifest& manifest, const std::filesystem::path& directory,
                const IngestOptions& options);

}  // namespace vfs
