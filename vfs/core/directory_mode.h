// What a directory of upper shows, and what it is.
//
// Upper has to be able to make drafts and records in every directory it has,
// also in one that programs may only read. So a directory of upper always lets
// its owner do everything; a mode that does not, or an owner that the process
// could not give it, is kept in an extended attribute of the directory, which
// goes where the directory goes. The checks that the kernel then cannot make
// are ours: permission.h.
//
// Three things in the change filter keep this from costing anything where
// there is nothing of the kind: a bit for the inode numbers that carry the
// attribute, and two for the paths of directories that are *guarded* (their
// names are not changed without our check: the attribute, or sticky) and of
// those that are *closed* (they cannot be searched without our check).
#pragma once

#include <sys/stat.h>

#include "vfs/core/path_hash.h"
#include "vfs/core/permission.h"
#include "vfs/core/workspace.h"

namespace vfs {

inline uint64_t guarded_key(uint64_t hash) { return mix_hash(hash, 0xc2b2ae3d27d4eb4full); }
inline uint64_t closed_key(uint64_t hash) { return mix_hash(hash, 0x165667b19e3779f9ull); }

// `status` is lstat's of the directory at the absolute path `directory` in
// upper: puts mode and owner into it as programs see them. True if the
// directory is guarded.
bool show_directory_mode(const Workspace& workspace, const char* directory, struct stat& status);

// Gives the directory at the absolute path `directory`, which is or will be
// found under `hash`, mode and owner of `wanted`, as programs shall see them.
// Where extended attributes cannot be stored, its owner keeps all rights.
int set_directory_mode(Workspace& workspace, const char* directory, uint64_t hash,
                       const struct stat& wanted);

// Makes the directory of upper usable for us if its mode was set behind our
// back (by descriptor, with a raw system call); shows the same as before.
int unlock_directory(Workspace& workspace, const char* directory, uint64_t hash);

}  // namespace vfs
