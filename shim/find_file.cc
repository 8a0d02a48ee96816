#include "shim/find_file.h"

#include "vfs/core/hard_links.h"
#include "vfs/core/identity.h"
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

bool is_sealed_file_at(const vfs::PathBuffer& path, vfs::Lookup& found) {
  return vfs::look_up_canonical(workspace, path, found) == 0 && found.is_sealed() &&
         found.is_regular();
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
  if (find_file(slot.path, slot.status, found)) return true;
  const uint64_t generation = workspace.control->generation.load(std::memory_order_acquire);
  if (kind_of(&slot) != SlotKind::sealed || slot.generation == generation) return false;
  // The same bytes at the same place: the file, under the number that the new
  // base gives it.
  vfs::PathBuffer object;
  struct stat status;
  if (!is_sealed_file_at(slot.path, found) || !workspace.object_path(found.digest, object) ||
      sys::lstat(object.text, &status) != 0 || status.st_ino != slot.object_inode) {
    return false;
  }
  if (!in_vfork_child) {
    slot.status = found.status;
    slot.generation = generation;
  }
  return true;
}

bool is_sealed_since(int fd, const struct stat& draft, vfs::Lookup& found) {
  const Slot* slot = find_slot(fd);
  if (kind_of(slot) != SlotKind::draft) return false;
  struct stat status = draft;
  vfs::restore_identity(workspace, fd, status);
  if (find_file(slot->path, status, found)) return found.is_sealed();
  return is_sealed_file_at(slot->path, found) && found.status.st_size == draft.st_size &&
         found.status.st_mtim.tv_sec == draft.st_mtim.tv_sec &&
         found.status.st_mtim.tv_nsec == draft.st_mtim.tv_nsec;
}

}  // namespace shim
