#include "shim/slots.h"

#include <sys/mman.h>

#include "shim/descriptors.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

// Slots come in chunks that are mapped when first needed; untouched pages cost
// nothing. Descriptors beyond the last chunk are not remembered, only asked.
constexpr unsigned kChunk = 1024;
constexpr unsigned kChunks = 64;
std::atomic<Slot*> chunks[kChunks];

}  // namespace

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

SlotKind kind_of(const Slot* slot) {
  return slot != nullptr ? slot->kind.load(std::memory_order_acquire) : SlotKind::none;
}

uint64_t rename_generation() {
  return workspace.control->rename_generation.load(std::memory_order_acquire);
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
  const SlotKind kind = kind_of(source);
  if (kind == SlotKind::none) return forget_descriptor(to);
  Slot* slot = make_slot(to);
  if (slot == nullptr) return;
  slot->kind.store(SlotKind::none, std::memory_order_relaxed);
  slot->rename_generation = source->rename_generation;
  slot->generation = source->generation;
  slot->status = source->status;
  slot->path_hash = source->path_hash;
  slot->live_directory = source->live_directory;
  slot->object_device = source->object_device;
  slot->object_inode = source->object_inode;
  slot->path.assign(source->path);
  slot->kind.store(kind, std::memory_order_release);
}

void note_directory(int fd, const vfs::PathBuffer& path, bool live) {
  Slot* slot = make_slot(fd);
  if (slot == nullptr) return;
  slot->rename_generation = rename_generation();
  slot->live_directory = live;
  slot->path.assign(path);
  slot->kind.store(SlotKind::directory, std::memory_order_release);
}

void note_sealed(int fd, const vfs::Lookup& found, const struct stat* object) {
  Slot* slot = make_slot(fd);
  if (slot == nullptr) return;
  slot->generation = workspace.control->generation.load(std::memory_order_acquire);
  slot->status = found.status;
  slot->path_hash = found.hash;
  slot->object_device = object != nullptr ? object->st_dev : 0;
  slot->object_inode = object != nullptr ? object->st_ino : 0;
  slot->path.assign(found.path);
  slot->kind.store(SlotKind::sealed, std::memory_order_release);
}

void note_live(int fd, const vfs::Lookup& found) {
  Slot* slot = make_slot(fd);
  if (slot == nullptr) return;
  slot->rename_generation = rename_generation();
  slot->generation = workspace.control->generation.load(std::memory_order_acquire);
  slot->status = found.status;
  slot->path_hash = found.hash;
  slot->object_device = found.status.st_dev;
  slot->object_inode = found.status.st_ino;
  slot->path.assign(found.path);
  slot->kind.store(SlotKind::live, std::memory_order_release);
}

void note_draft(int fd, const vfs::Lookup& found, int flags) {
  const bool can_write = (flags & O_ACCMODE) != O_RDONLY && (!found.exists() || found.is_regular());
  Slot* slot = can_write ? nullptr : make_slot(fd);
  if (slot == nullptr) return forget_descriptor(fd);
  slot->path_hash = found.hash;
  slot->path.assign(found.path);
  slot->kind.store(SlotKind::draft, std::memory_order_release);
}

bool is_noted(int fd) { return kind_of(find_slot(fd)) != SlotKind::none; }

int next_sealed(int after, vfs::PathBuffer& path) {
  for (unsigned number = static_cast<unsigned>(after + 1); number < kChunk * kChunks;) {
    if (chunks[number / kChunk].load(std::memory_order_acquire) == nullptr) {
      number = (number / kChunk + 1) * kChunk;
      continue;
    }
    const int fd = static_cast<int>(number++);
    const Slot* slot = find_slot(fd);
    if (kind_of(slot) != SlotKind::sealed) continue;
    path.assign(slot->path);
    return fd;
  }
  return -1;
}

}  // namespace shim
