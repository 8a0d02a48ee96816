// Opening: a tracked open is answered by a real descriptor.
#pragma once

#include "vfs/core/lookup.h"
#include "vfs/core/permission.h"

namespace vfs {

// What stands behind a descriptor that open_file gave.
enum class OpenedKind : uint8_t {
  draft,      // an inode of upper: the kernel answers everything
  sealed,     // an object: metadata has to be answered from the look-up
  live,       // a file of the live base, open for reading
  directory,  // a real directory, in upper or the live base
};

// Opens what `found` describes as open(2) with `flags` and `mode` would, and
// creates it if O_CREAT asks for it. `found` must have been looked up
// following the last link (Follow::create with O_CREAT) unless O_NOFOLLOW or
// O_CREAT|O_EXCL is given (with Follow::name if O_CREAT is, and the path ends in
// a slash).
//
// Returns the descriptor, or a negative errno as open(2) gives it. -ESTALE
// means that the tree changed between look-up and open: look up and try again.
// `kind` is set on success.
int open_file(Workspace& workspace, const Lookup& found, int flags, mode_t mode, OpenedKind& kind);

// Brings the tree into the state in which the kernel's own open(2) of the
// returned absolute path, with the same flags and mode, is right: for calls
// that open by themselves (posix_spawn file actions, freopen, dlopen, bind).
// What O_CREAT has to create is left to that call. 0 or a negative errno.
int prepare_open(Workspace& workspace, const Lookup& found, int flags, PathBuffer& real);

// The real path that stands for `found` when it is only looked at or started:
// the object, the draft, the mirrored directory (made if need be), the live
// file. -ENOENT if missing.
int real_path(Workspace& workspace, const Lookup& found, PathBuffer& real);

}  // namespace vfs
