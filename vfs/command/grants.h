// What `vfs run` says that a command may touch: named subtrees with rights.
#pragma once

#include <string>
#include <vector>

#include "vfs/command/context.h"
#include "vfs/core/grants.h"

namespace vfs {

struct NamedGrant {
  std::string name;
  std::string path;  // absolute, without links but for the system's directories
  Rights rights = 0;
};

// "NAME=PATH:RIGHTS", as --grant takes it; in a file, a backslash in PATH is written
// as two and a newline as backslash and "n".
std::string text_of(const NamedGrant& grant);
// "rwx", "r", ...
std::string rights_text(Rights rights);

// "NAME=PATH[:RIGHTS]"; without rights: to read. Throws Error: not of that form, a name or
// rights that are none, nothing there.
NamedGrant parse_grant(const Context& context, OpenWorkspace& workspace, const std::string& text);
// The lines of a file that `vfs run --record` wrote; "#" begins a comment.
std::vector<NamedGrant> read_grants(const Context& context, OpenWorkspace& workspace, const std::string& file);

// What every command is granted: the workspace, `temporary` (unless it is empty), what programs
// of the system need, and libvfs itself.
std::vector<NamedGrant> default_grants(const std::string& root, const std::string& temporary);

// Puts `more` behind `grants`; one of a name that is there takes its place.
void merge_grants(std::vector<NamedGrant>& grants, const std::vector<NamedGrant>& more);

// The value of VFS_GRANTS. Throws Error: more than there may be.
std::string encode_grants(const std::vector<NamedGrant>& grants);

// What this process itself was granted; nothing if there is no limit.
std::optional<std::vector<NamedGrant>> held_grants();
// Throws Error if one of `grants` says more than `held`.
void check_held(const std::vector<NamedGrant>& held, const std::vector<NamedGrant>& grants);

}  // namespace vfs
