/* A program of nothing but libvfscap: no libc, no header of one. It prints a line, the first line of the file its
 * argument names in the workspace ("hello.txt" without one), and writes "hello.out" there. build says how it is made.
 *
 * A static program loads no preload, and yet it sees the tree: the file may exist only in the store. */
#include <vfs/vfs.h>

static vfs_cap console;

/* Says what failed and ends the program, where `result` is an error. */
static int64_t checked(int64_t result, const char *what) {
  if (result < 0) {
    char number[20];
    int64_t left = -result;
    size_t start = sizeof(number);
    while (left > 0 && start > 0) {
      number[--start] = (char)('0' + left % 10);
      left /= 10;
    }
    vfs_console_write_line(console, what, vfs_strlen(what));
    vfs_console_write_line(console, number + start, sizeof(number) - start);
    vfs_exit(1);
  }
  return result;
}

/* Bytes up to the first newline. */
static size_t first_line(const char *text, size_t size) {
  size_t length = 0;
  while (length < size && text[length] != '\n') ++length;
  return length;
}

int main(int argc, char **argv) {
  static const char greeting[] = "[c-hello] hello from C without libc";
  static const char written[] = "written by c-hello\n";
  const char *name = argc > 1 ? argv[1] : "hello.txt";
  const size_t room = 4096;
  uint32_t interface_id;
  vfs_cap workspace, file;
  char *text;
  int64_t size;

  if (vfs_cap_get("console", 7, &console, &interface_id) != 0) return 2;
  vfs_console_write_line(console, greeting, sizeof(greeting) - 1);

  checked(vfs_cap_get("workspace", 9, &workspace, &interface_id), "c-hello: no workspace: errno");
  checked(vfs_directory_open(workspace, name, vfs_strlen(name), VFS_OPEN_READ, 0, &file),
          "c-hello: the file cannot be opened: errno");
  text = malloc(room);
  size = checked(text == 0 ? -12 : vfs_file_read(file, text, room), "c-hello: the file cannot be read: errno");
  vfs_console_write_line(console, text, first_line(text, (size_t)size));
  free(text);
  vfs_cap_close(file);

  checked(vfs_directory_open(workspace, "hello.out", 9, VFS_OPEN_WRITE | VFS_OPEN_CREATE | VFS_OPEN_TRUNCATE, 0666,
                             &file),
          "c-hello: hello.out cannot be made: errno");
  checked(vfs_file_write(file, written, sizeof(written) - 1), "c-hello: hello.out cannot be written: errno");
  vfs_cap_close(file);
  vfs_cap_close(workspace);
  return 0;
}
