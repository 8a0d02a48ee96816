// Where an absolute path enters the workspace.
#include "vfs/core/lookup.h"
#include "vfs/core/sys.h"

namespace vfs {

bool enter_workspace(const Workspace& workspace, const char* absolute, PathBuffer& rest) {
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
      break;
    }
    cursor += length;
    matched += length;
  }
  if (root[matched] != '\0') {
    const char* dots = strstr(absolute, "/..");
    while (dots != nullptr && dots[3] != '/' && dots[3] != '\0') dots = strstr(dots + 1, "/..");
    if (dots == nullptr) return false;
    // What ".." means behind a link only the kernel knows: ask for the name of
    // the directory up to there, then look at the whole again.
    PathBuffer before;
    if (!before.assign(absolute, static_cast<size_t>(dots + 3 - absolute))) return false;
    const int fd = sys::open(before.text, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    PathBuffer canonical;
    const bool known = name_of_descriptor(fd, canonical);
    sys::close(fd);
    if (!known || (canonical.length == 1 && dots[3] == '\0')) return false;
    if (canonical.length == 1) canonical.truncate(0);
    return canonical.append(dots + 3) && enter_workspace(workspace, canonical.text, rest);
  }
  while (*cursor == '/') ++cursor;
  return rest.assign(*cursor != '\0' ? cursor : ".");
}

}  // namespace vfs
