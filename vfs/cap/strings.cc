// What the core takes from string.h (and makedev), without libc. The archive keeps these names to
// itself; only the vfs_ ones are for others.
#include <stddef.h>
#include <stdint.h>

#include "vfs/vfs.h"

// Under other names than the compiler knows: it would declare them its own way.
#define VFS_OWN __attribute__((visibility("hidden")))

// Lets no compiler recognise a loop as the very call that it implements.
static inline void stay_a_loop() {
  asm volatile("");
}

extern "C" {

VFS_OWN void* copy_bytes(void* to, const void* from, size_t size) asm("memcpy");
VFS_OWN void* move_bytes(void* to, const void* from, size_t size) asm("memmove");
VFS_OWN void* set_bytes(void* to, int byte, size_t size) asm("memset");
VFS_OWN int compare_bytes(const void* a, const void* b, size_t size) asm("memcmp");
VFS_OWN size_t length_of(const char* text) asm("strlen");
VFS_OWN size_t length_within(const char* text, size_t limit) asm("strnlen");
VFS_OWN const void* find_byte(const void* bytes, int byte, size_t size) asm("memchr");
VFS_OWN const char* find_first(const char* text, int byte) asm("strchr");
VFS_OWN const char* find_last(const char* text, int byte) asm("strrchr");
VFS_OWN const char* find_or_end(const char* text, int byte) asm("strchrnul");
VFS_OWN int compare_texts(const char* a, const char* b) asm("strcmp");
VFS_OWN int compare_within(const char* a, const char* b, size_t limit) asm("strncmp");
VFS_OWN const char* find_text(const char* text, const char* part) asm("strstr");
VFS_OWN uint64_t device_number(unsigned major, unsigned minor) asm("gnu_dev_makedev");

void* copy_bytes(void* to, const void* from, size_t size) {
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
#if defined(__x86_64__)
  // Processors copy long runs best by themselves; for short ones that takes too long to begin.
  if (size >= 512) {
    asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
    return to;
  }
#endif
  for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t)) {
    uint64_t word;
    __builtin_memcpy(&word, source, sizeof(word));
    __builtin_memcpy(target, &word, sizeof(word));
    source += sizeof(word);
    target += sizeof(word);
  }
  while (size-- > 0) {
    stay_a_loop();
    *target++ = *source++;
  }
  return to;
}

void* move_bytes(void* to, const void* from, size_t size) {
  auto* target = static_cast<unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  // A copy from the front reads each byte before it writes there, if it goes downwards.
  if (reinterpret_cast<uintptr_t>(target) - reinterpret_cast<uintptr_t>(source) >= size) {
    while (size-- > 0) {
      stay_a_loop();
      *target++ = *source++;
    }
  } else {
    while (size-- > 0) {
      stay_a_loop();
      target[size] = source[size];
    }
  }
  return to;
}

void* set_bytes(void* to, int byte, size_t size) {
  auto* target = static_cast<unsigned char*>(to);
#if defined(__x86_64__)
  if (size >= 512) {
    asm volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(byte) : "memory");
    return to;
  }
#endif
  while (size-- > 0) {
    stay_a_loop();
    *target++ = static_cast<unsigned char>(byte);
  }
  return to;
}

int compare_bytes(const void* a, const void* b, size_t size) {
  const auto* one = static_cast<const unsigned char*>(a);
  const auto* other = static_cast<const unsigned char*>(b);
  for (size_t i = 0; i < size; ++i) {
    if (one[i] != other[i]) return one[i] < other[i] ? -1 : 1;
  }
  return 0;
}

size_t length_within(const char* text, size_t limit) {
  size_t length = 0;
  while (length < limit && text[length] != '\0') {
    stay_a_loop();
    ++length;
  }
  return length;
}

size_t length_of(const char* text) {
  return length_within(text, SIZE_MAX);
}

const void* find_byte(const void* bytes, int byte, size_t size) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (; size > 0; --size, ++at) {
    if (*at == static_cast<unsigned char>(byte)) return at;
  }
  return nullptr;
}

const char* find_or_end(const char* text, int byte) {
  while (*text != '\0' && *text != static_cast<char>(byte)) ++text;
  return text;
}

const char* find_first(const char* text, int byte) {
  const char* found = find_or_end(text, byte);
  return *found == static_cast<char>(byte) ? found : nullptr;
}

const char* find_last(const char* text, int byte) {
  for (size_t length = length_of(text) + 1; length > 0; --length) {
    if (text[length - 1] == static_cast<char>(byte)) return text + length - 1;
  }
  return nullptr;
}

int compare_within(const char* a, const char* b, size_t limit) {
  for (; limit > 0; --limit, ++a, ++b) {
    const auto one = static_cast<unsigned char>(*a);
    const auto other = static_cast<unsigned char>(*b);
    if (one != other) return one < other ? -1 : 1;
    if (one == 0) break;
  }
  return 0;
}

int compare_texts(const char* a, const char* b) {
  return compare_within(a, b, SIZE_MAX);
}

const char* find_text(const char* text, const char* part) {
  const size_t length = length_of(part);
  for (;; ++text) {
    if (compare_within(text, part, length) == 0) return text;
    if (*text == '\0') return nullptr;
  }
}

// 12 bits and 8, as there once were, and what was added since above them.
uint64_t device_number(unsigned major, unsigned minor) {
  return (uint64_t{major} & 0xfffff000) << 32 | (uint64_t{major} & 0xfff) << 8 |
         (uint64_t{minor} & 0xffffff00) << 12 | (uint64_t{minor} & 0xff);
}

void* vfs_memcpy(void* to, const void* from, size_t size) {
  return copy_bytes(to, from, size);
}
void* vfs_memmove(void* to, const void* from, size_t size) {
  return move_bytes(to, from, size);
}
void* vfs_memset(void* to, int byte, size_t size) {
  return set_bytes(to, byte, size);
}
int vfs_memcmp(const void* a, const void* b, size_t size) {
  return compare_bytes(a, b, size);
}
size_t vfs_strlen(const char* text) {
  return length_of(text);
}

}  // extern "C"
