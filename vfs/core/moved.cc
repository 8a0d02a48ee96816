#include "vfs/core/moved.h"

#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

bool link_path(const Workspace& workspace, uint64_t hash, PathBuffer& out) {
  char digits[16];
  for (unsigned i = 0; i < 16; ++i) digits[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
  return out.assign(workspace.state) && out.append("/moved/") && out.append(digits, 16);
}

}  // namespace

void note_moved(const Workspace& workspace, const PathBuffer& base_path, const PathBuffer& path) {
  PathBuffer link;
  PathBuffer temporary;
  PathBuffer target;
  // "/" before it: the target of a link cannot be empty.
  if (!link_path(workspace, path_hash(base_path.text, base_path.length), link) ||
      !workspace.temporary_path(temporary) || !target.assign("/") ||
      !target.append(path.text, path.length)) {
    return;
  }
  if (sys::symlink(target.text, temporary.text) != 0) return;
  int result = sys::rename(temporary.text, link.text);
  if (result == -ENOENT) {
    PathBuffer directory;
    if (directory.assign(workspace.state) && directory.append("/moved")) {
      sys::mkdir(directory.text, 0700);
      result = sys::rename(temporary.text, link.text);
    }
  }
  if (result != 0) sys::unlink(temporary.text);
}

void follow_moves(const Workspace& workspace, PathBuffer& path) {
  // The nearest ancestor that was moved decides: its own path includes what
  // happened to the ones above.
  PathBuffer ancestor;
  for (ancestor.assign(path); ancestor.length != 0; ancestor.pop()) {
    const uint64_t hash = path_hash(ancestor.text, ancestor.length);
    if (!workspace.control->filter.may_have_changed_subtree(hash)) continue;
    PathBuffer link;
    PathBuffer target;
    if (!link_path(workspace, hash, link)) return;
    const long length = sys::readlink(link.text, target.text, sizeof(target.text) - 1);
    if (length <= 0) continue;
    target.truncate(static_cast<uint32_t>(length));
    PathBuffer now;
    now.assign(target.text + 1, target.length - 1);
    if (now.append(path.text + ancestor.length)) path.assign(now);
    return;
  }
}

}  // namespace vfs
