/* vfs_cap_call: what it makes of parameters and results that are not as they should be. */
#include "check.h"

static char parameters[8192];
static char result[8192];

static int64_t call(vfs_cap id, uint32_t method, size_t size, size_t room) {
  return vfs_cap_call(id, method, parameters, size, result, room);
}

/* Every size from nothing to the structure less one is refused, and so is one more where nothing may follow. */
static void check_sizes(vfs_cap id, uint32_t method, size_t size, int exact) {
  size_t i;
  memset(parameters, 0, sizeof(parameters));
  for (i = 0; i < size; ++i) IS(call(id, method, i, sizeof(result)), -EINVAL);
  if (exact) IS(call(id, method, size + 1, sizeof(result)), -EINVAL);
}

static void check_parameters(vfs_cap console, vfs_cap directory, vfs_cap file) {
  check_sizes(console, VFS_CONSOLE_WRITE_LINE, sizeof(struct vfs_console_parameters), 0);
  check_sizes(console, VFS_CONSOLE_READ, 0, 1);
  check_sizes(directory, VFS_DIRECTORY_OPEN, sizeof(struct vfs_open_parameters), 0);
  check_sizes(directory, VFS_DIRECTORY_STAT, sizeof(struct vfs_stat_parameters), 0);
  check_sizes(directory, VFS_DIRECTORY_LIST, sizeof(struct vfs_list_parameters), 1);
  check_sizes(directory, VFS_DIRECTORY_MAKE, sizeof(struct vfs_make_parameters), 0);
  check_sizes(directory, VFS_DIRECTORY_RENAME, sizeof(struct vfs_two_paths_parameters), 1);
  check_sizes(directory, VFS_DIRECTORY_REMOVE, sizeof(struct vfs_remove_parameters), 0);
  check_sizes(directory, VFS_DIRECTORY_LINK, sizeof(struct vfs_two_paths_parameters), 1);
  check_sizes(directory, VFS_DIRECTORY_SYMLINK, sizeof(struct vfs_symlink_parameters), 1);
  check_sizes(file, VFS_FILE_READ, 0, 1);
  check_sizes(file, VFS_FILE_PREAD, sizeof(struct vfs_position_parameters), 1);
  check_sizes(file, VFS_FILE_PWRITE, sizeof(struct vfs_position_parameters), 0);
  check_sizes(file, VFS_FILE_TRUNCATE, sizeof(struct vfs_position_parameters), 1);
  check_sizes(file, VFS_FILE_SET_TIMES, sizeof(struct vfs_times_parameters), 1);
  check_sizes(file, VFS_FILE_SYNC, 0, 1);
  check_sizes(file, VFS_FILE_STAT, 0, 1);
  check_sizes(file, VFS_FILE_SEEK, sizeof(struct vfs_seek_parameters), 1);
  IS(vfs_cap_call(directory, VFS_DIRECTORY_STAT, 0, 9, result, sizeof(result)), -EINVAL);
  IS(vfs_cap_call(directory, VFS_DIRECTORY_STAT, parameters, 8, 0, 112), -EINVAL);
}

/* Lengths inside the parameters that say more, or less, than there is. */
static void check_lengths(vfs_cap directory) {
  struct vfs_two_paths_parameters two;
  struct vfs_symlink_parameters link;
  memset(&two, 0, sizeof(two));
  two.to = directory;
  two.old_length = 1;
  two.new_length = 2;
  memcpy(parameters, &two, sizeof(two));
  memcpy(parameters + sizeof(two), "axy", 3);
  IS(call(directory, VFS_DIRECTORY_RENAME, sizeof(two) + 3, 0), -ENOENT); /* as it should be; there is no "a" */
  IS(call(directory, VFS_DIRECTORY_RENAME, sizeof(two) + 2, 0), -EINVAL);
  IS(call(directory, VFS_DIRECTORY_RENAME, sizeof(two) + 4, 0), -EINVAL);
  two.old_length = UINT32_MAX;
  two.new_length = UINT32_MAX;
  memcpy(parameters, &two, sizeof(two));
  IS(call(directory, VFS_DIRECTORY_RENAME, sizeof(two) + 3, 0), -EINVAL);
  link.target_length = UINT32_MAX - 3;
  link.path_length = 8;
  memcpy(parameters, &link, sizeof(link));
  IS(call(directory, VFS_DIRECTORY_SYMLINK, sizeof(link) + 4, 0), -EINVAL);
}

static void check_reserved(vfs_cap console, vfs_cap directory, vfs_cap file) {
  struct vfs_stat_parameters stat = {0, 1};
  struct vfs_seek_parameters seek = {0, 3, 0};
  struct vfs_open_parameters open = {VFS_OPEN_READ, 010000};
  struct vfs_console_parameters stream = {3, 0};
  memcpy(parameters, &stat, sizeof(stat));
  parameters[8] = '.';
  IS(call(directory, VFS_DIRECTORY_STAT, 9, sizeof(result)), -EINVAL);
  IS(call(directory, VFS_DIRECTORY_MAKE, 9, 0), -EINVAL);
  IS(call(directory, VFS_DIRECTORY_REMOVE, 9, 0), -EINVAL);
  memset(parameters, 0xff, 16);
  IS(call(directory, VFS_DIRECTORY_OPEN, 9, sizeof(result)), -EINVAL);
  memcpy(parameters, &open, sizeof(open));
  IS(call(directory, VFS_DIRECTORY_OPEN, 9, sizeof(result)), -EINVAL);
  memcpy(parameters, &seek, sizeof(seek));
  IS(call(file, VFS_FILE_SEEK, sizeof(seek), sizeof(result)), -EINVAL);
  seek.whence = 0;
  seek.zero = 1;
  memcpy(parameters, &seek, sizeof(seek));
  IS(call(file, VFS_FILE_SEEK, sizeof(seek), sizeof(result)), -EINVAL);
  memcpy(parameters, &stream, sizeof(stream));
  IS(call(console, VFS_CONSOLE_WRITE, sizeof(stream), 0), -EINVAL);
}

