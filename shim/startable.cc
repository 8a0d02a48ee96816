#include "shim/startable.h"

#include "shim/state.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

bool is_same_file(const char* a, const char* b) {
  struct stat first;
  struct stat second;
  return sys::lstat(a, &first) == 0 && sys::lstat(b, &second) == 0 &&
         first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

// Puts a link to `object` at `path`, over what may be there: an older version
// of the program, which runs on under its inode.
int put_link(const char* object, const vfs::PathBuffer& path, uint32_t existing) {
  int result = sys::link(object, path.text);
  if (result == -ENOENT) {
    result = make_directories(path, existing);
    if (result == 0) result = sys::link(object, path.text);
  }
  if (result != -EEXIST) return result;
  if (is_same_file(object, path.text)) return 0;  // another process was faster
  vfs::PathBuffer temporary;
  if (!workspace.temporary_path(temporary)) return -ENAMETOOLONG;
  result = sys::link(object, temporary.text);
  if (result != 0) return result;
  result = sys::rename(temporary.text, path.text);
  // Where a directory of this name was in an older state of the tree it stays;
  // and renaming between links of one inode does nothing and leaves the name.
  sys::unlink(temporary.text);
  return result;
}

}  // namespace

int make_directories(const vfs::PathBuffer& path, uint32_t existing) {
  vfs::PathBuffer directory;
  for (uint32_t i = existing + 1; i < path.length; ++i) {
    if (path.text[i] != '/') continue;
    directory.assign(path.text, i);
    const int result = sys::mkdir(directory.text, 0777);
    if (result != 0 && result != -EEXIST) return result;
  }
  return 0;
}

int startable_path(const vfs::Lookup& found, vfs::PathBuffer& real) {
  const int result = vfs::real_path(workspace, found, real);
  if (result == 0 && found.is_sealed()) name_for_start(found.path, real);
  return result;
}

void name_for_start(const vfs::PathBuffer& path, vfs::PathBuffer& real) {
  vfs::PathBuffer link;
  const uint32_t existing = workspace.state.length;
  if (!link.assign(workspace.state) || !link.append("/run/") || !link.append(path.text)) return;
  // Without a link (another file system, too many links, no room) the object
  // itself still starts; only its name is then the object's.
  if (is_same_file(real.text, link.text) || put_link(real.text, link, existing) == 0) {
    real.assign(link);
  }
}

}  // namespace shim
