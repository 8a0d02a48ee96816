/* Directories and files: rights, ways out, names, content. */
#include "check.h"

static struct vfs_status status;

/* What a capability lacks it refuses, and what it derives lacks it too. */
static void check_rights(vfs_cap directory) {
  vfs_cap reads = 0, writes = 0, file = 0, same = 0, sub = 0;
  char byte = 'x';
  struct vfs_time now = {0, VFS_TIME_NOW, 0};
  IS(vfs_cap_narrow(directory, VFS_RIGHT_READ, &reads), 0);
  IS(vfs_cap_narrow(directory, VFS_RIGHT_WRITE, &writes), 0);
  IS(vfs_cap_rights(reads), VFS_RIGHT_READ);
  IS(vfs_cap_narrow(reads, VFS_RIGHT_READ | VFS_RIGHT_WRITE, &same), -EACCES);
  IS(vfs_cap_narrow(reads, 8, &same), -EINVAL);
  IS(vfs_cap_narrow(reads, VFS_RIGHT_READ, 0), -EINVAL);

  IS(open_at(reads, "new", VFS_OPEN_WRITE | VFS_OPEN_CREATE, &file), -EACCES);
  IS(open_at(reads, "new", VFS_OPEN_READ | VFS_OPEN_CREATE, &file), -EACCES);
  IS(open_at(reads, "hello.txt", VFS_OPEN_READ | VFS_OPEN_WRITE, &file), -EACCES);
  IS(open_at(reads, "hello.txt", VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE, &file), -EACCES);
  IS(vfs_directory_create(reads, TEXT("new"), 0644, &file), -EACCES);
  IS(vfs_directory_make(reads, TEXT("new"), 0755), -EACCES);
  IS(vfs_directory_remove(reads, TEXT("hello.txt"), 0), -EACCES);
  IS(vfs_directory_symlink(reads, TEXT("a"), TEXT("new")), -EACCES);
  IS(vfs_directory_rename(reads, TEXT("hello.txt"), directory, TEXT("new"), 0), -EACCES);
  IS(vfs_directory_rename(directory, TEXT("hello.txt"), reads, TEXT("new"), 0), -EACCES);
  IS(vfs_directory_link(reads, TEXT("hello.txt"), directory, TEXT("new")), -EACCES);
  /* What may only be written here would become readable there. */
  IS(vfs_directory_rename(writes, TEXT("hello.txt"), directory, TEXT("new"), 0), -EACCES);
  IS(vfs_directory_link(writes, TEXT("hello.txt"), directory, TEXT("new")), -EACCES);
  IS(vfs_directory_rename(directory, TEXT("hello.txt"), writes, TEXT("empty"), VFS_RENAME_EXCHANGE), -EACCES);

  IS(vfs_directory_stat(writes, TEXT("hello.txt"), 0, &status), -EACCES);
  IS(vfs_directory_list(writes, 0, &status, sizeof(status)), -EACCES);
  IS(vfs_directory_read_link(writes, TEXT("link"), (char *)&status, sizeof(status)), -EACCES);
  IS(open_at(writes, "hello.txt", VFS_OPEN_READ, &file), -EACCES);
  IS(open_at(writes, "hello.txt", VFS_OPEN_READ | VFS_OPEN_WRITE, &file), -EACCES);

  IS(open_at(reads, "sub", VFS_OPEN_DIRECTORY, &sub), 0);
  IS(vfs_cap_rights(sub), VFS_RIGHT_READ);
  IS(vfs_directory_make(sub, TEXT("new"), 0755), -EACCES);
  IS(vfs_cap_close(sub), 0);

  IS(open_at(reads, "hello.txt", VFS_OPEN_READ, &file), 0);
  IS(vfs_file_write(file, &byte, 1), -EACCES);
  IS(vfs_file_pwrite(file, &byte, 1, 0), -EACCES);
  IS(vfs_file_truncate(file, 0), -EACCES);
  IS(vfs_file_set_times(file, &now, &now), -EACCES);
  IS(vfs_cap_narrow(file, VFS_RIGHT_WRITE, &same), -EACCES);
  IS(vfs_cap_narrow(file, 0, &same), 0);
  IS(vfs_file_read(same, &byte, 1), -EACCES);
  IS(vfs_file_stat(same, &status), -EACCES);
  IS(vfs_file_sync(same), -EACCES);
  IS(vfs_file_seek(same, 0, VFS_SEEK_BEGINNING), -EACCES);
  IS(vfs_file_read(file, &byte, 1), 1);
  IS(byte, 'f');
  IS(vfs_cap_close(same), 0);
  IS(vfs_cap_close(file), 0);
  IS(vfs_cap_close(reads), 0);
  IS(vfs_cap_close(writes), 0);
  IS(vfs_directory_stat(directory, TEXT("new"), VFS_STAT_NO_FOLLOW, &status), -ENOENT);
}

