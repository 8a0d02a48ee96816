// The links in a workspace's state directory: each says one thing, and is
// replaced in one step.
#pragma once

#include <optional>
#include <string>

#include "cas/store.h"
#include "manifest/manifest.h"

namespace vfs {

// The target of a symbolic link; empty if there is none.
std::string link_target(const std::string& path);

// Puts a link in place, whatever is there. Throws Error.
void replace_link(const Store& store, const std::string& target, const std::string& path);

// What `base` says for a snapshot: where its index is. `head` says the id.
std::string index_link(const SnapshotId& id);

// The snapshot that the link `base` or `head` of a state leads to; nothing if
// there is no such link or it says something else.
std::optional<SnapshotId> snapshot_of_link(const std::string& state, const char* name);

}  // namespace vfs
