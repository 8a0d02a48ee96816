#include "vfs/cap/capability.h"

#include <string.h>

#include <new>

namespace vfs::cap {
namespace {

constexpr uint32_t kSlotBits = 12;
constexpr uint32_t kSlots = 1u << kSlotBits;
constexpr uint32_t kLastGeneration = (1u << (32 - kSlotBits)) - 1;

struct Slot {
  Capability* capability;
  uint32_t generation;  // of the id that was given last; 0: none yet
  uint32_t next_free;   // index + 1
};

// All zeros until it is used: pages that nobody touches.
Slot slots[kSlots];
uint32_t fresh;       // slots from here on were never used
uint32_t first_free;  // index + 1
Lock lock;

Slot* slot_of(vfs_cap id) {
  Slot& slot = slots[id & (kSlots - 1)];
  const bool is_current = slot.capability != nullptr && slot.generation == id >> kSlotBits;
  return is_current ? &slot : nullptr;
}

void drop(Capability* capability) {
  lock.take();
  const bool last = --capability->users == 0;
  lock.release();
  if (last) discard(capability);
}

}  // namespace

Capability::~Capability() {
  if (fd >= 0 && interface_id != VFS_INTERFACE_CONSOLE) sys::close(fd);
  vfs_free(path);
  if (Names* left = names.load(std::memory_order_acquire)) {
    left->~Names();
    vfs_free(left);
  }
}

bool Capability::set_path(const char* text, uint32_t length) {
  path = static_cast<char*>(vfs_malloc(length + 1));
  if (path == nullptr) return false;
  memcpy(path, text, length);
  path[length] = '\0';
  path_length = length;
  return true;
}

Capability* make_capability(uint32_t interface_id, Rights rights) {
  void* memory = vfs_malloc(sizeof(Capability));
  if (memory == nullptr) return nullptr;
  auto* capability = new (memory) Capability;
  capability->interface_id = interface_id;
  capability->rights = rights;
  return capability;
}

void discard(Capability* capability) {
  capability->~Capability();
  vfs_free(capability);
}

int enter(Capability* capability, vfs_cap& id) {
  lock.take();
  uint32_t index = kSlots;
  if (first_free != 0) {
    index = first_free - 1;
    first_free = slots[index].next_free;
  } else if (fresh < kSlots) {
    index = fresh++;
  }
  if (index < kSlots) {
    Slot& slot = slots[index];
    slot.capability = capability;
    id = ++slot.generation << kSlotBits | index;
  }
  lock.release();
  if (index < kSlots) return 0;
  discard(capability);
  return -EMFILE;
}

int leave(vfs_cap id) {
  lock.take();
  Slot* slot = slot_of(id);
  Capability* capability = nullptr;
  if (slot != nullptr) {
    capability = slot->capability;
    slot->capability = nullptr;
    // One whose generations are used up is never used again: an old id must not come to life.
    if (slot->generation != kLastGeneration) {
      slot->next_free = first_free;
      first_free = static_cast<uint32_t>(slot - slots) + 1;
    }
  }
  lock.release();
  if (capability == nullptr) return -EBADF;
  drop(capability);
  return 0;
}

Held::Held(vfs_cap id) {
  const Locked locked(lock);
  Slot* slot = slot_of(id);
  capability_ = slot != nullptr ? slot->capability : nullptr;
  if (capability_ != nullptr) ++capability_->users;
}

Held::~Held() {
  if (capability_ != nullptr) drop(capability_);
}

}  // namespace vfs::cap
