#include "vfs/cap/tree.h"

#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "vfs/cap/set.h"
#include "vfs/core/attributes.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/identity.h"
#include "vfs/core/moved.h"
#include "vfs/core/names.h"
#include "vfs/core/open.h"
#include "vfs/core/permission.h"
#include "vfs/core/removed.h"
#include "vfs/core/sys.h"

namespace vfs::cap::tree {
namespace {

// A directory that became a link since it was looked up is refused by the calls of
// sys_without_links.h; another look tells what is there now.
constexpr int kLoopAttempts = 4;

// Looks a place up, beneath its capability.
int look(const Capability& directory, const PathBuffer& path, Follow follow, Lookup& found) {
  PathBuffer start;
  directory.get_path(start);
  const int result =
      look_up_restricted(workspace(), start, path.text, follow, RESOLVE_BENEATH, found);
  return result == 0 && !found.inside ? -EXDEV : result;
}

template <typename Attempt>
int64_t retry(Attempt attempt) {
  int64_t result = -ESTALE;
  int loops = 0;
  for (int i = 0; i < kAttempts; ++i) {
    result = attempt();
    if (result == -ELOOP && ++loops < kLoopAttempts) continue;
    if (result != -ESTALE) break;
  }
  return result;
}

template <typename Action>
int64_t on_path(const Capability& directory, Bytes text, Follow follow, Action action) {
  PathBuffer path;
  const int taken = take_path(text, path);
  if (taken != 0) return taken;
  Lookup found;
  return retry([&]() -> int64_t {
    const int result = look(directory, path, follow, found);
    return result != 0 ? result : action(found);
  });
}

// `source_first`: the old name has to exist before the new one is looked for, as link(2) has it.
template <typename Action>
int64_t on_two_paths(const Capability& directory, Bytes text, const Capability& to, Bytes new_text,
                     bool source_first, Action action) {
  PathBuffer path;
  PathBuffer new_path;
  int taken = take_path(text, path);
  if (taken == 0) taken = take_path(new_text, new_path);
  if (taken != 0) return taken;
  Lookup found;
  Lookup target;
  return retry([&]() -> int64_t {
    int result = look(directory, path, Follow::name, found);
    if (result == 0 && source_first && !found.exists()) result = -ENOENT;
    if (result == 0) result = look(to, new_path, Follow::name, target);
    return result != 0 ? result : action(found, target);
  });
}

int make_directory_capability(const Lookup& found, Rights rights, Capability*& opened) {
  if (!found.is_directory()) return found.exists() ? -ENOTDIR : -ENOENT;
  opened = make_capability(VFS_INTERFACE_DIRECTORY, rights);
  if (opened == nullptr) return -ENOMEM;
  opened->in_tree = true;
  if (opened->set_path(found.path.text, found.path.length)) return 0;
  discard(opened);
  return -ENOMEM;
}

int open_found(const Lookup& found, int flags, uint32_t mode, Rights rights, Capability*& opened) {
  if (found.is_directory()) return -EISDIR;
  opened = make_capability(VFS_INTERFACE_FILE, rights);
  if (opened == nullptr) return -ENOMEM;
  opened->in_tree = true;
  OpenedKind kind = OpenedKind::draft;
  int result = -ENOMEM;
  if (opened->set_path(found.path.text, found.path.length)) {
    result = open_file(workspace(), found, flags, static_cast<mode_t>(mode), kind);
    opened->fd = result;
  }
  // Its metadata are not those of the inode that the kernel has opened.
  opened->sealed = kind == OpenedKind::sealed || kind == OpenedKind::live;
  if (opened->sealed) opened->status = found.status;
  opened->generation = found.generation;
  if (result >= 0) return 0;
  discard(opened);
  opened = nullptr;
  return result == -ELOOP && !found.is_link() ? -ESTALE : result;
}

Follow follow_for_open(Bytes path, uint32_t flags) {
  if ((flags & VFS_OPEN_NEW) != 0) {
    const bool slash = path.at != nullptr && path.size > 0 && path.at[path.size - 1] == '/';
    return slash ? Follow::name : Follow::no;
  }
  if ((flags & VFS_OPEN_NO_FOLLOW) != 0) return Follow::no;
  return (flags & VFS_OPEN_CREATE) != 0 ? Follow::create : Follow::yes;
}

bool is_name(const Lookup& found) {
  return found.last == LastComponent::name || found.last == LastComponent::root;
}

int rename_found(const Lookup& from, const Lookup& to, unsigned flags) {
  if (!is_name(from)) return -EBUSY;
  if (!is_name(to)) return (flags & RENAME_NOREPLACE) != 0 ? -EEXIST : -EBUSY;
  return from.exists() ? rename_entry(workspace(), from, to, flags) : -ENOENT;
}

bool is_at(const PathBuffer& path, const struct stat& status, Lookup& found) {
  return look_up_canonical(workspace(), path, found) == 0 && found.is_regular() &&
         found.status.st_ino == status.st_ino;
}

// Where the file with this status, which once was at `path`, is now: there, where a directory
// above it was moved to, where it was moved to itself, or by another name.
bool find_file(const PathBuffer& path, const struct stat& status, Lookup& found) {
  if (is_at(path, status, found)) return true;
  PathBuffer now;
  now.assign(path);
  if (follow_moves(workspace(), now) && is_at(now, status, found)) return true;
  if (find_noted_file(workspace(), status, now) && is_at(now, status, found)) return true;
  return status.st_nlink > 1 && find_other_name(workspace(), path, status, found);
}

// What the snapshot has at the path of `file`.
bool find_in_snapshot(const Capability& file, const PathBuffer& path, Lookup& found) {
  const bool moved =
      file.generation != workspace().control->generation.load(std::memory_order_acquire);
  return moved && workspace().has_snapshot_base() && look_up_in_base(workspace(), path, found) &&
         found.is_regular();
}

// A commit gives numbers anew, and takes a draft's inode away. The same bytes where it was: the
// file. `real` is the kernel's status of the descriptor.
bool find_after_commit(const Capability& file, const PathBuffer& path, const struct stat& real,
                       Lookup& found) {
  if (!find_in_snapshot(file, path, found)) return false;
  struct stat status = found.status;
  if (file.sealed) {
    PathBuffer object;
    if (!workspace().object_path(found.digest, object) || sys::lstat(object.text, &status) != 0 ||
        status.st_ino != real.st_ino) {
      return false;
    }
  } else if (real.st_size != status.st_size || real.st_mtim.tv_sec != status.st_mtim.tv_sec ||
             real.st_mtim.tv_nsec != status.st_mtim.tv_nsec) {
    return false;
  }
  status = found.status;
  return find_file(path, status, found);
}

bool find_again(const Capability& file, const struct stat& real, Lookup& found) {
  PathBuffer path;
  file.get_path(path);
  if (file.sealed && find_file(path, file.status, found)) return true;
  return find_after_commit(file, path, real, found);
}

}  // namespace

int open_root(const char* path, Rights rights, Capability*& opened) {
  PathBuffer wanted;
  const PathBuffer top;
  if (!wanted.assign(path)) return -ENAMETOOLONG;
  Lookup found;
  return static_cast<int>(retry([&]() -> int64_t {
    const int result =
        look_up_restricted(workspace(), top, wanted.text, Follow::yes, RESOLVE_BENEATH, found);
    if (result != 0) return result;
    if (!found.exists() || found.is_directory()) {
      return make_directory_capability(found, rights, opened);
    }
    const uint32_t flags = ((rights & kMayRead) != 0 ? VFS_OPEN_READ : 0) |
                           ((rights & kMayWrite) != 0 ? VFS_OPEN_WRITE : 0);
    return open_found(found, open_flags(flags), 0, rights, opened);
  }));
}

int open(const Capability& directory, Bytes path, uint32_t flags, uint32_t mode,
         Capability*& opened) {
  if ((flags & VFS_OPEN_DIRECTORY) != 0) {
    return static_cast<int>(
        on_path(directory, path, follow_for_open(path, flags), [&](const Lookup& found) {
          return make_directory_capability(found, directory.rights, opened);
        }));
  }
  int how = open_flags(flags);
  if ((flags & VFS_OPEN_CREATE) != 0) how |= O_CREAT;
  if ((flags & VFS_OPEN_NEW) != 0) how |= O_EXCL;
  if ((flags & VFS_OPEN_TRUNCATE) != 0) how |= O_TRUNC;
  if ((flags & VFS_OPEN_NO_FOLLOW) != 0) how |= O_NOFOLLOW;
  const auto rights = static_cast<Rights>(((flags & VFS_OPEN_READ) != 0 ? kMayRead : 0) |
                                          ((flags & VFS_OPEN_WRITE) != 0 ? kMayWrite : 0) |
                                          (directory.rights & kMayExecute));
  return static_cast<int>(
      on_path(directory, path, follow_for_open(path, flags), [&](const Lookup& found) -> int64_t {
        const bool has_slash = found.must_be_directory && found.last == LastComponent::name;
        if (found.is_directory() && (flags & VFS_OPEN_NEW) != 0)
          return has_slash ? -EISDIR : -EEXIST;
        return open_found(found, how, mode, rights, opened);
      }));
}

int stat(const Capability& directory, Bytes path, uint32_t flags, vfs_status& status) {
  const Follow follow = (flags & VFS_STAT_NO_FOLLOW) != 0 ? Follow::no : Follow::yes;
  return static_cast<int>(on_path(directory, path, follow, [&](const Lookup& found) {
    struct stat known;
    const int result = get_status(workspace(), found, known);
    if (result == 0) status = to_status(known);
    return result;
  }));
}

int read_names(const Capability& directory, Names& names) {
  return static_cast<int>(on_path(directory, {".", 1}, Follow::yes, [&](const Lookup& found) {
    if (!found.exists()) return -ENOENT;
    const int allowed = check_access(found.status, R_OK, true);
    return allowed != 0 ? allowed : names.of_tree.read(workspace(), found);
  }));
}

int make(const Capability& directory, Bytes path, uint32_t mode) {
  return static_cast<int>(on_path(directory, path, Follow::name, [&](const Lookup& found) {
    return make_directory(workspace(), found, static_cast<mode_t>(mode));
  }));
}

int rename(const Capability& directory, Bytes path, const Capability& to, Bytes new_path,
           uint32_t flags) {
  const unsigned how = ((flags & VFS_RENAME_NEW) != 0 ? RENAME_NOREPLACE : 0) |
                       ((flags & VFS_RENAME_EXCHANGE) != 0 ? RENAME_EXCHANGE : 0);
  return static_cast<int>(on_two_paths(
      directory, path, to, new_path, false,
      [&](const Lookup& from, const Lookup& target) { return rename_found(from, target, how); }));
}

int remove(const Capability& directory, Bytes path, uint32_t flags) {
  return static_cast<int>(on_path(directory, path, Follow::name, [&](const Lookup& found) {
    return (flags & VFS_REMOVE_DIRECTORY) != 0 ? remove_directory(workspace(), found)
                                               : remove_file(workspace(), found);
  }));
}

int link(const Capability& directory, Bytes path, const Capability& to, Bytes new_path) {
  return static_cast<int>(on_two_paths(
      directory, path, to, new_path, true, [&](const Lookup& from, const Lookup& target) {
        if (from.must_be_directory && from.exists() && !from.is_directory()) return -ENOTDIR;
        return make_hard_link(workspace(), from, target);
      }));
}

int symlink(const Capability& directory, const char* target, Bytes path) {
  return static_cast<int>(on_path(directory, path, Follow::name, [&](const Lookup& found) {
    return make_symbolic_link(workspace(), target, found);
  }));
}

int64_t read_link(const Capability& directory, Bytes path, char* target, size_t size) {
  return on_path(directory, path, Follow::no, [&](const Lookup& found) -> int64_t {
    if (!found.exists()) return -ENOENT;
    if (!found.is_link()) return -EINVAL;
    PathBuffer text;
    const int result = vfs::read_link(workspace(), found, text);
    if (result != 0) return result;
    if (text.length > size) return -ERANGE;
    memcpy(target, text.text, text.length);
    return text.length;
  });
}

void correct_status(const Capability& file, struct stat& status) {
  const struct stat real = status;
  Lookup found;
  if (!file.sealed) {
    restore_identity(workspace(), file.fd, status);
    if (real.st_nlink == 0 && find_again(file, real, found)) {
      get_status(workspace(), found, status);
    }
    return;
  }
  if (find_again(file, real, found)) {
    get_status(workspace(), found, status);
    return;
  }
  // It has lost its name.
  const bool is_live =
      real.st_ino == file.status.st_ino && real.st_dev == file.status.st_dev && real.st_nlink > 1;
  status = file.status;
  recall_removed(workspace(), file.generation, status);
  status.st_nlink = is_live ? real.st_nlink - count_hidden_names(workspace(), real) : 0;
}

}  // namespace vfs::cap::tree