/* Every call with one path, by one that leads out or is none. */
static void check_one_path(vfs_cap directory, const char *path, size_t length, int64_t error) {
  vfs_cap opened = 0;
  char target[64];
  IS(vfs_directory_open(directory, path, length, VFS_OPEN_READ, 0, &opened), error);
  IS(vfs_directory_open(directory, path, length, VFS_OPEN_DIRECTORY, 0, &opened), error);
  IS(vfs_directory_open(directory, path, length, VFS_OPEN_WRITE | VFS_OPEN_CREATE, 0644, &opened), error);
  IS(vfs_directory_stat(directory, path, length, 0, &status), error);
  IS(opened, 0);
  (void)target;
}

/* The same for calls on names, which do not follow the last. */
static void check_one_name(vfs_cap directory, const char *path, size_t length, int64_t error) {
  vfs_cap opened = 0;
  char target[64];
  check_one_path(directory, path, length, error);
  IS(vfs_directory_create(directory, path, length, 0644, &opened), error);
  IS(vfs_directory_stat(directory, path, length, VFS_STAT_NO_FOLLOW, &status), error);
  IS(vfs_directory_make(directory, path, length, 0755), error);
  IS(vfs_directory_remove(directory, path, length, 0), error);
  IS(vfs_directory_remove(directory, path, length, VFS_REMOVE_DIRECTORY), error);
  IS(vfs_directory_rename(directory, path, length, directory, TEXT("new"), 0), error);
  IS(vfs_directory_rename(directory, TEXT("hello.txt"), directory, path, length, 0), error);
  IS(vfs_directory_link(directory, path, length, directory, TEXT("new")), error);
  IS(vfs_directory_link(directory, TEXT("hello.txt"), directory, path, length), error);
  IS(vfs_directory_symlink(directory, TEXT("a"), path, length), error);
  IS(vfs_directory_read_link(directory, path, length, target, sizeof(target)), error);
}

static void check_escapes(vfs_cap directory) {
  vfs_cap sub = 0;
  static char longest[8192];
  check_one_name(directory, TEXT("../x"), -EXDEV);
  check_one_name(directory, TEXT("sub/../../x"), -EXDEV);
  check_one_name(directory, TEXT("sub/../../../../../../../../../../etc/passwd"), -EXDEV);
  check_one_name(directory, TEXT("/etc/passwd"), -EXDEV);
  check_one_name(directory, TEXT("/"), -EXDEV);
  check_one_name(directory, TEXT("absolute/passwd"), -EXDEV);
  check_one_name(directory, TEXT("sub/out/x"), -EXDEV);
  check_one_path(directory, TEXT("absolute"), -EXDEV);
  check_one_path(directory, TEXT("sub/out"), -EXDEV);
  check_one_path(directory, TEXT(".."), -EXDEV);
  IS(open_at(directory, "sub", VFS_OPEN_DIRECTORY, &sub), 0);
  check_one_name(sub, TEXT("../hello.txt"), -EXDEV);
  check_one_path(sub, TEXT("up"), -EXDEV);
  check_one_path(sub, TEXT("deeper/../.."), -EXDEV);
  IS(vfs_directory_stat(sub, TEXT("deeper/../file"), 0, &status), 0);
  IS(vfs_cap_close(sub), 0);
  IS(vfs_directory_stat(directory, TEXT("sub/up"), 0, &status), 0);
  check_one_path(directory, TEXT("self"), -ELOOP);
  check_one_name(directory, TEXT("self/x"), -ELOOP);
  check_one_name(directory, TEXT("none/x"), -ENOENT);
  check_one_name(directory, TEXT("hello.txt/x"), -ENOTDIR);
  check_one_name(directory, "", 0, -ENOENT);
  check_one_name(directory, 0, 3, -EINVAL);
  check_one_name(directory, TEXT("hello\0txt"), -EINVAL);
  check_one_name(directory, TEXT("hello.txt\0"), -EINVAL);
  memset(longest, 'x', sizeof(longest));
  check_one_name(directory, longest, sizeof(longest), -ENAMETOOLONG);
  check_one_name(directory, longest, 256, -ENAMETOOLONG);
  IS(vfs_directory_symlink(directory, longest, sizeof(longest), TEXT("new")), -ENAMETOOLONG);
  IS(vfs_directory_symlink(directory, "", 0, TEXT("new")), -ENOENT);
  IS(vfs_directory_stat(directory, TEXT("new"), VFS_STAT_NO_FOLLOW, &status), -ENOENT);
}

