#include "shim/descriptors.h"

#include "shim/find_file.h"
#include "shim/slots.h"
#include "vfs/core/attributes.h"
#include "vfs/core/descriptor_name.h"
#include "vfs/core/directory_mode.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/identity.h"
#include "vfs/core/moved.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/removed.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

bool name_is_below(const vfs::PathBuffer& name, const vfs::KeptPath& store, const char* below) {
  const size_t length = strlen(below);
  return name.length > store.length + length &&
         memcmp(name.text, store.text, store.length) == 0 &&
         memcmp(name.text + store.length, below, length) == 0;
}

// An object's inode, or a file that could be one.
bool may_be_object(const struct stat& status) {
  return S_ISREG(status.st_mode) && (status.st_mode & 07777) == 0555 &&
         status.st_dev == workspace.device;
}

// A file that was removed, or sealed by a commit, since it was opened.
bool is_orphan(const struct stat& status) {
  return status.st_nlink == 0 && status.st_dev == workspace.device;
}

// The path of the sealed file that was opened by the name under which it is
// started: that name, unlike the object's, tells it.
bool is_started_file(int fd, const struct stat& object, vfs::Lookup& found) {
  vfs::PathBuffer name;
  vfs::PathBuffer path;
  struct stat started;
  return vfs::name_of_descriptor(fd, name) && name_is_below(name, workspace.state, "/run/") &&
         workspace.to_virtual(name.text, name.length, path) &&
         vfs::look_up_canonical(workspace, path, found) == 0 && found.is_sealed() &&
         found.is_regular() && workspace.object_path(found.digest, path) &&
         sys::lstat(path.text, &started) == 0 && started.st_ino == object.st_ino;
}

// A sealed descriptor that was not noted as one.
Slot* recognise(int fd) {
  struct stat object;
  vfs::Lookup found;
  if (fd < 0 || in_vfork_child || sys::fstat(fd, &object) != 0 || !S_ISREG(object.st_mode) ||
      !(is_orphan(object) ? is_sealed_since(fd, object, found)
                          : may_be_object(object) && is_started_file(fd, object, found))) {
    return nullptr;
  }
  note_sealed(fd, found, &object);
  return find_slot(fd);
}

// Whether the descriptor still is what was noted: it may have been closed, and
// its number given to another, behind our back. The first look takes an object
// of the same size for the one that was opened.
bool is_noted_inode(Slot& slot, const struct stat& real) {
  if (slot.object_inode != 0) {
    return slot.object_device == real.st_dev && slot.object_inode == real.st_ino;
  }
  if (!may_be_object(real) || real.st_size != slot.status.st_size) return false;
  if (!in_vfork_child) {
    slot.object_device = real.st_dev;
    slot.object_inode = real.st_ino;
  }
  return true;
}

Slot* sealed_slot(int fd) {
  Slot* slot = find_slot(fd);
  const SlotKind kind = kind_of(slot);
  if (kind == SlotKind::none || kind == SlotKind::draft) return recognise(fd);
  struct stat real;
  const bool same =
      kind == SlotKind::sealed && sys::fstat(fd, &real) == 0 && is_noted_inode(*slot, real);
  return same ? slot : nullptr;
}

// Whether `found` is the directory that a descriptor with that status holds.
bool is_same_directory(const vfs::Lookup& found, const struct stat& real) {
  if (!found.is_directory() || real.st_nlink == 0) return false;
  // Directories of a snapshot are only ever open in upper, and that one lives.
  if (workspace.has_snapshot_base() || found.status.st_ino == real.st_ino) return true;
  vfs::PathBuffer path;
  struct stat upper;
  return workspace.upper_path(found.path, path) && sys::lstat(path.text, &upper) == 0 &&
         upper.st_ino == real.st_ino;
}

bool find_directory(int fd, const struct stat& real, vfs::Lookup& found) {
  Directory directory;
  return locate_directory(fd, directory) == 0 && directory.inside &&
         vfs::look_up_canonical(workspace, directory.path, found) == 0 &&
         is_same_directory(found, real);
}

void correct_directory(int fd, struct stat& status) {
  vfs::Lookup found;
  if (find_directory(fd, status, found)) {
    vfs::get_status(workspace, found, status);
    return;
  }
  // Removed since it was opened; what it showed it still shows.
  Located located;
  if (locate_descriptor(fd, located)) status.st_nlink = 0;
  if (status.st_nlink != 0 || status.st_dev != workspace.device || located.place == Place::live) {
    return;
  }
  vfs::PathBuffer name;
  name.assign(vfs::DescriptorName(fd).text);
  name.append("/.");
  vfs::show_directory_mode(workspace, name.text, status);
  vfs::recall_removed_directory(fd, status);
}

void correct_link(int fd, struct stat& status) {
  vfs::PathBuffer target;
  vfs::Record record;
  if (read_descriptor_link(fd, target, record) && record.kind == vfs::RecordKind::link) {
    vfs::show_link(record, status);
  }
}

