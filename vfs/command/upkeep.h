// Keeping a store small and sound.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "cas/store.h"

namespace vfs {

struct Collected {
  uint64_t snapshots = 0;
  uint64_t objects = 0;
  uint64_t bytes = 0;  // of the objects
};

// Drops the snapshots that no ref and no workspace leads to, the objects that
// nothing needs, and what killed processes left. Objects and temporary files
// of the last hour stay, for a next try to find, unless `now`. Waits for, and
// keeps out, every command that stores something. Throws Error.
Collected collect_garbage(const Store& store, bool now);

struct Verified {
  uint64_t objects = 0;               // that there are
  std::vector<std::string> problems;  // one or more lines each, for people
};

// Reads everything there is: objects, indexes, the manifest. An object that is
// damaged or missing is stored again when its source is next ingested or
// committed; an index is written again at once.
// Throws Error if the store cannot be read at all.
Verified verify_store(const Store& store);

}  // namespace vfs
