#include "vfs/core/moved.h"

#include "vfs/core/notes.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

constexpr char kGroup[] = "moved";

// Of a number, for the filter and for the note.
uint64_t file_key(uint64_t inode) { return mix_hash(inode ^ 0xd1342543de82ef95ull, 0xaf251af3b0f025b5ull); }

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
  PathBuffer group;
  if (note_group(workspace, kGroup, group)) {
    write_note(workspace, group, path_hash(base_path.text, base_path.length), path);
  }
}

void move_noted(const Workspace& workspace, const PathBuffer& from, const PathBuffer& to,
                bool exchanged) {
  PathBuffer group;
  if (!note_group(workspace, kGroup, group)) return;
  NoteReader notes(group);
  PathBuffer path;
  for (uint64_t key; notes.next(key, path);) {
    if (replace_prefix(path, from, to) || (exchanged && replace_prefix(path, to, from))) {
      write_note(workspace, group, key, path);
    }
  }
}

void note_file(Workspace& workspace, const struct stat& status, const PathBuffer& path) {
  PathBuffer group;
  if (!note_group(workspace, kGroup, group)) return;
  write_note(workspace, group, file_key(status.st_ino), path);
  workspace.control->filter.announce(file_key(status.st_ino));
}

bool find_noted_file(const Workspace& workspace, const struct stat& status, PathBuffer& path) {
  PathBuffer group;
  const uint64_t key = file_key(status.st_ino);
  return workspace.control->filter.may_have_changed(key) && note_group(workspace, kGroup, group) &&
         read_note(group, key, path);
}

bool follow_moves(const Workspace& workspace, PathBuffer& path) {
  PathBuffer group;
  if (!note_group(workspace, kGroup, group)) return false;
  // The nearest ancestor that was moved decides: its own path includes what
  // happened to the ones above.
  PathBuffer ancestor;
  for (ancestor.assign(path); ancestor.length != 0; ancestor.pop()) {
    const uint64_t hash = path_hash(ancestor.text, ancestor.length);
    PathBuffer now;
    if (!workspace.control->filter.may_have_changed_subtree(hash) ||
        !read_note(group, hash, now)) {
      continue;
    }
    return now.append(path.text + ancestor.length) && path.assign(now);
  }
  return false;
}

}  // namespace vfs
