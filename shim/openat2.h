// openat2(2), which libc has no function for.
#pragma once

#include <linux/openat2.h>
#include <stddef.h>

namespace shim {

// As the system call, but -1 and errno on failure. ENOSYS, as on a kernel that
// lacks the call, for RESOLVE_* flags with a path that comes into the tree from
// a directory outside.
long openat2(int dirfd, const char* path, const struct open_how* how, size_t size);

}  // namespace shim
