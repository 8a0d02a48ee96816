// One call on a capability from its bytes, as vfs_cap_call() has it.
#pragma once

#include "vfs/cap/calls.h"

namespace vfs::cap {

int64_t call(Capability& capability, uint32_t method, Bytes parameters, Space space);

}  // namespace vfs::cap
