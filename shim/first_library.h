// Libraries that refuse to work unless they are loaded before any other.
#pragma once

#include "shim/program.h"

namespace shim {

// The run time of the address sanitizer ends a program in which any library,
// as ours in LD_PRELOAD, comes before it. For a program that needs it, writes
// `preload` with it in front to `out`; true if it has to be so started.
// Programs that the system installed are not asked.
bool compose_first_library(const ProgramFile& program, const char* preload, vfs::PathBuffer& out);

}  // namespace shim
