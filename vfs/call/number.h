// Numbers and constants as scripts write them: 0644, -1, 0x10, 'x', O_RDWR|O_CREAT, ~1, @fd. One thread.
#pragma once

#include <stdint.h>

#include <functional>
#include <optional>
#include <string_view>

#include "vfs/call/knowledge.h"

namespace vfs::call {

struct Integer {
  uint64_t bits = 0;
  bool is_negative = false;
  bool is_decimal = false;  // a value; bits otherwise, which may fill the type
};

// What a term "@name.field" is worth. Throws ScriptError.
using Referenced = std::function<Integer(std::string_view)>;

// Nothing if it is no number, and no names of constants. Throws ScriptError for an expression that names a
// constant which is none.
std::optional<Integer> integer_of(std::string_view text, Knowledge& knowledge, const Referenced& referenced);

// Also "1.5", "1e9", "inf", "nan", and constants.
std::optional<long double> floating_of(std::string_view text, Knowledge& knowledge);

// Whether a C compiler would put it into a `kind` without a warning: limits hold for decimal numbers, what is
// written as bits may fill the type, and -1 is the largest of any unsigned one.
bool fits(const Integer& integer, Kind kind);

}  // namespace vfs::call
