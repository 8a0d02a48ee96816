// Paths from outside into the workspace.
//
// An aliased home directory, or a link in /tmp, must not be a way around the
// layer: what the kernel would follow into the workspace we have to follow too.
#pragma once

#include "vfs/core/lookup.h"

namespace shim {

// To be called once it is known where the root is, before anything else here.
void note_root();

// If the absolute path leads into the workspace, by its text, through a link
// outside or through one of /proc, gives the rest relative to the root (not
// canonical yet) and returns true. The first `canonical` characters are known
// to name a directory outside, without any link.
//
// `reads`: the call changes nothing. Then what another process has just turned
// into a link may be overlooked until the next tick of the kernel's clock (a
// few ms), if the same path led outside in this tick already: asking each time
// would double what a stat outside costs. A call that may change something asks.
bool enter(const char* path, vfs::Follow follow, vfs::PathBuffer& rest, uint32_t canonical = 0,
           bool reads = false);

// The same, asking nothing but where the root is: for a workspace whose state
// cannot be used.
bool enter_root(const char* path, vfs::PathBuffer& rest);

}  // namespace shim
