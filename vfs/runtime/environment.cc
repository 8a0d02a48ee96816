#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "vfs/core/path_buffer.h"
#include "vfs/runtime/bytes.h"
#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

namespace {

bool is_name(const char* name) { return name != nullptr && *name != '\0' && strchr(name, '=') == nullptr; }

// Of the user database, which is libc's business: it may be on another machine.
char* home_of_user() {
  Bytes room;
  struct passwd entry;
  struct passwd* found = nullptr;
  int error = ERANGE;
  for (size_t size = 1024; error == ERANGE; size *= 2) {
    if (room.resize(size) != 0) return fail_null(-ENOMEM);
    do {
      error = getpwuid_r(sys::getuid(), &entry, room.at, size, &found);
    } while (error == EINTR);
  }
  if (found == nullptr) return fail_null(error != 0 ? -error : -ENOENT);
  return give_text(entry.pw_dir);
}

}  // namespace

char* rt_env_cwd(void) {
  char path[PATH_MAX];
  const long length = sys::getcwd(path, sizeof(path));
  if (length < 0) return fail_null(length);
  // "(unreachable)/..." is no path that leads anywhere.
  return path[0] == '/' ? give_text(path) : fail_null(-ENOENT);
}

char* rt_env_get(const char* name) {
  if (!is_name(name)) return fail_null(-EINVAL);
  const char* value = getenv(name);
  return value != nullptr ? give_text(value) : fail_null(-ENOENT);
}

int rt_env_set(const char* name, const char* value) {
  if (!is_name(name)) return fail(-EINVAL);
  const int result = value != nullptr ? setenv(name, value, 1) : unsetenv(name);
  return answer(result == 0 ? 0 : -errno);
}

char* rt_env_home(void) {
  const char* home = getenv("HOME");
  return home != nullptr && *home != '\0' ? give_text(home) : home_of_user();
}
