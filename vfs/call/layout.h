// Where the fields of structures lie.
#pragma once

#include <stddef.h>

#include <string>
#include <string_view>
#include <vector>

#include "vfs/call/type.h"

namespace vfs::call {

struct Field {
  std::string name;
  size_t offset = 0;
  Kind kind = Kind::none;
  std::string structure;  // where `kind` is one
  size_t count = 1;       // more than one: an array
  bool is_text = false;   // an array of characters that ends at its first NUL
};

struct Layout {
  std::string name;
  size_t size = 0;
  std::vector<Field> fields;
};

// Of the structures that the file calls have: stat, statx, timespec, flock, iovec, ...; null for others.
// As the compiler of this program has laid them out. Thread-safe.
const Layout* find_layout(std::string_view name);

}  // namespace vfs::call
