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
constexpr unsigned kMost = kChunk * kChunks;
VFS_HOT std::atomic<Slot*> chunks[kChunks];

// A bit for each descriptor of which something is remembered: a slot is a page,
// and most of those that are closed or looked for at exec never had one.
constexpr unsigned kBits = 64;
VFS_HOT std::atomic<uint64_t> first_noted[kChunk / kBits];
std::atomic<uint64_t> further_noted[(kMost - kChunk) / kBits];

std::atomic<uint64_t>& word_of(unsigned number) {
  return number < kChunk ? first_noted[number / kBits] : further_noted[(number - kChunk) / kBits];
}

uint64_t bit_of(unsigned number) { return uint64_t{1} << (number % kBits); }

Slot* slot_at(unsigned number) {
  Slot* chunk = chunks[number / kChunk].load(std::memory_order_acquire);
  return chunk != nullptr ? &chunk[number % kChunk] : nullptr;
}

// To be called last: from here on others find the slot.
void publish(int fd, Slot& slot, SlotKind kind) {
  const unsigned number = static_cast<unsigned>(fd);
  slot.kind.store(kind, std::memory_order_release);
  word_of(number).fetch_or(bit_of(number), std::memory_order_release);
}

void forget(unsigned number) {
  const uint64_t bit = bit_of(number);
  std::atomic<uint64_t>& word = word_of(number);
  if ((word.load(std::memory_order_relaxed) & bit) == 0) return;
  slot_at(number)->kind.store(SlotKind::none, std::memory_order_release);
  word.fetch_and(~bit, std::memory_order_release);
}

// The first descriptor from `number` on of which something is remembered; kMost: none.
unsigned next_noted(unsigned number) {
  for (; number < kMost; number = (number / kBits + 1) * kBits) {
    if (chunks[number / kChunk].load(std::memory_order_relaxed) == nullptr) {
      number |= kChunk - 1;  // the last of those that never had a slot
      continue;
    }
    const uint64_t rest = word_of(number).load(std::memory_order_acquire) >> (number % kBits);
    if (rest != 0) return number + static_cast<unsigned>(__builtin_ctzll(rest));
  }
  return kMost;
}

}  // namespace

Slot* find_slot(int fd) {
  const unsigned number = static_cast<unsigned>(fd);
  if (number >= kMost) return nullptr;
  const uint64_t word = word_of(number).load(std::memory_order_acquire);
  return (word & bit_of(number)) != 0 ? slot_at(number) : nullptr;
}

Slot* make_slot(int fd) {
  const unsigned number = static_cast<unsigned>(fd);
  if (number >= kMost || in_vfork_child) return nullptr;
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
  return slot_at(number);
}

SlotKind kind_of(const Slot* slot) {
  return slot != nullptr ? slot->kind.load(std::memory_order_acquire) : SlotKind::none;
}

uint64_t rename_generation() {
  return workspace.control->rename_generation.load(std::memory_order_acquire);
}

void forget_descriptor(int fd) {
  if (!in_vfork_child && static_cast<unsigned>(fd) < kMost) forget(static_cast<unsigned>(fd));
}

void forget_descriptors_from(unsigned first, unsigned last) {
  if (in_vfork_child) return;
  for (unsigned number = first; (number = next_noted(number)) < kMost && number <= last; ++number) {
    forget(number);
  }
}

void copy_descriptor(int from, int to) {
  if (from == to) return;
  const Slot* source = find_slot(from);
  const SlotKind kind = kind_of(source);
  if (in_vfork_child) {
    vfork_child_copied = vfork_child_copied || kind == SlotKind::sealed;
    return;
  }
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
  publish(to, *slot, kind);
}

void note_directory(int fd, const vfs::PathBuffer& path, bool live) {
  Slot* slot = make_slot(fd);
  if (slot == nullptr) return;
  slot->rename_generation = rename_generation();
  slot->live_directory = live;
  slot->path.assign(path);
  publish(fd, *slot, SlotKind::directory);
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
  publish(fd, *slot, SlotKind::sealed);
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
  publish(fd, *slot, SlotKind::live);
}

void note_draft(int fd, const vfs::Lookup& found, int flags) {
  const bool can_write = (flags & O_ACCMODE) != O_RDONLY && (!found.exists() || found.is_regular());
  Slot* slot = can_write ? nullptr : make_slot(fd);
  if (slot == nullptr) return forget_descriptor(fd);
  slot->path_hash = found.hash;
  slot->path.assign(found.path);
  publish(fd, *slot, SlotKind::draft);
}

bool is_noted(int fd) { return kind_of(find_slot(fd)) != SlotKind::none; }

int next_sealed(int after) {
  for (unsigned number = static_cast<unsigned>(after + 1); (number = next_noted(number)) < kMost; ++number) {
    if (kind_of(slot_at(number)) == SlotKind::sealed) return static_cast<int>(number);
  }
  return -1;
}

}  // namespace shim
