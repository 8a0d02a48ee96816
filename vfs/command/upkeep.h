// Keeping a store small and sound.
#pragma once

#include <stdint.h>

#include <functional>
#include <string>
#include <vector>

#include "cas/store.h"
#include "vfs/command/findings.h"
#include "vfs/command/leftovers.h"

namespace vfs {

struct Collection {
  Grace grace;
  bool dry_run = false;           // changes nothing
  std::function<void()> waiting;  // called before it waits for commands that store something
};

struct Collected {
  uint64_t snapshots = 0;
  uint64_t objects = 0;
  uint64_t bytes = 0;       // of the objects
  uint64_t leftovers = 0;   // what killed processes left
  uint64_t workspaces = 0;  // states whose root is gone
  // "snapshot ID", "object DIGEST", "leftover PATH", "workspace STATE": each of them.
  std::vector<std::string> removed;
  // What looks like garbage and stays, and why.
  std::vector<std::string> kept;
};

// Drops the state of workspaces whose root is gone, unless it holds changes or is
// in use; the snapshots that no ref and no workspace leads to; the objects that
// nothing needs; and what killed processes left. What is younger than the grace
// period stays. Waits for, and keeps out, every command that stores something.
// Throws Error.
Collected collect_garbage(const Store& store, const Collection& collection = {});

struct Verified {
  uint64_t objects = 0;               // that there are
  std::vector<std::string> problems;  // one or more lines each, for people
  size_t left = 0;                    // of these, that could not be repaired
};

// Reads everything there is: objects, indexes, the manifest. A damaged object goes
// to the store's quarantine and is restored if another copy is at hand; else it is
// stored again when its source is next ingested or committed. An index is written
// again at once. `waiting` is called before it waits for commands that store
// something. Throws Error if the store cannot be read at all.
Verified verify_store(const Store& store, const std::function<void()>& waiting = {});

}  // namespace vfs
