#include "shim/descriptors.h"

#include <sys/mman.h>

#include "shim/state.h"
#include "vfs/core/attributes.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/identity.h"
#include "vfs/core/moved.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

enum class SlotKind : uint32_t { none, directory, sealed, live };

struct Slot {
  std::atomic<SlotKind> kind;
  uint64_t rename_generation;  // of the workspace when `path` was noted
  struct stat status;          // sealed: as it was when opened
  uint64_t path_hash;          // live
  dev_t object_device;         // sealed: the object itself, to tell a
  ino_t object_inode;          // descriptor that was closed behind our back
  vfs::PathBuffer path;
};

// Slots come in chunks that are mapped when first needed; untouched pages cost
// nothing. Descriptors beyond the last chunk are not remembered, only asked.
constexpr unsigned kChunk = 1024;
constexpr unsigned kChunks = 64;
std::atomic<Slot*> chunks[kChunks];

Slot* find_slot(int fd) {
  const unsigned number = static_cast<unsigned>(fd);
  if (number >= kChunk * kChunks) return nullptr;
  Slot* chunk = chunks[number / kChunk].load(std::memory_order_acquire);
  return chunk != nullptr ? &chunk[number % kChunk] : nullptr;
}

Slot* make_slot(int fd) {
  const unsigned number = static_cast<unsigned>(fd);
  if (number >= kChunk * kChunks || in_vfork_child) return nullptr;
  std::atomic<Slot*>& place = chunks[number / kChunk];
  if (place.load(std::memory_order_acquire) == nullptr) {
    constexpr size_t kSize = sizeof(Slot) * kChunk;
    void* memory = sys::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sys::is_error(memory)) return nullptr;
    Slot* expected = nullptr;
    if (!place.compare_exchange_strong(expected, static_cast<Slot*>(memory))) {
      sys::munmap(memory, kSize);
    }
  }
  return find_slot(fd);
}

uint64_t rename_generation() {
  return workspace.control->rename_generation.load(std::memory_order_acquire);
}

bool name_is_below(const vfs::PathBuffer& name, const vfs::PathBuffer& store, const char* below) {
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

// --- working directory -----------------------------------------------------

// The kernel's working directory, translated. A sequence lock without
// waiting: a reader that meets a writer asks the kernel.
struct WorkingDirectory {
  std::atomic<uint32_t> sequence;
  uint64_t rename_generation;
  bool known;
  Directory directory;
};
constinit Zeroed<WorkingDirectory> working_storage;
constinit WorkingDirectory& working = working_storage.value;

// Whether the kernel's name for something of ours is its place in the live base.
bool is_live_name(const vfs::PathBuffer& name) {
  return !workspace.has_snapshot_base() &&
         memcmp(name.text, workspace.state.text, workspace.state.length) != 0;
}

void classify_name(const vfs::PathBuffer& name, Directory& directory) {
  directory.inside = workspace.to_virtual(name.text, name.length, directory.path);
  if (!directory.inside) {
    directory.path.assign(name);
  } else if (is_live_name(name)) {
    vfs::follow_moves(workspace, directory.path);
  }
}

int ask_working_directory(Directory& directory) {
  vfs::PathBuffer name;
  const long length = sys::getcwd(name.text, sizeof(name.text));
  if (length < 0) return static_cast<int>(length);
  name.truncate(static_cast<uint32_t>(length - 1));
  classify_name(name, directory);
  return 0;
}

int locate_working_directory(Directory& directory) {
  if (in_vfork_child) return ask_working_directory(directory);
  const uint32_t before = working.sequence.load(std::memory_order_acquire);
  if (before % 2 == 0 && working.known && working.rename_generation == rename_generation()) {
    directory.inside = working.directory.inside;
    directory.path.assign(working.directory.path);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (working.sequence.load(std::memory_order_relaxed) == before) return 0;
  }
  const uint64_t generation = rename_generation();
  const int result = ask_working_directory(directory);
  uint32_t expected = before;
  if (result == 0 && before % 2 == 0 &&
      working.sequence.compare_exchange_strong(expected, before + 1)) {
    working.directory.inside = directory.inside;
    working.directory.path.assign(directory.path);
    working.rename_generation = generation;
    working.known = true;
    working.sequence.store(before + 2, std::memory_order_release);
  }
  return result;
}

}  // namespace

void forget_working_directory() {
  if (in_vfork_child) return;
  // Raises the sequence by two in one step: a reader that began before sees it.
  working.known = false;
  working.sequence.fetch_add(2, std::memory_order_acq_rel);
}

void forget_descriptor(int fd) {
  if (in_vfork_child) return;
  Slot* slot = find_slot(fd);
  if (slot != nullptr && slot->kind.load(std::memory_order_relaxed) != SlotKind::none) {
    slot->kind.store(SlotKind::none, std::memory_order_release);
  }
}

