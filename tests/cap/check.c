/* check NAME: everything that vfs.h promises of a directory with all rights, on the capability NAME, whose tree
 * test_cap.sh makes. The program is an ordinary one, with libc. */
#include "check.h"

int checks_failed;
int checks_made;

int main(int argc, char **argv) {
  vfs_cap directory;
  if (argc != 2) return 2;
  IS(vfs_abi_version(), VFS_ABI_VERSION);
  directory = get(argv[1]);
  IS(vfs_cap_interface(directory), VFS_INTERFACE_DIRECTORY);
  check_calls(directory);
  check_directory(directory);
  check_process(directory);
  IS(vfs_cap_close(directory), 0);
  printf("%d checks, %d failed\n", checks_made, checks_failed);
  return checks_failed == 0 && checks_made > 4000 ? 0 : 1;
}