static void check_open(vfs_cap directory) {
  static const uint32_t meaningless[] = {0,
                                         VFS_OPEN_CREATE,
                                         VFS_OPEN_READ | VFS_OPEN_NEW,
                                         VFS_OPEN_READ | VFS_OPEN_TRUNCATE,
                                         VFS_OPEN_READ | VFS_OPEN_APPEND,
                                         VFS_OPEN_DIRECTORY | VFS_OPEN_READ,
                                         VFS_OPEN_DIRECTORY | VFS_OPEN_CREATE,
                                         VFS_OPEN_READ | 256,
                                         UINT32_MAX};
  vfs_cap opened = 0;
  size_t i;
  for (i = 0; i < sizeof(meaningless) / sizeof(*meaningless); ++i) {
    IS(open_at(directory, "hello.txt", meaningless[i], &opened), -EINVAL);
  }
  IS(vfs_directory_open(directory, TEXT("hello.txt"), VFS_OPEN_READ, 0, 0), -EINVAL);
  IS(open_at(directory, "sub", VFS_OPEN_READ, &opened), -EISDIR);
  IS(open_at(directory, "sub", VFS_OPEN_WRITE | VFS_OPEN_CREATE, &opened), -EISDIR);
  IS(open_at(directory, "hello.txt", VFS_OPEN_DIRECTORY, &opened), -ENOTDIR);
  IS(open_at(directory, "hello.txt/", VFS_OPEN_READ, &opened), -ENOTDIR);
  IS(open_at(directory, "link", VFS_OPEN_READ | VFS_OPEN_NO_FOLLOW, &opened), -ELOOP);
  IS(open_at(directory, "hello.txt", VFS_OPEN_WRITE | VFS_OPEN_CREATE | VFS_OPEN_NEW, &opened), -EEXIST);
  IS(open_at(directory, "dangling", VFS_OPEN_WRITE | VFS_OPEN_CREATE | VFS_OPEN_NEW, &opened), -EEXIST);
  IS(open_at(directory, "sub", VFS_OPEN_WRITE | VFS_OPEN_CREATE | VFS_OPEN_NEW, &opened), -EEXIST);
  IS(open_at(directory, "dangling", VFS_OPEN_READ, &opened), -ENOENT);
  IS(opened, 0);
  IS(open_at(directory, ".", VFS_OPEN_DIRECTORY, &opened), 0);
  IS(vfs_cap_interface(opened), VFS_INTERFACE_DIRECTORY);
  IS(vfs_cap_close(opened), 0);
}

