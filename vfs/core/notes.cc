#include "vfs/core/notes.h"

#include <dirent.h>

#include "vfs/core/sys.h"

namespace vfs {
namespace {

bool note_path(const PathBuffer& group, uint64_t key, PathBuffer& out) {
  return out.assign(group) && out.append_character('/') && append_key(out, key);
}

// Makes the directory of a group, and the one above it (a group of groups).
void make_group(const PathBuffer& group) {
  if (sys::mkdir(group.text, 0700) != -ENOENT) return;
  PathBuffer above;
  above.assign(group);
  above.pop();
  sys::mkdir(above.text, 0700);
  sys::mkdir(group.text, 0700);
}

bool read_link_note(const char* path, PathBuffer& text) {
  char target[PATH_MAX];
  const long length = sys::readlink(path, target, sizeof(target));
  return length > 0 && text.assign(target + 1, static_cast<size_t>(length - 1));
}

}  // namespace

bool note_group(const Workspace& workspace, const char* group, PathBuffer& directory) {
  return directory.assign(workspace.state) && directory.append_character('/') &&
         directory.append(group);
}

bool append_key(PathBuffer& out, uint64_t key) {
  char digits[16];
  for (unsigned i = 0; i < 16; ++i) digits[i] = "0123456789abcdef"[key >> (60 - 4 * i) & 15];
  return out.append(digits, sizeof(digits));
}

bool read_key(const char*& cursor, uint64_t& key) {
  key = 0;
  for (int i = 0; i < 16; ++i, ++cursor) {
    const bool decimal = *cursor >= '0' && *cursor <= '9';
    if (!decimal && (*cursor < 'a' || *cursor > 'f')) return false;
    key = key << 4 | static_cast<uint64_t>(decimal ? *cursor - '0' : *cursor - 'a' + 10);
  }
  return true;
}

void write_note(const Workspace& workspace, const PathBuffer& group, uint64_t key,
                const PathBuffer& text) {
  PathBuffer temporary;
  PathBuffer path;
  PathBuffer target;
  if (!workspace.temporary_path(temporary) || !note_path(group, key, path) ||
      !target.assign("/") || !target.append(text.text, text.length) ||
      sys::symlink(target.text, temporary.text) != 0) {
    return;
  }
  int result = sys::rename(temporary.text, path.text);
  if (result == -ENOENT) {
    make_group(group);
    result = sys::rename(temporary.text, path.text);
  }
  if (result != 0) sys::unlink(temporary.text);
}

bool read_note(const PathBuffer& group, uint64_t key, PathBuffer& text) {
  PathBuffer path;
  return note_path(group, key, path) && read_link_note(path.text, text);
}

NoteReader::NoteReader(const PathBuffer& group)
    : group_(group), fd_(sys::open(group.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

NoteReader::~NoteReader() {
  if (fd_ >= 0) sys::close(fd_);
}

bool NoteReader::next(uint64_t& key, PathBuffer& text) {
  while (fd_ >= 0) {  // if not, nothing was ever noted: the usual case
    if (at_ >= count_) {
      at_ = 0;
      count_ = sys::getdents64(fd_, buffer_, sizeof(buffer_));
      if (count_ <= 0) return false;
    }
    const auto* entry = reinterpret_cast<const struct dirent64*>(buffer_ + at_);
    at_ += entry->d_reclen;
    PathBuffer path;
    const char* name = entry->d_name;
    if (read_key(name, key) && *name == '\0' && note_path(group_, key, path) &&
        read_link_note(path.text, text)) {
      return true;
    }
  }
  return false;
}

}  // namespace vfs
