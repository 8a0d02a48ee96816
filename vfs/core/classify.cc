// What the entries of the real upper directory mean.
#include "vfs/core/identity.h"
#include "vfs/core/listing_internal.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

// Fills `child` for an entry of `directory` without walking.
bool child_path(const Lookup& directory, const char* name, PathBuffer& path) {
  return path.assign(directory.path) && path.push(name, strlen(name));
}

}  // namespace

int classify(Workspace& workspace, const Lookup& directory, const struct dirent64& entry,
             unsigned char& type, uint64_t& inode) {
  type = entry.d_type;
  inode = entry.d_ino;
  if (type == DT_DIR && !directory.base_may_have) return 0;
  PathBuffer path;
  if (!child_path(directory, entry.d_name, path)) return -ENAMETOOLONG;
  if (type == DT_REG || type == DT_FIFO || type == DT_SOCK || type == DT_BLK) {
    // A draft goes by the number that it had in the base.
    PathBuffer real;
    struct stat status = {};
    if (!workspace.upper_path(path, real)) return -ENAMETOOLONG;
    status.st_mode = DTTOIF(type);
    status.st_dev = workspace.device;
    status.st_ino = inode;
    restore_identity(workspace, real.text, status);
    inode = status.st_ino;
    return 0;
  }
  if (type == DT_DIR || type == DT_UNKNOWN) {
    // A directory that the base has too goes by the base's number.
    Lookup child;
    const int result = look_up_canonical(workspace, path, child);
    if (result != 0 || !child.exists()) {
      type = kHidden;
      return 0;
    }
    type = static_cast<unsigned char>(IFTODT(child.status.st_mode));
    inode = child.status.st_ino;
    return 0;
  }
  UpperEntry upper;
  const int result = read_upper(workspace, path, upper);
  if (result != 0) return result;
  if (upper.kind == UpperKind::whiteout) type = kHidden;
  if (upper.kind == UpperKind::absent) type = kAbsent;  // a commit has sealed it
  if (upper.kind == UpperKind::inode) inode = upper.status.st_ino;
  if (upper.kind == UpperKind::object) {
    type = DT_REG;
    inode = upper.object.inode;
  }
  return 0;
}

}  // namespace vfs
