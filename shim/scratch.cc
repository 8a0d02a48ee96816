#include "shim/scratch.h"

#include <sys/mman.h>

#include "shim/state.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

struct Region {
  void* memory;
  size_t size;
};

// What the vfork child of this thread has mapped. Starting one program takes
// three regions; what does not fit here is leaked, not misused.
thread_local Region regions_of_child[8];

}  // namespace

void* map_scratch(size_t size) {
  void* memory = vfs::sys::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (vfs::sys::is_error(memory)) return nullptr;
  if (in_vfork_child) {
    for (Region& region : regions_of_child) {
      if (region.memory != nullptr) continue;
      region = {memory, size};
      break;
    }
  }
  return memory;
}

void unmap_scratch(void* memory, size_t size) {
  vfs::sys::munmap(memory, size);
  if (!in_vfork_child) return;
  for (Region& region : regions_of_child) {
    if (region.memory == memory) region = {nullptr, 0};
  }
}

void release_scratch_of_vfork_child() {
  for (Region& region : regions_of_child) {
    if (region.memory == nullptr) continue;
    vfs::sys::munmap(region.memory, region.size);
    region = {nullptr, 0};
  }
}

}  // namespace shim