void forget_descriptors_from(unsigned first, unsigned last) {
  for (unsigned chunk = first / kChunk; chunk < kChunks && chunk * kChunk <= last; ++chunk) {
    if (chunks[chunk].load(std::memory_order_acquire) == nullptr) continue;
    for (unsigned fd = chunk * kChunk; fd < (chunk + 1) * kChunk; ++fd) {
      if (fd >= first && fd <= last) forget_descriptor(static_cast<int>(fd));
    }
  }
}

void copy_descriptor(int from, int to) {
  if (from == to || in_vfork_child) return;
  const Slot* source = find_slot(from);
  const SlotKind kind =
      source != nullptr ? source->kind.load(std::memory_order_acquire) : SlotKind::none;
  if (kind == SlotKind::none) return forget_descriptor(to);
  Slot* slot = make_slot(to);
  if (slot == nullptr) return;
  slot->kind.store(SlotKind::none, std::memory_order_relaxed);
  slot->rename_generation = source->rename_generation;
  slot->status = source->status;
  slot->path_hash = source->path_hash;
  slot->object_device = source->object_device;
  slot->object_inode = source->object_inode;
  slot->path.assign(source->path);
  slot->kind.store(kind, std::memory_order_release);
}

void note_directory(int fd, const vfs::PathBuffer& path) {
  Slot* slot = make_slot(fd);
  if (slot == nullptr) return;
  slot->rename_generation = rename_generation();
  slot->path.assign(path);
  slot->kind.store(SlotKind::directory, std::memory_order_release);
}

void note_sealed(int fd, const vfs::Lookup& found) {
  Slot* slot = make_slot(fd);
  struct stat object;
  if (slot == nullptr || sys::fstat(fd, &object) != 0) return;
  slot->status = found.status;
  slot->object_device = object.st_dev;
  slot->object_inode = object.st_ino;
  slot->path.assign(found.path);
  slot->kind.store(SlotKind::sealed, std::memory_order_release);
}

void note_live(int fd, const vfs::Lookup& found) {
  Slot* slot = make_slot(fd);
  if (slot == nullptr) return;
  slot->path_hash = found.hash;
  slot->path.assign(found.path);
  slot->kind.store(SlotKind::live, std::memory_order_release);
}

namespace {

// A descriptor that was opened by the name under which a sealed file is
// started: that name, unlike the object's, tells the path.
const Slot* recognise(int fd) {
  struct stat object;
  struct stat started;
  vfs::PathBuffer name;
  vfs::PathBuffer path;
  vfs::Lookup found;
  if (fd < 0 || in_vfork_child || sys::fstat(fd, &object) != 0 || !S_ISREG(object.st_mode) ||
      !may_be_object(object) || !vfs::name_of_descriptor(fd, name) ||
      !name_is_below(name, workspace.state, "/run/") ||
      !workspace.to_virtual(name.text, name.length, path) ||
      vfs::look_up_canonical(workspace, path, found) != 0 || !found.is_sealed() ||
      !found.is_regular() || !workspace.object_path(found.digest, name) ||
      sys::lstat(name.text, &started) != 0 || started.st_ino != object.st_ino) {
    return nullptr;
  }
  note_sealed(fd, found);
  return find_slot(fd);
}

// The slot of a sealed descriptor, if the descriptor still is that object.
const Slot* sealed_slot(int fd) {
  const Slot* slot = find_slot(fd);
  const SlotKind kind =
      slot != nullptr ? slot->kind.load(std::memory_order_acquire) : SlotKind::none;
  if (kind == SlotKind::none) return recognise(fd);
  if (kind != SlotKind::sealed) return nullptr;
  struct stat object;
  const bool same = sys::fstat(fd, &object) == 0 && object.st_dev == slot->object_device &&
                    object.st_ino == slot->object_inode;
  return same ? slot : nullptr;
}

// Looks up where a descriptor's path leads now, if that is still this file.
bool find_again(const vfs::PathBuffer& path, ino_t inode, vfs::Lookup& found) {
  return vfs::look_up_canonical(workspace, path, found) == 0 && found.exists() &&
         found.status.st_ino == inode;
}

}  // namespace

bool is_noted(int fd) {
  const Slot* slot = find_slot(fd);
  return slot != nullptr && slot->kind.load(std::memory_order_acquire) != SlotKind::none;
}

int next_sealed(int after, vfs::PathBuffer& path) {
  for (unsigned number = static_cast<unsigned>(after + 1); number < kChunk * kChunks;) {
    if (chunks[number / kChunk].load(std::memory_order_acquire) == nullptr) {
      number = (number / kChunk + 1) * kChunk;
      continue;
    }
    const int fd = static_cast<int>(number++);
    const Slot* slot = find_slot(fd);
    if (slot->kind.load(std::memory_order_acquire) != SlotKind::sealed) continue;
    path.assign(slot->path);
    return fd;
  }
  return -1;
}

