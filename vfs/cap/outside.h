// Directories and files outside of the workspace: the kernel's, reached with openat2(2) from the
// directory that the capability holds, beneath it, on its file system, through no link of /proc.
// Rights have been looked at; each function answers as the vfs_directory_ function of its name.
#pragma once

#include "vfs/cap/capability.h"
#include "vfs/cap/path.h"

namespace vfs::cap::outside {

// A grant: what the descriptor `fd` (O_PATH) holds, which is taken over in any case.
int adopt(int fd, Rights rights, Capability*& opened);

int open(const Capability& directory, Bytes path, uint32_t flags, uint32_t mode,
         Capability*& opened);
int stat(const Capability& directory, Bytes path, uint32_t flags, vfs_status& status);
int read_names(const Capability& directory, Names& names);
int make(const Capability& directory, Bytes path, uint32_t mode);
int rename(const Capability& directory, Bytes path, const Capability& to, Bytes new_path,
           uint32_t flags);
int remove(const Capability& directory, Bytes path, uint32_t flags);
int link(const Capability& directory, Bytes path, const Capability& to, Bytes new_path);
int symlink(const Capability& directory, const char* target, Bytes path);
int64_t read_link(const Capability& directory, Bytes path, char* target, size_t size);

}  // namespace vfs::cap::outside
