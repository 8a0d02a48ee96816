#include "shim/namespaces.h"

#include <link.h>

#include <atomic>

#include "shim/environment.h"
#include "shim/interpose.h"

namespace shim {
namespace {

enum class Use : int { free, ours, taken };

struct Slot {
  std::atomic<Use> use;  // taken: by a call that goes on, nobody else's to look at
  link_map* library;     // our library there
  Lmid_t id;
  unsigned at_first;     // how many libraries came with it
};

constexpr int kMost = 16;
constinit Slot slots[kMost] = {};

unsigned count_libraries(const link_map* any) {
  while (any->l_prev != nullptr) any = any->l_prev;
  unsigned count = 0;
  for (; any != nullptr; any = any->l_next) ++count;
  return count;
}

bool take(Slot& slot, Use from) {
  return slot.use.compare_exchange_strong(from, Use::taken, std::memory_order_acquire);
}

bool make(Slot& slot) {
  void* handle = VFS_NEXT(dlmopen)(LM_ID_NEWLM, own_library_path().text, RTLD_LAZY);
  if (handle == nullptr || dlinfo(handle, RTLD_DI_LMID, &slot.id) != 0) return false;
  slot.library = static_cast<link_map*>(handle);
  slot.at_first = count_libraries(slot.library);
  return true;
}

}  // namespace

Namespace::Namespace() {
  for (int i = 0; i < kMost && slot_ < 0; ++i) {
    if (!take(slots[i], Use::ours)) continue;
    if (count_libraries(slots[i].library) == slots[i].at_first) {
      slot_ = i;
    } else {
      slots[i].use.store(Use::ours, std::memory_order_release);
    }
  }
  for (int i = 0; i < kMost && slot_ < 0; ++i) {
    if (!take(slots[i], Use::free)) continue;
    if (!make(slots[i])) {
      slots[i].use.store(Use::free, std::memory_order_release);
      return;
    }
    slot_ = i;
  }
  if (slot_ >= 0) id_ = slots[slot_].id;
}

Namespace::~Namespace() {
  if (slot_ >= 0) slots[slot_].use.store(Use::ours, std::memory_order_release);
}

}  // namespace shim