void locate_descriptor(int fd, Located& located) {
  located.place = Place::elsewhere;
  located.path_known = false;
  if (const Slot* slot = sealed_slot(fd)) {
    located.place = Place::sealed;
    located.path.assign(slot->path);
    located.path_known = true;
    return;
  }
  vfs::PathBuffer name;
  if (!vfs::name_of_descriptor(fd, name)) return;
  if (name_is_below(name, workspace.store, "/objects/")) {
    located.place = Place::sealed;
  } else if (workspace.to_virtual(name.text, name.length, located.path)) {
    const bool in_upper = memcmp(name.text, workspace.upper.text, workspace.upper.length) == 0;
    located.place = in_upper ? Place::upper : Place::live;
    if (is_live_name(name)) vfs::follow_moves(workspace, located.path);
    located.path_known = true;
  }
}

void correct_status(int fd, struct stat& status) {
  if (S_ISDIR(status.st_mode)) {
    Directory directory;
    vfs::Lookup found;
    if (locate_directory(fd, directory) == 0 && directory.inside &&
        vfs::look_up_canonical(workspace, directory.path, found) == 0 && found.is_directory()) {
      vfs::get_status(workspace, found, status);
    }
    return;
  }
  if (!S_ISREG(status.st_mode)) return;
  vfs::restore_identity(workspace, fd, status);
  if (const Slot* slot = find_slot(fd);
      slot != nullptr && slot->kind.load(std::memory_order_acquire) == SlotKind::live) {
    // Copied up since it was opened: the draft has the attributes now.
    vfs::Lookup found;
    if (!workspace.control->filter.may_have_changed(slot->path_hash)) return;
    if (find_again(slot->path, status.st_ino, found)) {
      status = found.status;
    } else {
      status.st_nlink = 0;
    }
    return;
  }
  if (!may_be_object(status)) return;
  const Slot* slot = sealed_slot(fd);
  if (slot == nullptr) return;
  vfs::Lookup found;
  if (find_again(slot->path, slot->status.st_ino, found)) {
    status = found.status;
  } else {
    // Removed or renamed since it was opened.
    status = slot->status;
    status.st_nlink = 0;
  }
}

int make_descriptor_draft(int fd) {
  Located located;
  vfs::Lookup found;
  locate_descriptor(fd, located);
  if (located.place == Place::elsewhere || located.place == Place::upper || !located.path_known) {
    return 0;
  }
  const int flags = sys::fcntl(fd, F_GETFL);
  struct stat status;
  if (flags < 0 || sys::fstat(fd, &status) != 0) return 0;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return 0;
  correct_status(fd, status);
  if (!find_again(located.path, status.st_ino, found)) return 0;
  int result = vfs::copy_up(workspace, found, vfs::Content::keep);
  vfs::PathBuffer real;
  if (result != 0) return result;
  if (!workspace.upper_path(found.path, real)) return -ENAMETOOLONG;
  const int draft = sys::open(real.text, (flags & ~(O_CREAT | O_EXCL | O_TRUNC)) | O_CLOEXEC);
  if (draft < 0) return draft;
  const off_t position = sys::lseek(fd, 0, SEEK_CUR);
  if (position > 0) sys::lseek(draft, position, SEEK_SET);
  const int close_on_exec = sys::fcntl(fd, F_GETFD);
  result = sys::dup3(draft, fd, (close_on_exec & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
  sys::close(draft);
  forget_descriptor(fd);
  if (S_ISDIR(status.st_mode)) note_directory(fd, found.path);
  return result < 0 ? result : 0;
}

int locate_directory(int dirfd, Directory& directory) {
  if (dirfd == AT_FDCWD) return locate_working_directory(directory);
  if (dirfd < 0) return -EBADF;
  Slot* slot = find_slot(dirfd);
  const SlotKind kind =
      slot != nullptr ? slot->kind.load(std::memory_order_acquire) : SlotKind::none;
  if (kind == SlotKind::directory && slot->rename_generation == rename_generation()) {
    directory.inside = true;
    directory.path.assign(slot->path);
    return 0;
  }
  vfs::PathBuffer name;
  if (!vfs::name_of_descriptor(dirfd, name)) {
    struct stat status;
    const int result = sys::fstat(dirfd, &status);
    if (result != 0) return result;
    if (!S_ISDIR(status.st_mode)) return -ENOTDIR;
    directory.inside = false;
    directory.path.truncate(0);
    return 0;
  }
  classify_name(name, directory);
  if (directory.inside) note_directory(dirfd, directory.path);
  return 0;
}

}  // namespace shim