static void check_file(vfs_cap directory) {
  vfs_cap file = 0, second = 0;
  char text[32];
  const struct vfs_time first = {1000000000, 123456789, 0}, other = {-5, 999999999, 0};
  const struct vfs_time bad = {0, 1000000000, 0}, keep = {0, VFS_TIME_KEEP, 0};
  IS(vfs_directory_create(directory, TEXT("made"), 0640, &file), 0);
  IS(vfs_cap_rights(file) & ~VFS_RIGHT_EXECUTE, VFS_RIGHT_READ | VFS_RIGHT_WRITE);
  IS(vfs_file_write(file, TEXT("0123456789")), 10);
  IS(vfs_file_pwrite(file, TEXT("ab"), 4), 2);
  IS(vfs_file_pread(file, text, sizeof(text), 3), 7);
  HOLDS(memcmp(text, "3ab6789", 7) == 0);
  IS(vfs_file_read(file, text, sizeof(text)), 0);
  IS(vfs_file_seek(file, -3, VFS_SEEK_END), 7);
  IS(vfs_file_seek(file, 1, VFS_SEEK_POSITION), 8);
  IS(vfs_file_read(file, text, sizeof(text)), 2);
  IS(vfs_file_seek(file, -1, VFS_SEEK_BEGINNING), -EINVAL);
  IS(vfs_file_truncate(file, 4096), 0);
  IS(vfs_file_stat(file, &status), 0);
  IS(status.size, 4096);
  IS(status.mode, 0100640);
  IS(status.links, 1);
  IS(vfs_file_truncate(file, UINT64_MAX), -EINVAL);
  IS(vfs_file_pread(file, text, 1, UINT64_MAX), -EINVAL);
  IS(vfs_file_set_times(file, &first, &other), 0);
  IS(vfs_file_set_times(file, &bad, &other), -EINVAL);
  IS(vfs_file_set_times(file, 0, &other), -EINVAL);
  IS(vfs_file_set_times(file, &keep, &keep), 0);
  IS(vfs_directory_stat(directory, TEXT("made"), 0, &status), 0);
  IS(status.accessed.seconds, 1000000000);
  IS(status.accessed.nanoseconds, 123456789);
  IS(status.modified.seconds, -5);
  IS(status.modified.nanoseconds, 999999999);
  IS(vfs_file_sync(file), 0);
  IS(vfs_file_read(file, 0, 1), -EINVAL);
  IS(vfs_file_write(file, 0, 1), -EINVAL);
  IS(open_at(directory, "made", VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE | VFS_OPEN_APPEND, &second), 0);
  IS(vfs_file_write(second, TEXT("one")), 3);
  IS(vfs_file_seek(second, 0, VFS_SEEK_BEGINNING), 0);
  IS(vfs_file_write(second, TEXT("two")), 3);
  IS(vfs_file_pread(file, text, sizeof(text), 0), 6);
  HOLDS(memcmp(text, "onetwo", 6) == 0);
  IS(vfs_cap_close(second), 0);
  /* Two capabilities of one opening share its position. */
  IS(vfs_cap_narrow(file, VFS_RIGHT_READ, &second), 0);
  IS(vfs_file_seek(file, 3, VFS_SEEK_BEGINNING), 3);
  IS(vfs_file_read(second, text, 3), 3);
  HOLDS(memcmp(text, "two", 3) == 0);
  IS(vfs_cap_close(second), 0);
  IS(vfs_directory_remove(directory, TEXT("made"), 0), 0);
  IS(vfs_file_stat(file, &status), 0);
  IS(status.links, 0);
  IS(vfs_file_pread(file, text, 3, 0), 3);
  IS(vfs_cap_close(file), 0);
}

