#include "shim/find_file.h"

#include "vfs/core/hard_links.h"
#include "vfs/core/moved.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

bool is_at(const vfs::PathBuffer& path, const struct stat& status, vfs::Lookup& found) {
  return vfs::look_up_canonical(workspace, path, found) == 0 && found.exists() &&
         found.status.st_ino == status.st_ino &&
         (found.status.st_mode & S_IFMT) == (status.st_mode & S_IFMT);
}

bool is_sealed_in_base(const vfs::PathBuffer& path, mode_t mode, vfs::Lookup& found) {
  return workspace.has_snapshot_base() && vfs::look_up_in_base(workspace, path, found) &&
         (found.status.st_mode & S_IFMT) == (mode & S_IFMT);
}

}  // namespace

bool find_file(const vfs::PathBuffer& path, const struct stat& status, vfs::Lookup& found) {
  if (is_at(path, status, found)) return true;
  vfs::PathBuffer now;
  now.assign(path);
  vfs::follow_moves(workspace, now);
  if (strcmp(now.text, path.text) != 0 && is_at(now, status, found)) return true;
  if (vfs::find_noted_file(workspace, status, now) && is_at(now, status, found)) return true;
  return status.st_nlink > 1 && vfs::find_other_name(workspace, path, status, found);
}

bool find_slot_file(Slot& slot, vfs::Lookup& found) {
  const uint64_t generation = workspace.control->generation.load(std::memory_order_acquire);
  if (slot.generation == generation || kind_of(&slot) != SlotKind::sealed) {
    return find_file(slot.path, slot.status, found);
  }
  // A commit gives numbers anew. The same bytes where it was: the file.
  vfs::PathBuffer object;
  struct stat status;
  if (!is_sealed_in_base(slot.path, S_IFREG, found) || !workspace.object_path(found.digest, object) ||
      sys::lstat(object.text, &status) != 0 || status.st_ino != slot.object_inode) {
    return false;
  }
  status = found.status;
  if (!in_vfork_child) {
    slot.status = status;
    slot.generation = generation;
  }
  return find_file(slot.path, status, found);
}

bool is_sealed_since(int fd, const struct stat& draft, vfs::Lookup& found) {
  const Slot* slot = find_slot(fd);
  if (kind_of(slot) != SlotKind::draft) return false;
  return is_sealed_in_base(slot->path, draft.st_mode, found) && found.status.st_size == draft.st_size &&
         found.status.st_mtim.tv_sec == draft.st_mtim.tv_sec &&
         found.status.st_mtim.tv_nsec == draft.st_mtim.tv_nsec;
}

}  // namespace shim
