// The calls themselves, behind both of their faces: vfs_cap_call(), which decodes them, and the
// typed functions. Arguments are as vfs.h has them; each looks at rights and flags first.
#pragma once

#include "vfs/cap/capability.h"
#include "vfs/cap/path.h"

namespace vfs::cap {

struct Space {
  char* at;
  size_t size;
};

int64_t console_write(Capability& console, uint32_t stream, Bytes bytes, bool line);
int64_t console_read(Capability& console, Space space);

int64_t directory_open(Capability& directory, Bytes path, uint32_t flags, uint32_t mode,
                       vfs_opened& opened);
int64_t directory_stat(Capability& directory, Bytes path, uint32_t flags, vfs_status& status);
int64_t directory_list(Capability& directory, uint64_t from, Space space);
int64_t directory_make(Capability& directory, Bytes path, uint32_t mode);
int64_t directory_rename(Capability& directory, Bytes path, vfs_cap to, Bytes new_path,
                         uint32_t flags);
int64_t directory_remove(Capability& directory, Bytes path, uint32_t flags);
int64_t directory_link(Capability& directory, Bytes path, vfs_cap to, Bytes new_path,
                       uint32_t flags);
int64_t directory_symlink(Capability& directory, Bytes target, Bytes path);
int64_t directory_read_link(Capability& directory, Bytes path, Space space);

int64_t file_read(Capability& file, Space space);
int64_t file_pread(Capability& file, Space space, uint64_t position);
int64_t file_write(Capability& file, Bytes bytes);
int64_t file_pwrite(Capability& file, Bytes bytes, uint64_t position);
int64_t file_truncate(Capability& file, uint64_t size);
int64_t file_set_times(Capability& file, const vfs_time& accessed, const vfs_time& modified);
int64_t file_sync(Capability& file);
int64_t file_stat(Capability& file, vfs_status& status);
int64_t file_seek(Capability& file, int64_t offset, uint32_t whence);

}  // namespace vfs::cap
