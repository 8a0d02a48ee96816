// Making digests.
#pragma once

#include <stddef.h>

#include <memory>
#include <string>
#include <string_view>

#include "cas/digest.h"

namespace vfs {

// Thread-safe, like all of this file's free functions.
Digest digest_of(const void* data, size_t size);
std::string digest_text(const Digest& digest);  // 32 hexadecimal digits

// For data that comes in pieces. Not thread-safe.
class StreamingHash {
 public:
  StreamingHash();
  ~StreamingHash();
  void update(const void* data, size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }
  // A number in a form that is the same on every machine.
  void update_number(uint64_t value);
  Digest digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The order and hash that containers need.
struct DigestHash {
  size_t operator()(const Digest& digest) const {
    size_t value;
    memcpy(&value, digest.bytes, sizeof(value));
    return value;
  }
};

}  // namespace vfs
