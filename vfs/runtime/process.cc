#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

int rt_getpid(void) { return static_cast<int>(sys::call(SYS_getpid)); }

int rt_process_run(const char* const* arguments) {
  if (arguments == nullptr || arguments[0] == nullptr) return fail(-EINVAL);
  pid_t child;
  // It changes none of them: POSIX has the type from before there was const.
  char* const* words = const_cast<char* const*>(arguments);
  const int error = posix_spawnp(&child, words[0], nullptr, nullptr, words, environ);
  if (error != 0) return fail(-error);
  int status;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return fail(-errno);
  }
  return WIFSIGNALED(status) ? RT_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}
