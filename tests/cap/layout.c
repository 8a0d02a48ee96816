/* The layouts and numbers of vfs.h, which programs have compiled in: what is said here may be added to, not changed.
 * Compiled as C99 and as C++, hosted and freestanding. */
#include <vfs/vfs.h>

#define HOLDS(name, condition) typedef char vfs_holds_##name[(condition) ? 1 : -1]
#define SIZE(type, bytes) HOLDS(size_of_##type, sizeof(struct type) == (bytes))
#define FIELD(type, field, at, bytes)                                      \
  HOLDS(offset_of_##type##_##field, offsetof(struct type, field) == (at)); \
  HOLDS(size_of_##type##_##field, sizeof(((struct type *)0)->field) == (bytes))
#define VALUE(name, value) HOLDS(value_of_##name, (name) == (value))

SIZE(vfs_console_parameters, 8);
FIELD(vfs_console_parameters, stream, 0, 4);
FIELD(vfs_console_parameters, zero, 4, 4);
SIZE(vfs_open_parameters, 8);
FIELD(vfs_open_parameters, flags, 0, 4);
FIELD(vfs_open_parameters, mode, 4, 4);
SIZE(vfs_opened, 8);
FIELD(vfs_opened, id, 0, 4);
FIELD(vfs_opened, interface_id, 4, 4);
SIZE(vfs_stat_parameters, 8);
FIELD(vfs_stat_parameters, flags, 0, 4);
FIELD(vfs_stat_parameters, zero, 4, 4);
SIZE(vfs_time, 16);
FIELD(vfs_time, seconds, 0, 8);
FIELD(vfs_time, nanoseconds, 8, 4);
FIELD(vfs_time, zero, 12, 4);
SIZE(vfs_status, 112);
FIELD(vfs_status, device, 0, 8);
FIELD(vfs_status, inode, 8, 8);
FIELD(vfs_status, size, 16, 8);
FIELD(vfs_status, blocks, 24, 8);
FIELD(vfs_status, links, 32, 8);
FIELD(vfs_status, special_device, 40, 8);
FIELD(vfs_status, mode, 48, 4);
FIELD(vfs_status, user, 52, 4);
FIELD(vfs_status, group, 56, 4);
FIELD(vfs_status, block_size, 60, 4);
FIELD(vfs_status, accessed, 64, 16);
FIELD(vfs_status, modified, 80, 16);
FIELD(vfs_status, changed, 96, 16);
SIZE(vfs_list_parameters, 8);
FIELD(vfs_list_parameters, from, 0, 8);
SIZE(vfs_entry, 24);
FIELD(vfs_entry, inode, 0, 8);
FIELD(vfs_entry, next, 8, 8);
FIELD(vfs_entry, size, 16, 2);
FIELD(vfs_entry, name_length, 18, 2);
FIELD(vfs_entry, type, 20, 1);
FIELD(vfs_entry, zero, 21, 3);
SIZE(vfs_make_parameters, 8);
FIELD(vfs_make_parameters, mode, 0, 4);
FIELD(vfs_make_parameters, zero, 4, 4);
SIZE(vfs_two_paths_parameters, 16);
FIELD(vfs_two_paths_parameters, to, 0, 4);
FIELD(vfs_two_paths_parameters, flags, 4, 4);
FIELD(vfs_two_paths_parameters, old_length, 8, 4);
FIELD(vfs_two_paths_parameters, new_length, 12, 4);
SIZE(vfs_remove_parameters, 8);
FIELD(vfs_remove_parameters, flags, 0, 4);
FIELD(vfs_remove_parameters, zero, 4, 4);
SIZE(vfs_symlink_parameters, 8);
FIELD(vfs_symlink_parameters, target_length, 0, 4);
FIELD(vfs_symlink_parameters, path_length, 4, 4);
SIZE(vfs_position_parameters, 8);
FIELD(vfs_position_parameters, position, 0, 8);
SIZE(vfs_times_parameters, 32);
FIELD(vfs_times_parameters, accessed, 0, 16);
FIELD(vfs_times_parameters, modified, 16, 16);
SIZE(vfs_seek_parameters, 16);
FIELD(vfs_seek_parameters, offset, 0, 8);
FIELD(vfs_seek_parameters, whence, 8, 4);
FIELD(vfs_seek_parameters, zero, 12, 4);
SIZE(vfs_completion, 16);
FIELD(vfs_completion, tag, 0, 8);
FIELD(vfs_completion, result, 8, 8);
HOLDS(size_of_vfs_cap, sizeof(vfs_cap) == 4);

VALUE(VFS_ABI_VERSION, 1);
VALUE(VFS_INTERFACE_CONSOLE, 1);
VALUE(VFS_INTERFACE_DIRECTORY, 2);
VALUE(VFS_INTERFACE_FILE, 3);
VALUE(VFS_RIGHT_READ, 4);
VALUE(VFS_RIGHT_WRITE, 2);
VALUE(VFS_RIGHT_EXECUTE, 1);
VALUE(VFS_CONSOLE_WRITE_LINE, 0x101);
VALUE(VFS_CONSOLE_WRITE, 0x102);
VALUE(VFS_CONSOLE_READ, 0x103);
VALUE(VFS_CONSOLE_OUTPUT, 1);
VALUE(VFS_CONSOLE_ERROR, 2);
VALUE(VFS_DIRECTORY_OPEN, 0x201);
VALUE(VFS_DIRECTORY_STAT, 0x202);
VALUE(VFS_DIRECTORY_LIST, 0x203);
VALUE(VFS_DIRECTORY_MAKE, 0x204);
VALUE(VFS_DIRECTORY_RENAME, 0x205);
VALUE(VFS_DIRECTORY_REMOVE, 0x206);
VALUE(VFS_DIRECTORY_LINK, 0x207);
VALUE(VFS_DIRECTORY_SYMLINK, 0x208);
VALUE(VFS_DIRECTORY_READ_LINK, 0x209);
VALUE(VFS_FILE_READ, 0x301);
VALUE(VFS_FILE_WRITE, 0x302);
VALUE(VFS_FILE_PREAD, 0x303);
VALUE(VFS_FILE_PWRITE, 0x304);
VALUE(VFS_FILE_TRUNCATE, 0x305);
VALUE(VFS_FILE_SET_TIMES, 0x306);
VALUE(VFS_FILE_SYNC, 0x307);
VALUE(VFS_FILE_STAT, 0x308);
VALUE(VFS_FILE_SEEK, 0x309);
VALUE(VFS_OPEN_READ, 1);
VALUE(VFS_OPEN_WRITE, 2);
VALUE(VFS_OPEN_CREATE, 4);
VALUE(VFS_OPEN_NEW, 8);
VALUE(VFS_OPEN_TRUNCATE, 16);
VALUE(VFS_OPEN_APPEND, 32);
VALUE(VFS_OPEN_DIRECTORY, 64);
VALUE(VFS_OPEN_NO_FOLLOW, 128);
VALUE(VFS_STAT_NO_FOLLOW, 1);
VALUE(VFS_RENAME_NEW, 1);
VALUE(VFS_RENAME_EXCHANGE, 2);
VALUE(VFS_REMOVE_DIRECTORY, 1);
VALUE(VFS_SEEK_BEGINNING, 0);
VALUE(VFS_SEEK_POSITION, 1);
VALUE(VFS_SEEK_END, 2);
VALUE(VFS_TIME_NOW, 0x3fffffff);
VALUE(VFS_TIME_KEEP, 0x3ffffffe);
VALUE(VFS_SUBMISSIONS, 64);

/* The types of the functions: one that changed does not compile. */
int64_t (*const vfs_layout_get)(const char *, size_t, vfs_cap *, uint32_t *) = vfs_cap_get;
int64_t (*const vfs_layout_call)(vfs_cap, uint32_t, const void *, size_t, void *, size_t) = vfs_cap_call;
int64_t (*const vfs_layout_open)(vfs_cap, const char *, size_t, uint32_t, uint32_t, vfs_cap *) = vfs_directory_open;
int64_t (*const vfs_layout_wait)(uint64_t, uint64_t, struct vfs_completion *, size_t) = vfs_wait;

int main(void) { return vfs_abi_version() == VFS_ABI_VERSION ? 0 : 1; }
