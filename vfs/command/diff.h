// Unified diffs of what changed.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "vfs/command/changes.h"

namespace vfs {

// {"kind": "M", "path": ...}, and "old_path" of a renamed file.
nlohmann::json change_to_json(const Change& change);

enum class DiffFormat {
  text,    // unified diff for text; one line for binary files, modes and owners
  counts,  // of lines that were added and removed
  json,    // the same counts for scripts
};

// Prints the differences of two sides at the changed paths. Throws Error.
void print_diff(const std::vector<Change>& changes, Reference& before, Reference& after,
                DiffFormat format);

}  // namespace vfs
