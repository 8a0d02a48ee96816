// Whether the pointers of a call lead to memory, so that a bad one is EFAULT, as
// the kernel answers it, and not a crash inside the shim.
//
// The kernel is asked about a page (one system call that changes nothing) and
// the answer remembered for the process: pages of the stack and the heap, which
// nearly all arguments lie in, are asked about once. A page that is unmapped
// after it was seen is the one case this does not notice.
//
// Nothing here touches errno, locks or allocates; all of it is safe in signal
// handlers and in the child of vfork.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <atomic>

namespace shim {

// Whether `path` is a string: its bytes can be read up to a NUL, or for
// PATH_MAX bytes (longer ones are somebody's ENAMETOOLONG). Null is none.
inline bool is_string(const char* path);

// Whether the first bytes behind `pointer` can be read.
bool is_readable(const void* pointer);

// Whether `size` bytes can be written. Must only be asked about memory that is
// about to be overwritten: where a page is new, up to 8 bytes of it are written.
bool is_writable(void* pointer, size_t size);

// Whether this is a list of strings that ends with null, as exec takes. A null
// list is an empty one.
bool is_string_list(char* const* list);

// --- the usual case, inline: a string within one page that was asked about ------

constexpr uintptr_t kPage = 4096;  // the smallest there is: larger pages are asked about in parts
constexpr uintptr_t kPages = 256;

// Pages seen to be there, each in the slot of its number. All zeros: none.
extern std::atomic<uintptr_t> readable_pages[kPages];

bool is_string_of_pages(const char* path);

inline bool is_string(const char* path) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(path);
  const uintptr_t page = address / kPage;
  const bool seen = page != 0 &&
                    readable_pages[page % kPages].load(std::memory_order_relaxed) == page &&
                    memchr(path, '\0', kPage - address % kPage) != nullptr;
  return seen || is_string_of_pages(path);
}

}  // namespace shim
