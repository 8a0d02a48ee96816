// Where an absolute path enters the workspace.
#include "vfs/core/lookup.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

// What stands behind the root in `absolute`; null if that does not spell it.
const char* behind_root(const Workspace& workspace, const char* absolute) {
  // Take the path apart only as far as the root is long.
  const char* root = workspace.root.text;
  const char* cursor = absolute;
  uint32_t matched = 0;
  while (root[matched] != '\0') {
    // Both stand before a slash.
    while (cursor[0] == '/' && (cursor[1] == '/' || (cursor[1] == '.' && cursor[2] == '/'))) {
      cursor += cursor[1] == '/' ? 1 : 2;
    }
    uint32_t length = 1;
    while (root[matched + length] != '\0' && root[matched + length] != '/') ++length;
    if (strncmp(cursor, root + matched, length) != 0 ||
        (cursor[length] != '/' && cursor[length] != '\0')) {
      return nullptr;
    }
    cursor += length;
    matched += length;
  }
  while (*cursor == '/') ++cursor;
  return cursor;
}

// The first "/.." that is a component; null if there is none.
const char* find_dots(const char* absolute) {
  const char* dots = strstr(absolute, "/..");
  while (dots != nullptr && dots[3] != '/' && dots[3] != '\0') dots = strstr(dots + 1, "/..");
  return dots;
}

// What ".." means behind a link only the kernel knows: puts its name for the
// directory in the place of all up to `end`. False: there is nothing to enter.
bool ask_kernel(PathBuffer& path, uint32_t end) {
  const char behind = path.text[end];
  path.text[end] = '\0';
  const int fd = sys::open(path.text, O_PATH | O_DIRECTORY | O_CLOEXEC);
  path.text[end] = behind;
  if (fd < 0) return false;
  PathBuffer canonical;
  const bool known = name_of_descriptor(fd, canonical);
  sys::close(fd);
  if (!known || (canonical.length == 1 && behind == '\0')) return false;
  if (canonical.length == 1) canonical.truncate(0);
  return canonical.append(path.text + end) && path.assign(canonical);
}

// One ".." after the other. (Not by recursion: a path has room for more than a
// thousand, and the stack may be a small one.)
bool enter_by_dots(const Workspace& workspace, const char* absolute, const char* dots,
                   PathBuffer& rest) {
  PathBuffer path;
  uint32_t end = static_cast<uint32_t>(dots + 3 - absolute);
  if (!path.assign(absolute)) return false;
  while (ask_kernel(path, end)) {
    if (const char* cursor = behind_root(workspace, path.text)) {
      return rest.assign(*cursor != '\0' ? cursor : ".");
    }
    const char* next = find_dots(path.text);
    if (next == nullptr) return false;
    end = static_cast<uint32_t>(next + 3 - path.text);
  }
  return false;
}

}  // namespace

bool enter_workspace(const Workspace& workspace, const char* absolute, PathBuffer& rest) {
  if (const char* cursor = behind_root(workspace, absolute)) {
    return rest.assign(*cursor != '\0' ? cursor : ".");
  }
  const char* dots = find_dots(absolute);
  return dots != nullptr && enter_by_dots(workspace, absolute, dots, rest);
}

}  // namespace vfs
