// Directories and files of the workspace: what the core finds, with -EXDEV for what leads out of a
// capability. Rights have been looked at; each function answers as the vfs_directory_ function of
// its name.
#pragma once

#include "vfs/cap/capability.h"
#include "vfs/cap/path.h"

namespace vfs::cap::tree {

// A grant: the directory or file at `path` of the workspace.
int open_root(const char* path, Rights rights, Capability*& opened);

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

// What programs are to see of an open file of the tree; `status` is fstat's.
void correct_status(const Capability& file, struct stat& status);

}  // namespace vfs::cap::tree