// Notes a descriptor of a file of the live base that was inherited: by the
// kernel's name of it.
Slot* recognise_live(int fd, const struct stat& real) {
  vfs::PathBuffer name;
  vfs::Lookup found;
  if (in_vfork_child || !S_ISREG(real.st_mode) || workspace.has_snapshot_base() ||
      !vfs::name_of_descriptor(fd, name) || name_is_below(name, workspace.store, "/") ||
      !workspace.to_virtual(name.text, name.length, found.path)) {
    return nullptr;
  }
  found.hash = vfs::path_hash(found.path.text, found.path.length);
  found.status = real;
  note_live(fd, found);
  return find_slot(fd);
}

// What the kernel says of the base's inode is right but for names that are hidden.
void correct_links(const struct stat& real, struct stat& status) {
  if (real.st_ino != status.st_ino) return;  // a draft, which has its own
  status.st_nlink -= vfs::count_hidden_names(workspace, status);
}

// A link or special file whose name a commit took out of upper.
void correct_sealed_special(int fd, struct stat& status) {
  vfs::Lookup sealed;
  vfs::Lookup found;
  if (is_sealed_since(fd, status, sealed) && find_file(sealed.path, sealed.status, found)) {
    vfs::get_status(workspace, found, status);
  }
}

void correct_file(int fd, struct stat& status) {
  const struct stat real = status;
  vfs::restore_identity(workspace, fd, status);
  Slot* slot = find_slot(fd);
  if (kind_of(slot) == SlotKind::none && vfs::may_have_changed(workspace, real)) {
    slot = recognise_live(fd, real);
  }
  const SlotKind kind = kind_of(slot);
  if (kind == SlotKind::live) {
    // By its name, by one above that, or by the name it has since a rename of
    // which the kernel's name for it, if the path is from there, knows nothing.
    const bool may_have_changed =
        workspace.control->filter.may_have_changed(slot->path_hash) ||
        slot->rename_generation != rename_generation() || vfs::may_have_changed(workspace, real);
    if (!is_noted_inode(*slot, real) || !may_have_changed) {
      return correct_links(real, status);
    }
  } else if (S_ISREG(real.st_mode) && (may_be_object(real) || is_orphan(real))) {
    slot = sealed_slot(fd);
    if (slot == nullptr) return;
  } else {
    if (!S_ISREG(real.st_mode) && is_orphan(real)) correct_sealed_special(fd, status);
    return correct_links(real, status);
  }
  vfs::Lookup found;
  if (find_slot_file(*slot, found)) {
    vfs::get_status(workspace, found, status);
  } else {
    // Removed or renamed since it was opened.
    status = slot->status;
    vfs::recall_removed(workspace, slot->generation, status);
    status.st_nlink = 0;
    if (kind == SlotKind::live && real.st_nlink > 1) {
      status.st_nlink = real.st_nlink;
      correct_links(real, status);
    }
  }
}

}  // namespace

bool locate_descriptor(int fd, Located& located) {
  located.place = Place::elsewhere;
  located.path_known = false;
  if (Slot* slot = sealed_slot(fd)) {
    located.place = Place::sealed;
    located.path.assign(slot->path);
    located.path_known = true;
    return true;
  }
  vfs::PathBuffer name;
  if (!vfs::name_of_descriptor(fd, name)) return false;
  if (name_is_below(name, workspace.store, "/objects/")) {
    located.place = Place::sealed;
  } else if (workspace.to_virtual(name.text, name.length, located.path)) {
    const bool in_upper = memcmp(name.text, workspace.upper.text, workspace.upper.length) == 0;
    located.place = in_upper ? Place::upper : Place::live;
    if (!in_upper) vfs::follow_moves(workspace, located.path);
    located.path_known = true;
  }
  return located.place != Place::elsewhere;
}

bool find_located(int fd, const Located& located, vfs::Lookup& found) {
  struct stat status;
  if (!located.path_known || sys::fstat(fd, &status) != 0) return false;
  if (S_ISDIR(status.st_mode)) {
    return find_directory(fd, status, found);
  }
  if (S_ISREG(status.st_mode) && located.place == Place::sealed) {
    return find_slot_file(*find_slot(fd), found);
  }
  if (S_ISLNK(status.st_mode)) {
    correct_link(fd, status);
  } else {
    vfs::restore_identity(workspace, fd, status);
  }
  return find_file(located.path, status, found);
}

bool read_descriptor_link(int fd, vfs::PathBuffer& target, vfs::Record& record) {
  const long length = sys::call(SYS_readlinkat, fd, sys::as_argument(""),
                                sys::as_argument(target.text), sizeof(target.text) - 1);
  if (length < 0) return false;
  target.truncate(static_cast<uint32_t>(length));
  vfs::parse_record(target.text, target.length, record);
  return true;
}

void correct_status(int fd, struct stat& status) {
  if (activity.load(std::memory_order_relaxed) != Activity::active) return;
  if (S_ISDIR(status.st_mode)) return correct_directory(fd, status);
  if (S_ISLNK(status.st_mode)) correct_link(fd, status);
  correct_file(fd, status);
}

void note_changed(int fd) {
  Slot* slot = find_slot(fd);
  vfs::Lookup found;
  const SlotKind kind = kind_of(slot);
  if ((kind == SlotKind::sealed || kind == SlotKind::live) && find_slot_file(*slot, found)) {
    slot->status = found.status;
  }
}

}  // namespace shim
