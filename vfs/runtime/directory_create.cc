#include "vfs/core/path_buffer.h"
#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

namespace {

constexpr mode_t kNewDirectory = 0777;  // less the umask

bool is_directory(const char* path) {
  struct stat status;
  return sys::fstatat(AT_FDCWD, path, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

// Every directory above the last component, from the top. That one is there, or
// comes to be by others' doing, is what is wanted; whether it is a directory
// shows at the next.
int make_parents(const char* path) {
  PathBuffer parent;
  if (!parent.assign(path)) return -ENAMETOOLONG;
  for (char* at = parent.text + 1; *at != '\0'; ++at) {
    if (*at != '/') continue;
    *at = '\0';
    const int result = sys::mkdir(parent.text, kNewDirectory);
    if (result != 0 && result != -EEXIST) return result;
    *at = '/';
  }
  return 0;
}

int make_all(const char* path) {
  // Mostly only the last one is missing, or none.
  int result = sys::mkdir(path, kNewDirectory);
  if (result == -ENOENT && *path != '\0') {
    result = make_parents(path);
    if (result == 0) result = sys::mkdir(path, kNewDirectory);
  }
  return result == -EEXIST && is_directory(path) ? 0 : result;
}

}  // namespace

int rt_dir_create(const char* path, unsigned flags) {
  if (path == nullptr || (flags & ~RT_RECURSIVE) != 0) return fail(-EINVAL);
  return answer((flags & RT_RECURSIVE) != 0 ? make_all(path) : sys::mkdir(path, kNewDirectory));
}