static void check_names(vfs_cap directory) {
  vfs_cap made = 0, file = 0, sub = 0;
  char target[16];
  IS(vfs_directory_make(directory, TEXT("made"), 0750), 0);
  IS(vfs_directory_make(directory, TEXT("made"), 0750), -EEXIST);
  IS(vfs_directory_make(directory, TEXT("made/"), 0750), -EEXIST);
  IS(vfs_directory_stat(directory, TEXT("made"), 0, &status), 0);
  IS(status.mode, 040750);
  IS(open_at(directory, "made", VFS_OPEN_DIRECTORY, &made), 0);
  IS(open_at(directory, "sub", VFS_OPEN_DIRECTORY, &sub), 0);
  IS(vfs_directory_create(made, TEXT("a"), 0644, &file), 0);
  IS(vfs_file_write(file, TEXT("a")), 1);
  IS(vfs_cap_close(file), 0);
  IS(vfs_directory_link(made, TEXT("a"), made, TEXT("b")), 0);
  IS(vfs_directory_link(made, TEXT("a"), made, TEXT("b")), -EEXIST);
  IS(vfs_directory_link(directory, TEXT("sub"), made, TEXT("c")), -EPERM);
  IS(vfs_directory_link(directory, TEXT("link/"), made, TEXT("c")), -ENOTDIR);
  IS(vfs_directory_stat(made, TEXT("b"), 0, &status), 0);
  IS(status.links, 2);
  IS(vfs_directory_rename(made, TEXT("b"), sub, TEXT("moved"), 0), 0);
  IS(vfs_directory_stat(sub, TEXT("moved"), 0, &status), 0);
  IS(vfs_directory_rename(made, TEXT("a"), sub, TEXT("moved"), VFS_RENAME_NEW), -EEXIST);
  IS(vfs_directory_rename(made, TEXT("none"), sub, TEXT("moved"), 0), -ENOENT);
  IS(vfs_directory_rename(made, TEXT("a"), sub, TEXT("none"), VFS_RENAME_EXCHANGE), -ENOENT);
  IS(vfs_directory_rename(made, TEXT("a"), sub, TEXT("x"), 4), -EINVAL);
  IS(vfs_directory_rename(made, TEXT("a"), 0, TEXT("x"), 0), -EBADF);
  IS(vfs_directory_rename(directory, TEXT("made"), made, TEXT("x"), 0), -EINVAL);
  IS(vfs_directory_rename(made, TEXT("."), sub, TEXT("x"), 0), -EBUSY);
  IS(vfs_directory_remove(directory, TEXT("made"), 0), -EISDIR);
  IS(vfs_directory_remove(directory, TEXT("made"), VFS_REMOVE_DIRECTORY), -ENOTEMPTY);
  IS(vfs_directory_remove(made, TEXT("a"), VFS_REMOVE_DIRECTORY), -ENOTDIR);
  IS(vfs_directory_remove(made, TEXT("a"), 2), -EINVAL);
  IS(vfs_directory_symlink(made, TEXT("../hello.txt"), TEXT("l")), 0);
  IS(vfs_directory_symlink(made, TEXT("../hello.txt"), TEXT("l")), -EEXIST);
  IS(vfs_directory_read_link(made, TEXT("l"), target, sizeof(target)), 12);
  HOLDS(memcmp(target, "../hello.txt", 12) == 0);
  IS(vfs_directory_read_link(made, TEXT("l"), target, 11), -ERANGE);
  IS(vfs_directory_read_link(made, TEXT("a"), target, sizeof(target)), -EINVAL);
  IS(vfs_directory_stat(directory, TEXT("made/l"), 0, &status), 0);
  IS(status.size, 18);
  IS(vfs_directory_remove(made, TEXT("l"), 0), 0);
  IS(vfs_directory_remove(made, TEXT("a"), 0), 0);
  IS(vfs_directory_remove(sub, TEXT("moved"), 0), 0);
  IS(vfs_directory_remove(directory, TEXT("made"), VFS_REMOVE_DIRECTORY), 0);
  IS(vfs_directory_stat(made, TEXT("."), 0, &status) < 0 || status.links == 0, 1);
  IS(vfs_directory_make(made, TEXT("x"), 0755), -ENOENT);
  IS(vfs_cap_close(made), 0);
  IS(vfs_cap_close(sub), 0);
}

/* "many" has 300 files, f0 to f299: all of them, once, whatever fits at a time. */
static void check_list(vfs_cap directory) {
  static const size_t rooms[] = {280, 1024, 65536};
  static uint64_t buffer[8192];
  vfs_cap many = 0;
  size_t r;
  IS(open_at(directory, "many", VFS_OPEN_DIRECTORY, &many), 0);
  IS(vfs_directory_list(many, 0, buffer, 24), -ERANGE);
  IS(vfs_directory_list(many, 0, 0, 0), -EINVAL);
  for (r = 0; r < sizeof(rooms) / sizeof(*rooms); ++r) {
    char seen[300] = {0};
    int count = 0;
    uint64_t from = 0;
    int64_t size;
    while ((size = vfs_directory_list(many, from, buffer, rooms[r])) > 0 && count <= 300) {
      const char *at = (const char *)buffer, *end = at + size;
      HOLDS((size_t)size <= rooms[r]);
      while (at < end) {
        struct vfs_entry entry;
        char name[256];
        int number;
        memcpy(&entry, at, sizeof(entry));
        memcpy(name, at + sizeof(entry), entry.name_length);
        name[entry.name_length] = '\0';
        number = atoi(name + 1);
        if (name[0] != 'f' || number < 0 || number >= 300 || seen[number] || entry.type != VFS_TYPE_FILE) {
          printf("FAIL: %s is listed\n", name);
          ++checks_failed;
        } else {
          seen[number] = 1;
        }
        ++count;
        from = entry.next;
        at += entry.size;
      }
    }
    IS(size, 0);
    IS(count, 300);
  }
  IS(vfs_directory_list(many, UINT64_MAX, buffer, sizeof(buffer)), 0);
  IS(vfs_directory_list(many, 1, buffer, sizeof(buffer)) > 0, 1);
  IS(vfs_cap_close(many), 0);
}

void check_directory(vfs_cap directory) {
  check_rights(directory);
  check_escapes(directory);
  check_open(directory);
  check_file(directory);
  check_names(directory);
  check_list(directory);
}
