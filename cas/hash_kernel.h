// XXH3-128 for one set of vector instructions. hash.cc takes the widest that
// the processor has.
#pragma once

#include <stddef.h>

namespace vfs {

// `state` is what create() gave. Digests are 16 bytes, big-endian.
struct HashKernel {
  void* (*create)();  // ready for update(); null without memory
  void (*destroy)(void* state);
  void (*update)(void* state, const void* data, size_t size);
  void (*digest)(const void* state, unsigned char* out);
  void (*digest_of)(const void* data, size_t size, unsigned char* out);
};

extern const HashKernel kPortableHash;
extern const HashKernel kAvx2Hash;  // only on x86-64

}  // namespace vfs
