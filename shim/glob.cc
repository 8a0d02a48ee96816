// glob: with GLOB_ALTDIRFUNC glibc lists and looks at files through functions
// it is given, so it is given ours.
#include <dirent.h>
#include <glob.h>
#include <sys/stat.h>

#include "shim/interpose.h"
#include "shim/state.h"

namespace {

void* open_directory(const char* path) { return opendir(path); }
struct dirent* read_directory(void* directory) { return readdir(static_cast<DIR*>(directory)); }
void close_directory(void* directory) { closedir(static_cast<DIR*>(directory)); }
int look(const char* path, struct stat* status) { return stat(path, status); }
int look_at_link(const char* path, struct stat* status) { return lstat(path, status); }

}  // namespace

VFS_INTERPOSE(int, glob,
              (const char* pattern, int flags, int (*on_error)(const char*, int), glob_t* result)) {
  if (!shim::engaged() || result == nullptr || (flags & GLOB_ALTDIRFUNC) != 0) {
    return VFS_NEXT(glob)(pattern, flags, on_error, result);
  }
  result->gl_opendir = open_directory;
  result->gl_readdir = read_directory;
  result->gl_closedir = close_directory;
  result->gl_stat = look;
  result->gl_lstat = look_at_link;
  const int outcome = VFS_NEXT(glob)(pattern, flags | GLOB_ALTDIRFUNC, on_error, result);
  result->gl_flags &= ~GLOB_ALTDIRFUNC;
  return outcome;
}
VFS_ALIAS(glob64, glob);
