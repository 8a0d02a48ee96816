#include "vfs/core/moved.h"

#include <dirent.h>

#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

bool link_path(const Workspace& workspace, uint64_t hash, PathBuffer& out) {
  char digits[16];
  for (unsigned i = 0; i < 16; ++i) digits[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
  return out.assign(workspace.state) && out.append("/moved/") && out.append(digits, 16);
}

// Makes the link at `link` say `path`. "/" before it: the target of a link
// cannot be empty.
void write_note(const Workspace& workspace, const PathBuffer& link, const PathBuffer& path) {
  PathBuffer temporary;
  PathBuffer target;
  if (!workspace.temporary_path(temporary) || !target.assign("/") ||
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

// If `path` is `from` or below it: puts `to` in the place of `from`.
bool replace_prefix(PathBuffer& path, const PathBuffer& from, const PathBuffer& to) {
  if (strncmp(path.text, from.text, from.length) != 0 ||
      (path.text[from.length] != '/' && path.text[from.length] != '\0')) {
    return false;
  }
  PathBuffer moved;
  if (!moved.assign(to) || !moved.append(path.text + from.length)) return false;
  path.assign(moved);
  return true;
}

}  // namespace

void note_moved(const Workspace& workspace, const PathBuffer& base_path, const PathBuffer& path) {
  PathBuffer link;
  if (link_path(workspace, path_hash(base_path.text, base_path.length), link)) {
    write_note(workspace, link, path);
  }
}

void move_noted(const Workspace& workspace, const PathBuffer& from, const PathBuffer& to,
                bool exchanged) {
  PathBuffer directory;
  if (!directory.assign(workspace.state) || !directory.append("/moved")) return;
  const int fd = sys::open(directory.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // nothing was ever moved: the usual case
  alignas(8) char buffer[4096];
  for (long count; (count = sys::getdents64(fd, buffer, sizeof(buffer))) > 0;) {
    for (long at = 0; at < count;) {
      const auto* entry = reinterpret_cast<const struct dirent64*>(buffer + at);
      at += entry->d_reclen;
      PathBuffer link;
      PathBuffer target;
      if (!link.assign(directory) || !link.push(entry->d_name, strlen(entry->d_name))) continue;
      const long length = sys::readlink(link.text, target.text, sizeof(target.text) - 1);
      if (length <= 0) continue;
      PathBuffer path;
      if (!path.assign(target.text + 1, static_cast<size_t>(length - 1))) continue;
      if (replace_prefix(path, from, to) || (exchanged && replace_prefix(path, to, from))) {
        write_note(workspace, link, path);
      }
    }
  }
  sys::close(fd);
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
