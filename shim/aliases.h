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
bool enter(const char* path, vfs::Follow follow, vfs::PathBuffer& rest, uint32_t canonical = 0);

// Whether the path lies in a directory of the system, by its first letters: that
// is taken to be free of links into a workspace, and enter() would say no.
bool is_surely_outside(const char* path);

// Whether, if an absolute path does not lead into the workspace, only a link that
// somebody makes outside could change that: not a descriptor of ours, nor what is
// done in the tree.
bool is_steadily_outside(const char* path);

// The same, asking nothing but where the root is: for a workspace whose state
// cannot be used.
bool enter_root(const char* path, vfs::PathBuffer& rest);

}  // namespace shim
