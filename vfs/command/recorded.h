// From what a command has touched to the grants that it needs.
#pragma once

#include <string>
#include <vector>

#include "vfs/command/grants.h"

namespace vfs {

// The smallest set of grants beside `granted` that lets a command do again what the shim
// has written into the file `accesses`: each file, and each directory that was listed or
// written into. More than there may be become grants of the directories they are in. As
// lines for --grants, into the file `to`. Throws Error.
void write_recorded(const std::string& accesses, const std::vector<NamedGrant>& granted, const std::string& to);

}  // namespace vfs
