// rename(2), of files and of whole directories
//
// 1. Both sides are brought into upper (records, mirrored directories: no
//    content moves).
// 2. A directory gets a record: "redirect" to where the base has its part, or
//    "opaque", since at its new path the base may have something else.
// 3. One renameat2 does it. If the base has something at the old path, the
//    same call leaves a whiteout there (RENAME_WHITEOUT).
#include <unistd.h>

#include "vfs/core/copy_up.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/listing.h"
#include "vfs/core/moved.h"
#include "vfs/core/names.h"
#include "vfs/core/names_internal.h"
#include "vfs/core/permission.h"
#include "vfs/core/removed.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

bool is_below(const PathBuffer& path, const PathBuffer& ancestor) {
  if (ancestor.length == 0) return path.length != 0;
  return path.length > ancestor.length && path.text[ancestor.length] == '/' &&
         memcmp(path.text, ancestor.text, ancestor.length) == 0;
}

// Not "." or "..".
bool has_name(const Lookup& found) {
  return found.last == LastComponent::name || found.last == LastComponent::root;
}

// The errors that only depend on the two names.
int check_names(const Lookup& from, const Lookup& to, unsigned flags) {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) return -EINVAL;
  if (flags == (RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
  if (!has_name(from)) return -EBUSY;
  if (!has_name(to)) return flags == RENAME_NOREPLACE ? -EEXIST : -EBUSY;
  if (!from.exists()) return -ENOENT;
  if (flags == RENAME_NOREPLACE && to.exists()) return -EEXIST;
  if (flags == RENAME_EXCHANGE && !to.exists()) return -ENOENT;
  if (is_reserved(to.path)) return -EPERM;
  // A slash says that a directory stands there; behind a new name, that one will.
  if (!from.is_directory() && from.must_be_directory) return -ENOTDIR;
  const Lookup& becomes = flags == RENAME_EXCHANGE ? to : from;
  if (to.must_be_directory && !becomes.is_directory()) return -ENOTDIR;
  if (from.is_directory() && is_below(to.path, from.path)) return -EINVAL;
  if (is_below(from.path, to.path)) return flags == RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
  return 0;
}

bool share_parent(const PathBuffer& a, const PathBuffer& b) {
  const auto length = static_cast<size_t>(a.name() - a.text);
  return length == static_cast<size_t>(b.name() - b.text) && memcmp(a.text, b.text, length) == 0;
}

int check_types(const Lookup& from, const Lookup& to, unsigned flags) {
  if (!to.exists() || flags == RENAME_EXCHANGE) return 0;
  if (from.is_directory() && !to.is_directory()) return -ENOTDIR;
  return !from.is_directory() && to.is_directory() ? -EISDIR : 0;
}

// Both directories have to be writable; so has a directory that gets another
// one above it. In the kernel's order.
int check_rights(Workspace& workspace, const Lookup& from, const Lookup& to, unsigned flags) {
  int result = prepare_parent(workspace, from, NameChange::remove);
  if (result != 0) return result;
  result = prepare_parent(workspace, to, to.exists() ? NameChange::remove : NameChange::make);
  if (result == 0) result = check_types(from, to, flags);
  if (result != 0 || share_parent(from.path, to.path)) return result;
  if (from.is_directory()) result = check_access(from.status, W_OK, true);
  if (result != 0 || flags != RENAME_EXCHANGE || !to.is_directory()) return result;
  return check_access(to.status, W_OK, true);
}

// What is replaced must hold nothing.
int check_target(Workspace& workspace, const Lookup& from, const Lookup& to, unsigned flags) {
  if (!to.exists() || flags == RENAME_EXCHANGE || !to.is_directory() ||
      strcmp(from.path.text, to.path.text) == 0) {
    return 0;
  }
  bool empty = false;
  const int result = is_empty_directory(workspace, to, empty);
  return result == 0 && !empty ? -ENOTEMPTY : result;
}

// Two names of one inode: rename(2) does nothing.
bool same_inode(const Lookup& from, const Lookup& to) {
  return to.exists() && from.status.st_dev == to.status.st_dev &&
         from.status.st_ino == to.status.st_ino;
}

// Makes the directory in upper show the same at any other path.
int detach_from_path(Workspace& workspace, const Lookup& found) {
  PathBuffer upper;
  if (!found.is_directory()) return 0;
  if (!workspace.upper_path(found.path, upper)) return -ENAMETOOLONG;
  return found.base_may_have ? write_redirect(workspace, upper.text, found.base_path().text)
                             : write_opaque(workspace, upper.text);
}

void announce_move(Workspace& workspace, const Lookup& found, bool directory) {
  if (directory) {
    announce_subtree(workspace, found);
  } else {
    announce(workspace, found, S_IFLNK);
  }
}

// Leaves a whiteout at the old name, if the base has something there. Without
// RENAME_WHITEOUT (not every file system has it): the new name first, then the
// whiteout over the old, so that at no time the file is nowhere.
int rename_in_upper(Workspace& workspace, const char* from, const char* to, bool directory,
                    bool leave_whiteout) {
  if (!leave_whiteout) return sys::rename(from, to);
  const int result = sys::rename(from, to, RENAME_WHITEOUT);
  if (result != -EINVAL && result != -EPERM && result != -ENOSYS) return result;
  PathBuffer aside;
  if (!workspace.temporary_path(aside)) return -ENAMETOOLONG;
  if (directory) {
    const int moved = sys::rename(from, to);
    return moved != 0 ? moved : make_whiteout(workspace, from);
  }
  int step = sys::link(from, aside.text);
  if (step == 0) step = sys::rename(aside.text, to);
  if (step == 0) step = make_whiteout(workspace, aside.text);
  return step == 0 ? sys::rename(aside.text, from) : step;
}

// A whiteout, which a directory cannot replace, changes places with it, in one
// step. Where the file system has no such step it is taken away first.
int exchange_with_whiteout(Workspace& workspace, const char* from, const char* to, bool leave_whiteout) {
  int result = sys::rename(from, to, RENAME_EXCHANGE);
  if (result == 0) {
    if (!leave_whiteout) sys::unlink(from);  // hides nothing
    return 0;
  }
  if (result != -EINVAL && result != -ENOSYS) return result;
  result = sys::unlink(to);
  if (result != 0) return result;
  return rename_in_upper(workspace, from, to, true, leave_whiteout);
}

// Puts a whiteout where a directory is that shows nothing, but holds records. Who
// is killed after this has lost that directory, no more.
int hide_directory(Workspace& workspace, const char* directory) {
  PathBuffer aside;
  if (!workspace.temporary_path(aside)) return -ENAMETOOLONG;
  int result = make_whiteout(workspace, aside.text);
  if (result == 0) result = sys::rename(aside.text, directory, RENAME_EXCHANGE);
  if (result == -EINVAL || result == -ENOSYS) {
    sys::unlink(aside.text);
    result = sys::rename(directory, aside.text);
    if (result == 0) result = make_whiteout(workspace, directory);
  }
  discard_aside(aside.text);
  return result;
}

int move_directory(Workspace& workspace, const char* from, const Lookup& to, const char* to_upper,
                   bool leave_whiteout) {
  UpperEntry target;
  int result = read_upper(workspace, to.path, target);
  if (result != 0) return result;
  if (target.kind == UpperKind::inode && S_ISDIR(target.status.st_mode)) {
    // Mirrored to be opened: now that it is announced the look-up finds it.
    if (to.source != Source::upper) return -ESTALE;
    note_removed_directory(workspace, to, to_upper);
    result = rename_in_upper(workspace, from, to_upper, true, leave_whiteout);
    if (result != -ENOTEMPTY && result != -EEXIST) return result;
    result = hide_directory(workspace, to_upper);
    if (result != 0) return result;
    target.kind = UpperKind::whiteout;
  }
  if (target.kind == UpperKind::whiteout) {
    return exchange_with_whiteout(workspace, from, to_upper, leave_whiteout);
  }
  if (target.kind != UpperKind::absent) return -ESTALE;
  return rename_in_upper(workspace, from, to_upper, true, leave_whiteout);
}

// Both paths' locks, always in one order.
class BothLocks {
 public:
  BothLocks(const Workspace& workspace, uint64_t a, uint64_t b)
      : low_(workspace, a < b ? a : b), high_(workspace, a < b ? b : a) {}
  int error() const { return low_.error() != 0 ? low_.error() : high_.error(); }

 private:
  PathLock low_;
  PathLock high_;
};

// Whether upper still has what was brought there: a name that another process has
// removed, and left a whiteout for, must not be moved over a file. Under its lock.
int check_there(const Workspace& workspace, const PathBuffer& path) {
  UpperEntry upper;
  const int result = read_upper(workspace, path, upper);
  if (result != 0) return result;
  return upper.kind == UpperKind::inode || upper.kind == UpperKind::object ? 0 : -ESTALE;
}

int exchange(Workspace& workspace, const Lookup& from, const Lookup& to) {
  PathBuffer from_upper;
  PathBuffer to_upper;
  int result = bring_up(workspace, to);
  if (result == 0) result = detach_from_path(workspace, to);
  if (result != 0) return result;
  if (!workspace.upper_path(from.path, from_upper) || !workspace.upper_path(to.path, to_upper)) {
    return -ENAMETOOLONG;
  }
  const BothLocks locks(workspace, from.hash, to.hash);
  result = locks.error();
  if (result == 0) result = check_there(workspace, from.path);
  if (result == 0) result = check_there(workspace, to.path);
  return result != 0 ? result : sys::rename(from_upper.text, to_upper.text, RENAME_EXCHANGE);
}

int move(Workspace& workspace, const Lookup& from, const Lookup& to) {
  PathBuffer from_upper;
  PathBuffer to_upper;
  if (!workspace.upper_path(from.path, from_upper) || !workspace.upper_path(to.path, to_upper)) {
    return -ENAMETOOLONG;
  }
  int result = mirror_parent(workspace, to.path);
  if (result != 0) return result;
  if (to.exists()) {
    note_hidden_name(workspace, to);
    note_removed(workspace, to);
  }
  const BothLocks locks(workspace, from.hash, to.hash);
  result = locks.error();
  if (result == 0) result = check_there(workspace, from.path);
  if (result != 0) return result;
  const bool leave_whiteout = base_has(workspace, from);
  if (from.is_directory()) return move_directory(workspace, from_upper.text, to, to_upper.text, leave_whiteout);
  return rename_in_upper(workspace, from_upper.text, to_upper.text, false, leave_whiteout);
}

// Descriptors of the file may be open, which know it by that number.
void note_move(Workspace& workspace, const Lookup& from, const PathBuffer& to) {
  if (from.is_regular() && (from.source != Source::upper || from.kept)) {
    note_file(workspace, from.status, to);
  }
}

int rename_announced(Workspace& workspace, const Lookup& from, const Lookup& to, unsigned flags) {
  int result = bring_up(workspace, from);
  if (result == 0) result = detach_from_path(workspace, from);
  if (result == 0) {
    result = flags == RENAME_EXCHANGE ? exchange(workspace, from, to) : move(workspace, from, to);
  }
  if (result == 0) note_move(workspace, from, to.path);
  if (result == 0 && flags == RENAME_EXCHANGE) note_move(workspace, to, from.path);
  return result;
}

int rename_directory(Workspace& workspace, const Lookup& from, const Lookup& to, unsigned flags) {
  const DirectoryRecordLock base_stays(workspace, DirectoryRecordLock::shared);
  if (base_stays.error() != 0) return base_stays.error();
  if (!is_of_this_base(workspace, from) || !is_of_this_base(workspace, to)) return -ESTALE;
  const int result = rename_announced(workspace, from, to, flags);
  if (result == 0) {
    move_noted(workspace, from.path, to.path, flags == RENAME_EXCHANGE);
    if (from.is_directory() && from.base_may_have) note_moved(workspace, from.base_path(), to.path);
    if (flags == RENAME_EXCHANGE && to.is_directory() && to.base_may_have) {
      note_moved(workspace, to.base_path(), from.path);
    }
  }
  workspace.control->rename_generation.fetch_add(1, std::memory_order_release);
  return result;
}

}  // namespace

int rename_entry(Workspace& workspace, const Lookup& from, const Lookup& to, unsigned flags) {
  int result = check_names(from, to, flags);
  if (result != 0) return result;
  if (same_inode(from, to)) return 0;
  result = check_rights(workspace, from, to, flags);
  if (result == 0) result = check_target(workspace, from, to, flags);
  if (result != 0) return result;
  const bool directory = from.is_directory() || (to.exists() && to.is_directory());
  announce_move(workspace, from, directory);
  announce_move(workspace, to, directory);
  return directory ? rename_directory(workspace, from, to, flags) : rename_announced(workspace, from, to, flags);
}

}  // namespace vfs
