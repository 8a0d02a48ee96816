/* named NAME [PATH]: what vfs_cap_get() says of NAME, and vfs_directory_stat() of PATH below it: a line of the interface,
 * the rights and the size of what is at PATH; or "errno N". */
#include <stdio.h>
#include <string.h>

#include <vfs/vfs.h>

int main(int argc, char **argv) {
  vfs_cap id = 0, reads = 0;
  uint32_t interface_id = 0;
  struct vfs_status status;
  int64_t result;
  if (argc < 2) return 2;
  result = vfs_cap_get(argv[1], strlen(argv[1]), &id, &interface_id);
  memset(&status, 0, sizeof(status));
  if (result == 0 && argc > 2) result = vfs_directory_stat(id, argv[2], strlen(argv[2]), 0, &status);
  if (result == 0 && interface_id == VFS_INTERFACE_FILE) result = vfs_file_stat(id, &status);
  if (result == 0) result = vfs_cap_narrow(id, (uint32_t)vfs_cap_rights(id), &reads);
  if (result < 0) printf("errno %d\n", (int)-result);
  if (result == 0) printf("%u %d %d\n", interface_id, (int)vfs_cap_rights(id), (int)status.size);
  return 0;
}
