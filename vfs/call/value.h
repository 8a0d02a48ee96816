// Values while a script runs: what results and buffers are, and where their bytes lie. One thread.
#pragma once

#include <stdint.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vfs/call/type.h"

namespace vfs::call {

// One argument or result, as a call takes it.
union Slot {
  uint64_t integer;  // any integer, sign-extended
  void* pointer;
  float single_float;
  double double_float;
  long double long_double;
};

// Memory that lives as long as the script: a function may keep a pointer to it (putenv, setvbuf).
class Arena {
 public:
  // Zeros. Throws std::bad_alloc.
  void* take(size_t size);
  void* copy(const void* bytes, size_t size);

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  std::vector<std::unique_ptr<void, Free>> blocks_;
};

// What lies somewhere in memory: `count` of a kind.
struct Place {
  void* address = nullptr;
  Kind kind = Kind::none;
  std::string structure;  // where `kind` is one
  size_t count = 1;
  bool is_text = false;    // characters up to a NUL
  bool is_string = false;  // a pointer to such characters
  bool is_element = false; // one of something, or a field: a value, and not the address of one
};

struct Variable {
  bool is_buffer = false;
  Type type;    // of a result
  Slot value = {};
  Place place;  // of a buffer
};

using Variables = std::map<std::string, Variable, std::less<>>;

// The bytes at a place as a slot has them, and back. `kind` is no structure.
void load(const void* address, Kind kind, Slot& slot);
void store(void* address, Kind kind, const Slot& slot);

// Bytes of one of it; 0 if its structure is not known.
size_t element_size(const Place& place);

}  // namespace vfs::call
