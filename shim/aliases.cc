#include "shim/aliases.h"

#include "shim/magic_links.h"
#include "shim/state.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

constexpr int kMaximumLinks = 40;  // as the kernel's

// --- places without links into a workspace -------------------------------------
//
// What belongs to the system and is not written by programs is taken to be
// free of such links, so that what every program does costs nothing.

// Whether the path climbs above where it starts, going by its text.
bool climbs(const char* path) {
  if (strstr(path, "..") == nullptr) return false;
  int depth = 0;
  for (const char* end; *path != '\0'; path = *end == '/' ? end + 1 : end) {
    end = strchrnul(path, '/');
    const long length = end - path;
    if (length == 2 && path[0] == '.' && path[1] == '.') {
      if (--depth < 0) return true;
    } else if (length > 1 || (length == 1 && path[0] != '.')) {
      ++depth;
    }
  }
  return false;
}

// The length of `directory` if the path begins with it; 0. Not a call: every path
// outside comes through here.
template <size_t size>
inline uint32_t length_if_below(const char* path, const char (&directory)[size]) {
  for (size_t i = 0; i < size - 1; ++i) {
    if (path[i] != directory[i]) return 0;
  }
  return size - 1;
}

// The length of the system's directory, with a slash behind it, that the path
// lies below; 0.
inline uint32_t system_directory_length(const char* path) {
  if (path[0] != '/') return 0;
  switch (path[1]) {
    case 'u': return length_if_below(path, "/usr/");
    case 'l': return length_if_below(path, "/lib/") | length_if_below(path, "/lib64/") |
                     length_if_below(path, "/lib32/") | length_if_below(path, "/libx32/");
    case 'e': return length_if_below(path, "/etc/");
    case 'p': return length_if_below(path, "/proc/");
    case 's': return length_if_below(path, "/sys/") | length_if_below(path, "/sbin/");
    case 'd': return length_if_below(path, "/dev/");
    case 'b': return length_if_below(path, "/bin/");
    default: return 0;
  }
}

bool is_system_path(const char* path) {
  const uint32_t length = system_directory_length(path);
  if (length == 0 || climbs(path + length)) return false;
  // Shared memory is a /tmp by another name.
  return strncmp(path, "/dev/shm", 8) != 0 || (path[8] != '/' && path[8] != '\0');
}

// Whether the root itself lies there.
VFS_HOT bool root_is_of_system;

// --- one path, component by component --------------------------------------------

// Whether the directory `position`, canonical, is the root or one of those
// that stand for it (upper, run).
bool is_entrance(const vfs::PathBuffer& position, vfs::PathBuffer& rest) {
  if (position.length == 0) return false;
  if (strcmp(position.text, workspace.root.text) == 0) {
    rest.truncate(0);
    return true;
  }
  return workspace.upper.length != 0 &&
         workspace.to_virtual(position.text, position.length, rest);
}

// Puts `target` in the place of what was walked of `pending` up to `cursor`.
bool replace_walked(vfs::PathBuffer& pending, const char*& cursor, const vfs::PathBuffer& target) {
  const size_t rest = strlen(cursor);
  if (target.length + rest >= sizeof(pending.text)) return false;
  memmove(pending.text + target.length, cursor, rest);
  memcpy(pending.text, target.text, target.length);
  pending.truncate(target.length + static_cast<uint32_t>(rest));
  cursor = pending.text;
  return true;
}

// Walks as the kernel would, but not beyond the point where the path enters:
// what lies there in the real file system is not what the workspace shows.
bool walk_in(const char* path, vfs::Follow follow, vfs::PathBuffer& rest) {
  vfs::PathBuffer pending;
  vfs::PathBuffer position;  // canonical; "" is the top
  vfs::PathBuffer target;
  if (!pending.assign(path)) return false;
  const char* cursor = pending.text;
  for (int links = 0;;) {
    while (*cursor == '/') ++cursor;
    if (is_entrance(position, rest)) {
      if (rest.length != 0 && *cursor != '\0' && !rest.append_character('/')) return false;
      return rest.append(rest.length == 0 && *cursor == '\0' ? "." : cursor);
    }
    if (*cursor == '\0') return false;
    const char* name = cursor;
    cursor = strchrnul(name, '/');
    const size_t length = static_cast<size_t>(cursor - name);
    if (length == 1 && name[0] == '.') continue;
    if (length == 2 && name[0] == '.' && name[1] == '.') {
      position.pop();
      continue;
    }
    if (!position.append_character('/') || !position.append(name, length)) return false;
    const bool last = cursor[strspn(cursor, "/")] == '\0';
    if (last && !vfs::follows(follow) && (*cursor == '\0' || follow == vfs::Follow::name)) {
      continue;
    }
    const long count = sys::readlink(position.text, target.text, sizeof(target.text) - 1);
    if (count == -EINVAL) continue;  // not a link
    if (count <= 0 || ++links > kMaximumLinks) return false;
    target.truncate(static_cast<uint32_t>(count));
    if (!replace_walked(pending, cursor, target)) return false;
    position.pop();
    if (target.text[0] != '/') continue;
    position.truncate(0);
    const uint32_t magic = magic_link_length(pending.text);
    if (magic != 0 && resolve_magic_link(pending.text, magic, rest)) return true;
    if (magic != 0 && pending.text[magic] == '\0') return false;
  }
}

