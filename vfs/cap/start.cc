// The beginning and the end of a program without libc.
#include "vfs/cap/set.h"

extern "C" {

void vfs_exit(int status) {
  for (;;) vfs::sys::call(SYS_exit_group, status);
}

// The kernel's stack: the number of arguments, the arguments, a null pointer, the environment.
void vfs_start(const void* stack, int (*main_function)(int, char**, char**)) {
  auto* words = static_cast<char* const*>(stack);
  const int count = *static_cast<const int*>(stack);
  auto** arguments = const_cast<char**>(words + 1);
  char** environment = arguments + count + 1;
  vfs::cap::set_environment(environment);
  vfs_exit(main_function(count, arguments, environment));
}

}  // extern "C"
