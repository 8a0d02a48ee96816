#include "cas/hash.h"

#include <xxhash.h>

#include <new>
#include <string>

namespace vfs {
namespace {

Digest canonical(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  Digest digest;
  static_assert(sizeof(bytes.digest) == Digest::kSize);
  memcpy(digest.bytes, bytes.digest, Digest::kSize);
  return digest;
}

}  // namespace

struct StreamingHash::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() {
    if (xxh == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(xxh);
  }
  ~State() { XXH3_freeState(xxh); }
};

Digest digest_of(const void* data, size_t size) { return canonical(XXH3_128bits(data, size)); }

std::string digest_text(const Digest& digest) {
  std::string text(Digest::kHexLength, '\0');
  digest_to_hex(digest, text.data());
  return text;
}

StreamingHash::StreamingHash() : state_(std::make_unique<State>()) {}
StreamingHash::~StreamingHash() = default;

void StreamingHash::update(const void* data, size_t size) {
  XXH3_128bits_update(state_->xxh, data, size);
}

void StreamingHash::update_number(uint64_t value) {
  unsigned char bytes[8];
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(value >> (8 * i));
  update(bytes, sizeof(bytes));
}

Digest StreamingHash::digest() const { return canonical(XXH3_128bits_digest(state_->xxh)); }

}  // namespace vfs