/* A result that does not fit: and then nothing has happened. */
static void check_results(vfs_cap directory, vfs_cap file) {
  struct vfs_open_parameters open = {VFS_OPEN_WRITE | VFS_OPEN_CREATE, 0644};
  struct vfs_status status;
  memset(parameters, 0, sizeof(parameters));
  parameters[8] = '.';
  IS(call(directory, VFS_DIRECTORY_STAT, 9, sizeof(status) - 1), -ERANGE);
  IS(call(directory, VFS_DIRECTORY_STAT, 9, sizeof(status)), (int64_t)sizeof(status));
  IS(call(file, VFS_FILE_STAT, 0, sizeof(status) - 1), -ERANGE);
  IS(call(file, VFS_FILE_STAT, 0, sizeof(status)), (int64_t)sizeof(status));
  IS(call(file, VFS_FILE_SEEK, 16, 7), -ERANGE);
  IS(call(directory, VFS_DIRECTORY_LIST, 8, 24), -ERANGE);
  memcpy(parameters, &open, sizeof(open));
  memcpy(parameters + sizeof(open), "not-made", 8);
  IS(call(directory, VFS_DIRECTORY_OPEN, sizeof(open) + 8, 7), -ERANGE);
  IS(vfs_directory_stat(directory, TEXT("not-made"), 0, &status), -ENOENT);
  memcpy(parameters, "link", 4);
  IS(call(directory, VFS_DIRECTORY_READ_LINK, 4, 8), -ERANGE);
  IS(call(directory, VFS_DIRECTORY_READ_LINK, 4, 9), 9);
  HOLDS(memcmp(result, "hello.txt", 9) == 0);
}

/* Methods that there are not, and those of other interfaces. */
static void check_methods(vfs_cap console, vfs_cap directory, vfs_cap file) {
  uint32_t method;
  memset(parameters, 0, sizeof(parameters));
  for (method = 0; method < 0x500; ++method) {
    if (method >> 8 != 1) IS(call(console, method, 8, 64), -ENOSYS);
    if (method >> 8 != 2) IS(call(directory, method, 8, 64), -ENOSYS);
    if (method >> 8 != 3) IS(call(file, method, 8, 64), -ENOSYS);
  }
  IS(call(console, 0x104, 8, 64), -ENOSYS);
  IS(call(directory, 0x20a, 8, 64), -ENOSYS);
  IS(call(file, 0x30a, 8, 64), -ENOSYS);
  IS(call(file, UINT32_MAX, 8, 64), -ENOSYS);
  IS(vfs_file_read(directory, result, 1), -ENOSYS);
  IS(vfs_directory_make(file, TEXT("x"), 0755), -ENOSYS);
  IS(vfs_console_write_line(directory, TEXT("x")), -ENOSYS);
}

/* The same by bytes as by the typed functions. */
static void check_equal(vfs_cap directory) {
  struct vfs_open_parameters open = {VFS_OPEN_READ, 0};
  struct vfs_opened opened;
  struct vfs_position_parameters position = {6};
  struct vfs_status typed, called;
  memcpy(parameters, &open, sizeof(open));
  memcpy(parameters + sizeof(open), "hello.txt", 9);
  IS(call(directory, VFS_DIRECTORY_OPEN, sizeof(open) + 9, sizeof(result)), (int64_t)sizeof(opened));
  memcpy(&opened, result, sizeof(opened));
  IS(opened.interface_id, VFS_INTERFACE_FILE);
  IS(vfs_cap_call(opened.id, VFS_FILE_PREAD, &position, sizeof(position), result, 4), 4);
  HOLDS(memcmp(result, "line", 4) == 0);
  IS(vfs_cap_call(opened.id, VFS_FILE_STAT, 0, 0, &called, sizeof(called)), (int64_t)sizeof(called));
  IS(vfs_directory_stat(directory, TEXT("hello.txt"), 0, &typed), 0);
  HOLDS(memcmp(&typed, &called, sizeof(typed)) == 0);
  /* Unaligned. */
  memcpy(parameters + 1, &position, sizeof(position));
  IS(vfs_cap_call(opened.id, VFS_FILE_PREAD, parameters + 1, sizeof(position), result + 3, 4), 4);
  HOLDS(memcmp(result + 3, "line", 4) == 0);
  IS(vfs_cap_close(opened.id), 0);
}

void check_calls(vfs_cap directory) {
  const vfs_cap console = get("console");
  vfs_cap file = 0;
  IS(vfs_directory_create(directory, TEXT("called"), 0644, &file), 0);
  check_parameters(console, directory, file);
  check_lengths(directory);
  check_reserved(console, directory, file);
  check_results(directory, file);
  check_methods(console, directory, file);
  check_equal(directory);
  IS(vfs_cap_close(file), 0);
  IS(vfs_directory_remove(directory, TEXT("called"), 0), 0);
  IS(vfs_cap_close(console), 0);
}
