/* A line on the console and nothing else, by libvfscap alone. */
#include <vfs/vfs.h>

int main(void) {
  vfs_cap console;
  uint32_t interface_id;
  if (vfs_cap_get("console", 7, &console, &interface_id) != 0) return 1;
  return vfs_console_write_line(console, "hello", 5) == 5 ? 0 : 1;
}
