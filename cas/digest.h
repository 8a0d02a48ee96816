// The name of an object: the XXH3-128 digest of its bytes.
//
// Freestanding: used inside foreign processes as well as by the command.
#pragma once

#include <stdint.h>
#include <string.h>

#include <bit>

namespace vfs {

// A XXH3-128 digest in its canonical (big-endian) byte order. It is fast, not
// cryptographic: whoever shares two files because their digests are equal has
// to compare their bytes first.
struct Digest {
  static constexpr unsigned kSize = 16;                // bytes
  static constexpr unsigned kHexLength = 2 * kSize;    // characters, no NUL

  uint8_t bytes[kSize];

  friend bool operator==(const Digest& a, const Digest& b) {
    return memcmp(a.bytes, b.bytes, kSize) == 0;
  }
};

// Writes 32 lower-case hexadecimal digits to `out`; no terminating NUL. Eight
// digits at a time: every open of a sealed file comes through here.
inline void digest_to_hex(const Digest& digest, char* out) {
  for (unsigned i = 0; i < Digest::kSize; i += 4) {
    uint32_t four;
    memcpy(&four, digest.bytes + i, sizeof(four));
    if constexpr (std::endian::native == std::endian::little) four = __builtin_bswap32(four);
    // The nibbles of 0x12345678 as the bytes of 0x0102030405060708.
    uint64_t nibbles = four;
    nibbles = (nibbles | nibbles << 16) & 0x0000ffff0000ffffull;
    nibbles = (nibbles | nibbles << 8) & 0x00ff00ff00ff00ffull;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f0f0f0f0f0f0full;
    const uint64_t letters = (nibbles + 0x0606060606060606ull) >> 4 & 0x0101010101010101ull;
    uint64_t text = nibbles + 0x3030303030303030ull + letters * ('a' - '0' - 10);
    if constexpr (std::endian::native == std::endian::little) text = __builtin_bswap64(text);
    memcpy(out + 2 * i, &text, sizeof(text));
  }
}

// Reads exactly 32 lower-case hexadecimal digits. Returns false, and leaves
// `digest` unspecified, if any character is another one.
inline bool digest_from_hex(const char* hex, Digest& digest) {
  for (unsigned i = 0; i < Digest::kHexLength; ++i) {
    const char c = hex[i];
    unsigned value;
    if (c >= '0' && c <= '9') {
      value = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = static_cast<unsigned>(c - 'a') + 10;
    } else {
      return false;
    }
    uint8_t& byte = digest.bytes[i / 2];
    byte = static_cast<uint8_t>(i % 2 == 0 ? value << 4 : byte | value);
  }
  return true;
}

// Where an object lives below the store: "objects/ab/cdef...": two digits of
// shard, thirty of name.
constexpr unsigned kObjectPathLength = sizeof("objects/") - 1 + Digest::kHexLength + 1;

// Writes kObjectPathLength characters to `out`; no terminating NUL.
inline void object_path_below_store(const Digest& digest, char* out) {
  char hex[Digest::kHexLength];
  digest_to_hex(digest, hex);
  memcpy(out, "objects/", 8);
  out[8] = hex[0];
  out[9] = hex[1];
  out[10] = '/';
  memcpy(out + 11, hex + 2, Digest::kHexLength - 2);
}

}  // namespace vfs
