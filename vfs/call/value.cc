#include "vfs/call/value.h"

#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <new>

#include "vfs/call/layout.h"

namespace vfs::call {

void Arena::Free::operator()(void* memory) const { free(memory); }

void* Arena::take(size_t size) {
  void* memory = calloc(std::max<size_t>(size, 1), 1);
  if (memory == nullptr) throw std::bad_alloc();
  blocks_.emplace_back(memory);
  return memory;
}

void* Arena::copy(const void* bytes, size_t size) {
  void* memory = take(size);
  if (size != 0) memcpy(memory, bytes, size);
  return memory;
}

namespace {

template <typename Value>
Value bytes_as(const void* address) {
  Value value;
  memcpy(&value, address, sizeof(value));
  return value;
}

uint64_t load_integer(const void* address, Kind kind) {
  const bool with_sign = is_signed(kind);
  const auto extended = [](auto value) { return static_cast<uint64_t>(static_cast<int64_t>(value)); };
  switch (size_of(kind)) {
    case 1: return with_sign ? extended(bytes_as<int8_t>(address)) : bytes_as<uint8_t>(address);
    case 2: return with_sign ? extended(bytes_as<int16_t>(address)) : bytes_as<uint16_t>(address);
    case 4: return with_sign ? extended(bytes_as<int32_t>(address)) : bytes_as<uint32_t>(address);
    default: return bytes_as<uint64_t>(address);
  }
}

}  // namespace

void load(const void* address, Kind kind, Slot& slot) {
  slot = {};
  switch (kind) {
    case Kind::none: case Kind::structure: break;
    case Kind::pointer: slot.pointer = bytes_as<void*>(address); break;
    case Kind::single_float: slot.single_float = bytes_as<float>(address); break;
    case Kind::double_float: slot.double_float = bytes_as<double>(address); break;
    case Kind::long_double: slot.long_double = bytes_as<long double>(address); break;
    default: slot.integer = load_integer(address, kind);
  }
}

// Little-endian, as both architectures are: the first bytes of a slot are the value, however wide.
void store(void* address, Kind kind, const Slot& slot) { memcpy(address, &slot, size_of(kind)); }

size_t element_size(const Place& place) {
  if (place.kind != Kind::structure) return size_of(place.kind);
  const Layout* layout = find_layout(place.structure);
  return layout != nullptr ? layout->size : 0;
}

}  // namespace vfs::call
