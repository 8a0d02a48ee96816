// Types of C as far as a call needs them, and the text of signatures: "int(const char *, int, ...)".
// Thread-safe: nothing here has state.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <string_view>
#include <vector>

namespace vfs::call {

enum class Kind : uint8_t {
  none,  // void
  boolean,
  character,  // plain char: signed on x86-64, unsigned on aarch64
  signed_char,
  unsigned_char,
  signed_short,
  unsigned_short,
  signed_int,
  unsigned_int,
  signed_long,
  unsigned_long,
  signed_long_long,
  unsigned_long_long,
  single_float,
  double_float,
  long_double,
  pointer,
  structure,  // by value: only behind a pointer, a call cannot pass one
};

struct Type {
  Kind kind = Kind::none;
  Kind target = Kind::none;   // of a pointer; Kind::pointer for "char **"
  Kind target2 = Kind::none;  // of a pointer to a pointer
  std::string structure;      // "stat": what it is, or what it points to
  std::string text;           // as it was written, without needless spaces: "const char *"

  bool is_integer() const { return kind >= Kind::boolean && kind <= Kind::unsigned_long_long; }
  bool is_floating() const { return kind >= Kind::single_float && kind <= Kind::long_double; }
  bool is_pointer() const { return kind == Kind::pointer; }
  bool is_text() const { return is_pointer() && is_character(target); }
  static bool is_character(Kind kind) { return kind >= Kind::character && kind <= Kind::unsigned_char; }
};

struct Signature {
  Type result;
  std::vector<Type> parameters;
  bool variadic = false;
};

// Bytes; 0 for void and structures.
size_t size_of(Kind kind);
bool is_signed(Kind kind);

// What `text` says: "size_t(const char *)", also with names: "size_t strlen(const char *s)". Throws
// std::invalid_argument, which says what of it is not understood; nothing else, whatever the text.
Signature parse_signature(std::string_view text);
Type parse_type(std::string_view text);

std::string text_of(const Signature& signature, std::string_view name = {});

// A value of an integer type that has any.
Type integer_type(Kind kind);

}  // namespace vfs::call