// --- directories outside ---------------------------------------------------------
//
// Those that were walked to and led nowhere near are remembered by their path
// and their inode. To see that the path still leads there takes one call.

constexpr uint32_t kOutsideDirectories = 512;
std::atomic<uint64_t> outside_directories[kOutsideDirectories];

struct OutsideDirectory {
  std::atomic<uint64_t>* slot;
  uint64_t key;  // 0: there is no such directory

  explicit OutsideDirectory(const vfs::PathBuffer& path) {
    const uint64_t hash = vfs::path_hash_append(1, path.text, path.length);
    slot = &outside_directories[hash % kOutsideDirectories];
    struct stat status;
    const bool there = sys::fstatat(AT_FDCWD, path.text, &status, 0) == 0;
    key = there ? vfs::mix_hash(hash ^ status.st_ino, status.st_dev | 1) | 1 : 0;
  }
  bool is_known() const { return key != 0 && slot->load(std::memory_order_relaxed) == key; }
  void remember() const {
    if (key != 0) slot->store(key, std::memory_order_relaxed);
  }
};

bool is_link(const char* path) {
  char first;
  return sys::readlink(path, &first, 1) > 0;
}

bool enter_through_links(const char* path, vfs::Follow follow, vfs::PathBuffer& rest,
                         uint32_t canonical) {
  const char* name = strrchr(path, '/') + 1;
  vfs::PathBuffer directory;
  if (!directory.assign(path, static_cast<size_t>(name - path))) return false;
  if (directory.length > 1) directory.truncate(directory.length - 1);
  // The root's own name may come behind a directory outside.
  if (strcmp(name, workspace.root.name()) == 0) return walk_in(path, follow, rest);
  if (directory.length > canonical) {
    const OutsideDirectory outside(directory);
    if (!outside.is_known()) {
      if (walk_in(path, follow, rest)) return true;
      outside.remember();
      return false;
    }
  }
  return vfs::follows(follow) && *name != '\0' && is_link(path) &&
         walk_in(path, follow, rest);
}

}  // namespace

void note_root() { root_is_of_system = is_system_path(workspace.root.text); }

bool is_surely_outside(const char* path) {
  if (path[0] != '/') return false;
  // Not those that may have magic links.
  switch (path[1]) {
    case 'u': case 'l': case 'e': case 's': case 'b': break;
    default: return false;
  }
  return !root_is_of_system && is_system_path(path);
}

bool is_steadily_outside(const char* path) {
  const auto& root = workspace.root;
  // Most differ in the first letters.
  const bool below = path[1] == root.text[1] && strncmp(path, root.text, root.length) == 0 &&
                     (path[root.length] == '/' || path[root.length] == '\0');
  const bool may_be_magic = path[1] == 'p' || path[1] == 'd';
  return !below && !(may_be_magic && magic_link_length(path) != 0);
}

bool enter(const char* path, vfs::Follow follow, vfs::PathBuffer& rest, uint32_t canonical) {
  if (const uint32_t length = magic_link_length(path); length != 0) {
    const bool whole = path[length] == '\0';
    if (whole && !vfs::follows(follow)) return false;
    if (resolve_magic_link(path, length, rest)) return true;
    return !whole && walk_in(path, follow, rest);
  }
  const bool system = is_system_path(path);
  if (system && !root_is_of_system) return false;
  if (vfs::enter_workspace(workspace, path, rest)) {
    // The root by its own name is not ".": it is refused to be renamed or
    // removed for other reasons.
    const size_t length = strlen(path);
    if (strcmp(rest.text, ".") == 0 && path[length - 1] != '.') rest.assign("/");
    return true;
  }
  return !system && enter_through_links(path, follow, rest, canonical);
}

bool enter_root(const char* path, vfs::PathBuffer& rest) {
  return vfs::enter_workspace(workspace, path, rest) || walk_in(path, vfs::Follow::yes, rest);
}

}  // namespace shim
