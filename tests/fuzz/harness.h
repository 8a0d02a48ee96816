// What the fuzz targets share. A target is one function of libFuzzer's, which
// must come back from any input: what is wrong with one ends the process.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cas/digest.h"
#include "tests/unit/cas_fixture.h"
#include "vfs/core/path_buffer.h"

namespace vfs::fuzz {

namespace fs = std::filesystem;
using test::Scratch;

// What a target promises beyond not crashing.
inline void require(bool holds, const char* promise) {
  if (holds) return;
  fprintf(stderr, "broken promise: %s\n", promise);
  abort();
}

// So that reading it is not left out.
inline void consume(size_t value) {
  volatile size_t kept = value;
  static_cast<void>(kept);
}

// The bytes of one input, taken from the front. Zeros when there are no more.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool at_end() const { return rest_.empty(); }
  uint8_t byte() {
    const std::string_view one = bytes(1);
    return one.empty() ? 0 : static_cast<uint8_t>(one[0]);
  }
  uint32_t number(unsigned size) {
    uint32_t value = 0;
    for (unsigned i = 0; i < size; ++i) value = value << 8 | byte();
    return value;
  }
  std::string_view bytes(size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() { return bytes(rest_.size()); }

 private:
  std::string_view rest_;
};

// As the kernel gives a text to a program: ends at the first NUL.
inline std::string as_text(std::string_view bytes) {
  return std::string(bytes.substr(0, bytes.find('\0')));
}

// Whether a path is as look-ups promise it: relative, without ".", ".." and "//".
inline bool is_canonical(const PathBuffer& path) {
  if (path.length != strlen(path.text)) return false;
  std::string_view rest(path.text, path.length);
  while (!rest.empty()) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view name = rest.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == rest.size()) return true;
    rest.remove_prefix(slash + 1);
    if (rest.empty()) return false;
  }
  return true;
}

// Called with VFS_FUZZ_SEEDS set, a target writes what it is to start from, made
// of real files of the formats as they are now, and ends.
inline void write_seeds(const std::vector<std::string>& seeds) {
  const char* directory = getenv("VFS_FUZZ_SEEDS");
  if (directory == nullptr) return;
  fs::create_directories(directory);
  for (size_t i = 0; i < seeds.size(); ++i) {
    test::write_file(fs::path(directory) / ("seed-" + std::to_string(i)), seeds[i]);
  }
  exit(0);
}

}  // namespace vfs::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
