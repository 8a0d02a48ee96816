#include "vfs/cap/set.h"

#include <errno.h>
#include <string.h>

#include "vfs/cap/outside.h"
#include "vfs/cap/tree.h"
#include "vfs/core/sys.h"

// Libc's, where there is one.
extern "C" {
extern char** environ __attribute__((weak));
}

namespace vfs::cap {
namespace {

// All zeros until it is used: a constructor, or pointers that are not null, would make it a part of
// every program's file.
template <typename T>
union Zeroed {
  unsigned char bytes[sizeof(T)];
  T value;
  constexpr Zeroed() : bytes{} {}
};

enum class Standing : uint8_t {
  unknown,  // nobody has asked, or it could not be found out yet
  outside,  // of every workspace
  inside,
  unusable,  // there is a workspace, but not for us
};

struct Set {
  Standing standing;
  int fault;         // of an unusable workspace: a negative errno
  bool granted;      // the environment has grants
  int grants_fault;  // 0, or why they cannot be used
  Grants grants;
  Workspace workspace;
};

constinit Zeroed<Set> storage;
constinit Set& set = storage.value;
const char* const* given;  // by _start
Lock lock;

const char* variable(const char* name) {
  const char* const* all = given;
  if (all == nullptr && &environ != nullptr) all = environ;
  const size_t length = strlen(name);
  for (; all != nullptr && *all != nullptr; ++all) {
    if (strncmp(*all, name, length) == 0 && (*all)[length] == '=') return *all + length + 1;
  }
  return nullptr;
}

bool is_want(int result) {
  return result == -EMFILE || result == -ENFILE || result == -ENOMEM;
}

// As the kernel would follow it: the environment is trusted to name what it means.
int open_followed(const char* path, int flags) {
  return static_cast<int>(
      sys::call(SYS_openat, AT_FDCWD, sys::as_argument(path), flags | O_CLOEXEC));
}

// Where to look for the workspace: 0, -ENOENT if there is none, or what the kernel says.
int find_root(PathBuffer& root, bool& named) {
  const char* value = variable("VFS_WORKSPACE");
  named = value != nullptr && *value != '\0';
  if (named) {
    const int fd = open_followed(value, O_PATH | O_DIRECTORY);
    if (fd < 0) return fd;
    const bool known = name_of_descriptor(fd, root);
    sys::close(fd);
    return known ? 0 : -ENOENT;
  }
  // Wherever the process is: it would be a mistake to take the tree for the real directory.
  const Grant* granted = set.grants.find(kWorkspaceGrant, sizeof(kWorkspaceGrant) - 1);
  if (granted != nullptr && find_workspace(granted->path.text, root)) return 0;
  PathBuffer here;
  const long length = sys::getcwd(here.text, sizeof(here.text));
  if (length < 2 || here.text[0] != '/') return -ENOENT;
  here.truncate(static_cast<uint32_t>(length - 1));
  return find_workspace(here.text, root) ? 0 : -ENOENT;
}

// 0, or a negative errno of something that may pass.
int find_workspace_once() {
  const char* disabled = variable("VFS_DISABLE");
  set.standing = Standing::outside;
  if (disabled != nullptr && strcmp(disabled, "1") == 0) return 0;
  PathBuffer root;
  bool named = false;
  WorkspaceFault fault = WorkspaceFault::no_marker;
  int result = find_root(root, named);
  if (result == 0) result = set.workspace.open(root.text, fault, true);
  if (result == 0) {
    set.standing = Standing::inside;
  } else if (is_want(result)) {
    set.standing = Standing::unknown;
    set.workspace.memory.used = 0;
    return result;
  } else if (named || fault != WorkspaceFault::no_marker ||
             (result != -ENOENT && result != -ENOTDIR)) {
    // A marker that is there and leads nowhere is no reason to take the real files for the tree.
    set.standing = Standing::unusable;
    set.fault = result == -EACCES ? result : -EIO;
    if (set.workspace.root.length == 0) {
      set.workspace.memory.keep(set.workspace.root, root.text, root.length);
    }
  }
  return 0;
}

int begin() {
  if (set.standing != Standing::unknown) return 0;
  const char* text = variable(kGrantsVariable);
  set.granted = text != nullptr;
  if (set.granted) set.grants_fault = set.grants.parse(text, strlen(text));
  return find_workspace_once();
}

// A place of the tree by its absolute path: behind the root of the workspace.
int open_in_tree(const char* absolute, Rights rights, Capability*& opened) {
  const char* rest = absolute + set.workspace.root.length;
  while (*rest == '/') ++rest;
  return tree::open_root(*rest != '\0' ? rest : ".", rights, opened);
}

bool is_below_root(const char* path, size_t length) {
  return set.workspace.root.length != 0 && contains(set.workspace.root, path, length);
}

int open_grant(const Grant& grant, Capability*& opened) {
  if (set.standing != Standing::outside && is_below_root(grant.path.text, grant.path.length)) {
    if (set.standing == Standing::unusable) return set.fault;
    return open_in_tree(grant.path.text, grant.rights, opened);
  }
  const int fd = open_followed(grant.path.text, O_PATH);
  if (fd < 0) return fd;
  // Through a link it may be the tree all the same.
  PathBuffer name;
  PathBuffer path;
  if (name_of_descriptor(fd, name) && is_of_workspace(name)) {
    sys::close(fd);
    if (set.standing == Standing::unusable) return set.fault;
    if (!set.workspace.to_virtual(name.text, name.length, path)) return -EXDEV;
    return tree::open_root(path.length != 0 ? path.text : ".", grant.rights, opened);
  }
  return outside::adopt(fd, grant.rights, opened);
}

}  // namespace

Workspace& workspace() {
  return set.workspace;
}

bool is_of_workspace(const PathBuffer& name) {
  return set.standing != Standing::outside &&
         (contains(set.workspace.root, name.text, name.length) ||
          contains(set.workspace.state, name.text, name.length));
}

bool is_above_workspace(const PathBuffer& name) {
  if (set.standing == Standing::outside) return false;
  const KeptPath directory = {name.text, name.length};
  for (const KeptPath* place : {&set.workspace.root, &set.workspace.state}) {
    if (place->length != 0 && contains(directory, place->text, place->length)) return true;
  }
  return false;
}

void set_environment(const char* const* variables) {
  given = variables;
}

int open_named(const char* name, size_t length, Capability*& opened) {
  const Locked locked(lock);
  constexpr char kConsole[] = "console";
  if (length == sizeof(kConsole) - 1 && memcmp(name, kConsole, length) == 0) {
    opened = make_capability(VFS_INTERFACE_CONSOLE, kMayRead | kMayWrite);
    return opened != nullptr ? 0 : -ENOMEM;
  }
  const int result = begin();
  if (result != 0) return result;
  if (set.granted) {
    if (set.grants_fault != 0) return -EINVAL;
    const Grant* grant = set.grants.find(name, length);
    return grant != nullptr ? open_grant(*grant, opened) : -ENOENT;
  }
  const bool is_workspace =
      length == sizeof(kWorkspaceGrant) - 1 && memcmp(name, kWorkspaceGrant, length) == 0;
  if (!is_workspace || set.standing == Standing::outside) return -ENOENT;
  if (set.standing == Standing::unusable) return set.fault;
  return tree::open_root(".", kAllRights, opened);
}

}  // namespace vfs::cap
