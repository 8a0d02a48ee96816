// The hash of a path inside a workspace, built component by component.
//
// hash("a/b/c") is made from hash("a/b") and the name "c", so one pass over a
// path gives the hash of every ancestor too, which is what the change filter
// and the index ask for. The hash is part of two formats on disk (index and
// control file): changing it means a new version of both.
#pragma once

#include <stdint.h>
#include <string.h>

namespace vfs {

constexpr uint64_t kRootPathHash = 0x9e3779b97f4a7c15ull;

inline uint64_t mix_hash(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Up to 7 bytes as a number, the first one lowest. (A copy of a length that is
// only known at run time would be a call.)
inline uint64_t short_word(const char* bytes, uint32_t length) {
  if (length >= 4) {
    uint32_t first, last;
    memcpy(&first, bytes, 4);
    memcpy(&last, bytes + length - 4, 4);
    return first | static_cast<uint64_t>(last) << (length * 8 - 32);
  }
  if (length == 0) return 0;
  const auto byte = [bytes](uint32_t i) {
    return static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (i * 8);
  };
  return byte(0) | byte(length / 2) | byte(length - 1);
}

// The hash of the path made of `parent` and one more component.
inline uint64_t path_hash_append(uint64_t parent, const char* name, uint32_t length) {
  uint64_t hash = parent ^ (0xa0761d6478bd642full + length);
  while (length >= 8) {
    uint64_t word;
    memcpy(&word, name, 8);
    hash = mix_hash(hash ^ word, 0xe7037ed1a0b428dbull);
    name += 8;
    length -= 8;
  }
  return mix_hash(hash ^ short_word(name, length), 0x8ebc6af09c88c6e3ull) ^ parent;
}

// The hash of a canonical path relative to the root: components separated by
// single slashes, "" for the root itself.
inline uint64_t path_hash(const char* path, uint32_t length) {
  uint64_t hash = kRootPathHash;
  uint32_t start = 0;
  for (uint32_t i = 0; i <= length; ++i) {
    if (i == length || path[i] == '/') {
      if (i > start) hash = path_hash_append(hash, path + start, i - start);
      start = i + 1;
    }
  }
  return hash;
}

// The filter's bit for a directory that only upper had, by its path's hash,
// once it was removed: a file may have taken the name.
inline uint64_t removed_key(uint64_t hash) { return mix_hash(hash, 0x27d4eb2f165667c5ull); }

}  // namespace vfs
