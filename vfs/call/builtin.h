// What is known without headers and libclang: the functions that reach files, and the constants they take.
// Thread-safe.
#pragma once

#include <stdint.h>

#include <optional>
#include <string_view>
#include <vector>

namespace vfs::call {

struct BuiltinFunction {
  std::string_view name, prototype, header;  // an empty header: none declares it
};

// In no order.
const std::vector<BuiltinFunction>& builtin_functions();

struct BuiltinConstant {
  std::string_view name;
  int64_t value;
};

const std::vector<BuiltinConstant>& builtin_constants();

}  // namespace vfs::call
