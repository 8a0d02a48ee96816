#include "shim/memory.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include <atomic>

#include "shim/state.h"
#include "vfs/core/sys.h"

namespace shim {

VFS_HOT constinit std::atomic<uintptr_t> readable_pages[kPages];

namespace {

VFS_HOT constinit std::atomic<uintptr_t> writable_pages[kPages];

// What rt_sigprocmask copies, and so the least that can be asked about.
constexpr size_t kMask = 8;

// An unknown `how` is refused, but only after the new mask was read.
bool can_read(uintptr_t address) {
  return vfs::sys::call(SYS_rt_sigprocmask, ~0L, static_cast<long>(address & ~(kMask - 1)), 0,
                        kMask) != -EFAULT;
}

// The same for writing, where less than a mask is there to be written.
bool can_write_byte(uintptr_t address) {
  return vfs::sys::call(SYS_getrandom, static_cast<long>(address), 1, GRND_NONBLOCK) != -EFAULT;
}

// Without a new mask the old one is written, and nothing changes.
bool can_write(uintptr_t address) {
  return vfs::sys::call(SYS_rt_sigprocmask, SIG_BLOCK, 0, static_cast<long>(address), kMask) !=
         -EFAULT;
}

template <typename Ask>
bool is_there(std::atomic<uintptr_t>* pages, uintptr_t address, Ask ask) {
  const uintptr_t page = address / kPage;
  // Neither the first page nor the kernel's half is ever asked about.
  if (page - 1 >= (uintptr_t{1} << 47) / kPage - 1) return false;
  std::atomic<uintptr_t>& seen = pages[page % kPages];
  if (__builtin_expect(seen.load(std::memory_order_relaxed) == page, true)) return true;
  if (!ask(address)) return false;
  seen.store(page, std::memory_order_relaxed);
  return true;
}

}  // namespace

bool is_readable(const void* pointer) {
  return is_there(readable_pages, reinterpret_cast<uintptr_t>(pointer), can_read);
}

bool is_string_of_pages(const char* path) {
  for (size_t length = 0; length < PATH_MAX;) {
    if (!is_readable(path + length)) return false;
    const size_t rest = kPage - reinterpret_cast<uintptr_t>(path + length) % kPage;
    if (memchr(path + length, '\0', rest) != nullptr) return true;
    length += rest;
  }
  return true;
}

bool is_writable(void* pointer, size_t size) {
  const uintptr_t start = reinterpret_cast<uintptr_t>(pointer);
  if (size == 0) return true;
  if (size < kMask) {
    return is_there(writable_pages, start, can_write_byte) &&
           is_there(writable_pages, start + size - 1, can_write_byte);
  }
  const uintptr_t last = start + size - kMask;
  for (uintptr_t at = start; at <= last; at += kPage) {
    if (!is_there(writable_pages, at, can_write)) return false;
  }
  // The last bytes may lie in one page more than the last that was asked about.
  return (last + kMask - 1) / kPage == start / kPage ||
         is_there(writable_pages, last, can_write);
}

bool is_string_list(char* const* list) {
  if (list == nullptr) return true;
  for (;; ++list) {
    if (!is_readable(list)) return false;
    if (*list == nullptr) return true;
    if (!is_readable(*list)) return false;
  }
}

}  // namespace shim
