// Compiled once for every set of instructions: what must not be shared between
// them (templates, inline functions of libraries) has no place in here.
#define XXH_INLINE_ALL
#include "cas/hash_kernel.h"

#include <xxhash.h>

namespace vfs {
namespace {

XXH3_state_t* state_of(void* state) { return static_cast<XXH3_state_t*>(state); }

void write(XXH128_hash_t hash, unsigned char* out) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  memcpy(out, bytes.digest, sizeof(bytes.digest));
}

void* create() {
  XXH3_state_t* const state = XXH3_createState();
  if (state != nullptr) XXH3_128bits_reset(state);
  return state;
}

void destroy(void* state) { XXH3_freeState(state_of(state)); }

void update(void* state, const void* data, size_t size) {
  XXH3_128bits_update(state_of(state), data, size);
}

void digest(const void* state, unsigned char* out) {
  write(XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state)), out);
}

void digest_of(const void* data, size_t size, unsigned char* out) {
  write(XXH3_128bits(data, size), out);
}

}  // namespace

extern const HashKernel HASH_KERNEL;
const HashKernel HASH_KERNEL = {create, destroy, update, digest, digest_of};

}  // namespace vfs
