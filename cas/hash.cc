#include "cas/hash.h"

#include <new>
#include <string>

#include "cas/hash_kernel.h"

namespace vfs {
namespace {

// The distribution's library is built for what every processor has, which is
// a third slower than the wider instructions.
const HashKernel& kernel() {
#ifdef __x86_64__
  static const HashKernel& best = __builtin_cpu_supports("avx2") ? kAvx2Hash : kPortableHash;
  return best;
#else
  return kPortableHash;
#endif
}

}  // namespace

struct StreamingHash::State {
  void* inner = kernel().create();
  State() {
    if (inner == nullptr) throw std::bad_alloc();
  }
  ~State() { kernel().destroy(inner); }
};

Digest digest_of(const void* data, size_t size) {
  Digest digest;
  kernel().digest_of(data, size, digest.bytes);
  return digest;
}

std::string digest_text(const Digest& digest) {
  std::string text(Digest::kHexLength, '\0');
  digest_to_hex(digest, text.data());
  return text;
}

StreamingHash::StreamingHash() : state_(std::make_unique<State>()) {}
StreamingHash::~StreamingHash() = default;

void StreamingHash::update(const void* data, size_t size) {
  kernel().update(state_->inner, data, size);
}

void StreamingHash::update_number(uint64_t value) {
  unsigned char bytes[8];
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(value >> (8 * i));
  update(bytes, sizeof(bytes));
}

Digest StreamingHash::digest() const {
  Digest digest;
  kernel().digest(state_->inner, digest.bytes);
  return digest;
}

}  // namespace vfs
