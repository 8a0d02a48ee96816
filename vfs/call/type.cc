#include "vfs/call/type.h"

#include <sys/types.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <type_traits>

namespace vfs::call {
namespace {

template <typename Value>
constexpr Kind kind_of() {
  if constexpr (std::is_pointer_v<Value>) return Kind::pointer;
  if constexpr (std::is_same_v<Value, signed char>) return Kind::signed_char;
  if constexpr (std::is_same_v<Value, unsigned char>) return Kind::unsigned_char;
  if constexpr (std::is_same_v<Value, short>) return Kind::signed_short;
  if constexpr (std::is_same_v<Value, unsigned short>) return Kind::unsigned_short;
  if constexpr (std::is_same_v<Value, int>) return Kind::signed_int;
  if constexpr (std::is_same_v<Value, unsigned>) return Kind::unsigned_int;
  if constexpr (std::is_same_v<Value, long>) return Kind::signed_long;
  if constexpr (std::is_same_v<Value, unsigned long>) return Kind::unsigned_long;
  return Kind::none;
}

struct Known {
  std::string_view name;
  Kind kind;
};

// The compiler knows what each is on this machine.
#define VFS_KNOWN(name) {#name, kind_of<name>()}
constexpr Known kKnown[] = {
    VFS_KNOWN(blkcnt_t),  VFS_KNOWN(blksize_t), VFS_KNOWN(clock_t),    VFS_KNOWN(clockid_t),  VFS_KNOWN(dev_t),
    VFS_KNOWN(gid_t),     VFS_KNOWN(id_t),      VFS_KNOWN(ino_t),      VFS_KNOWN(int16_t),    VFS_KNOWN(int32_t),
    VFS_KNOWN(int64_t),   VFS_KNOWN(int8_t),    VFS_KNOWN(intptr_t),   VFS_KNOWN(key_t),      VFS_KNOWN(loff_t),
    VFS_KNOWN(mode_t),    VFS_KNOWN(nlink_t),   VFS_KNOWN(off64_t),    VFS_KNOWN(off_t),      VFS_KNOWN(pid_t),
    VFS_KNOWN(ptrdiff_t), VFS_KNOWN(size_t),    VFS_KNOWN(ssize_t),    VFS_KNOWN(suseconds_t), VFS_KNOWN(time_t),
    VFS_KNOWN(u_int),     VFS_KNOWN(u_long),    VFS_KNOWN(uid_t),      VFS_KNOWN(uint16_t),   VFS_KNOWN(uint32_t),
    VFS_KNOWN(uint64_t),  VFS_KNOWN(uint8_t),   VFS_KNOWN(uintptr_t),  VFS_KNOWN(useconds_t),
    {"bool", Kind::boolean}, {"_Bool", Kind::boolean}, {"socklen_t", Kind::unsigned_int},
    {"id_type_t", Kind::unsigned_int}, {"idtype_t", Kind::unsigned_int},
};
#undef VFS_KNOWN

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument(why); }

bool starts_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool goes_on_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

class Tokens {
 public:
  explicit Tokens(std::string_view text) {
    while (!text.empty()) {
      size_t length = 1;
      if (starts_name(text[0]) || goes_on_name(text[0])) {
        while (length < text.size() && goes_on_name(text[length])) ++length;
      } else if (text.starts_with("...")) {
        length = 3;
      }
      const bool blank = text[0] == ' ' || text[0] == '\t' || text[0] == '\n';
      if (!blank) tokens_.push_back(text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  bool at_end() const { return at_ == tokens_.size(); }
  std::string_view peek(size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : std::string_view();
  }
  std::string_view next() {
    const std::string_view token = peek();
    if (!at_end()) ++at_;
    return token;
  }
  bool take(std::string_view token) {
    if (at_end() || peek() != token) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view token) {
    if (take(token)) return;
    refuse("'" + std::string(token) + "' is missing " +
           (at_end() ? "at the end" : "before '" + std::string(peek()) + "'"));
  }
  bool at_name() const { return !at_end() && starts_name(peek()[0]); }

 private:
  std::vector<std::string_view> tokens_;
  size_t at_ = 0;
};

bool is_qualifier(std::string_view word) {
  constexpr std::string_view kQualifiers[] = {"const", "volatile", "restrict", "__restrict", "__restrict__",
                                              "extern", "_Atomic", "register"};
  return std::find(std::begin(kQualifiers), std::end(kQualifiers), word) != std::end(kQualifiers);
}

bool is_basic(std::string_view word) {
  constexpr std::string_view kBasic[] = {"void", "char", "short", "int", "long", "float", "double",
                                         "signed", "unsigned"};
  return std::find(std::begin(kBasic), std::end(kBasic), word) != std::end(kBasic);
}

// "unsigned long int", in whatever order.
Kind basic_kind(const std::vector<std::string_view>& words) {
  const auto count = [&](std::string_view word) { return std::count(words.begin(), words.end(), word); };
  const bool is_unsigned = count("unsigned") > 0;
  const auto total = static_cast<ptrdiff_t>(words.size());
  const auto exactly = [&](ptrdiff_t named) { return total == named + count("signed") + count("unsigned"); };
  if (count("signed") + count("unsigned") > 1) refuse("signed and unsigned at once");
  const auto pick = [&](Kind with_sign, Kind without) { return is_unsigned ? without : with_sign; };
  if (count("void") == 1 && total == 1) return Kind::none;
  if (count("float") == 1 && total == 1) return Kind::single_float;
  if (count("double") == 1 && total == 1) return Kind::double_float;
  if (count("double") == 1 && count("long") == 1 && total == 2) return Kind::long_double;
  if (count("char") == 1 && exactly(1)) {
    return count("signed") == 1 ? Kind::signed_char : pick(Kind::character, Kind::unsigned_char);
  }
  const ptrdiff_t ints = count("int");
  if (ints <= 1 && exactly(ints)) return pick(Kind::signed_int, Kind::unsigned_int);
  if (ints <= 1 && count("short") == 1 && exactly(ints + 1)) return pick(Kind::signed_short, Kind::unsigned_short);
  if (ints <= 1 && count("long") == 1 && exactly(ints + 1)) return pick(Kind::signed_long, Kind::unsigned_long);
  if (ints <= 1 && count("long") == 2 && exactly(ints + 2)) {
    return pick(Kind::signed_long_long, Kind::unsigned_long_long);
  }
  std::string all;
  for (const std::string_view word : words) all += std::string(all.empty() ? "" : " ") + std::string(word);
  refuse("'" + all + "' is no type");
}

void append(std::string& text, std::string_view word) {
  if (!text.empty()) text += ' ';
  text += word;
}

struct Base {
  Kind kind = Kind::none;
  std::string structure;
  std::string text;
};

// What stands before the stars and the name.
Base parse_base(Tokens& tokens) {
  Base base;
  std::vector<std::string_view> basic;
  bool known = false;
  while (tokens.at_name()) {
    const std::string_view word = tokens.peek();
    if (is_qualifier(word)) {
      tokens.next();
      if (word == "const") append(base.text, word);
      continue;
    }
    if (is_basic(word) && !known) {
      basic.push_back(tokens.next());
      append(base.text, word);
      continue;
    }
    if (known || !basic.empty()) break;  // the name
    known = true;
    tokens.next();
    append(base.text, word);
    if (word == "struct" || word == "union" || word == "enum") {
      if (!tokens.at_name()) refuse("a name is missing behind '" + std::string(word) + "'");
      append(base.text, tokens.peek());
      base.structure = tokens.next();
      base.kind = word == "enum" ? Kind::unsigned_int : Kind::structure;
      if (word == "enum") base.structure.clear();
      continue;
    }
    const auto* found = std::find_if(std::begin(kKnown), std::end(kKnown),
                                     [&](const Known& one) { return one.name == word; });
    base.kind = found != std::end(kKnown) ? found->kind : Kind::structure;
    if (found == std::end(kKnown)) base.structure = word;
  }
  if (!known && basic.empty()) {
    refuse(tokens.at_end() ? "a type is missing at the end" : "'" + std::string(tokens.peek()) + "' is no type");
  }
  if (!known) base.kind = basic_kind(basic);
  return base;
}

void skip_brackets(Tokens& tokens, std::string_view open, std::string_view close) {
  for (size_t depth = 1; depth != 0;) {
    if (tokens.at_end()) refuse("'" + std::string(close) + "' is missing at the end");
    const std::string_view token = tokens.next();
    if (token == open) ++depth;
    if (token == close) --depth;
  }
}

void point(Type& type) {
  type.target2 = type.target;
  type.target = type.kind;
  type.kind = Kind::pointer;
}

void parse_stars(Tokens& tokens, Type& type) {
  for (;;) {
    if (tokens.take("*")) {
      type.text += type.text.ends_with('*') ? "*" : " *";
      point(type);
    } else if (!tokens.at_end() && is_qualifier(tokens.peek())) {
      if (tokens.next() == "const") type.text += "const";
    } else {
      return;
    }
  }
}

// One type, with a name or without. `name`: where the name goes, if there may be one.
Type parse_one(Tokens& tokens) {
  Base base = parse_base(tokens);
  Type type;
  type.kind = base.kind;
  type.structure = std::move(base.structure);
  type.text = std::move(base.text);
  parse_stars(tokens, type);
  if (tokens.peek() == "(" && tokens.peek(1) == "*") {  // a pointer to a function
    tokens.next();
    skip_brackets(tokens, "(", ")");
    tokens.expect("(");
    skip_brackets(tokens, "(", ")");
    type.text += " (*)()";
    type.kind = Kind::pointer;
    type.target = type.target2 = Kind::none;
    type.structure.clear();
    return type;
  }
  if (tokens.at_name()) tokens.next();
  while (tokens.take("[")) {  // as a parameter: a pointer
    std::string inside = "[";
    while (!tokens.at_end() && tokens.peek() != "]") {
      const std::string_view word = tokens.next();
      if (!is_qualifier(word) && word != "static") inside += word;
    }
    tokens.expect("]");
    type.text += inside + "]";
    point(type);
  }
  return type;
}

void check_value(const Type& type) {
  if (type.kind == Kind::structure) {
    refuse("'" + type.text + "' is not known here, or is passed by value, which a call cannot do");
  }
}

}  // namespace

size_t size_of(Kind kind) {
  switch (kind) {
    case Kind::none: case Kind::structure: return 0;
    case Kind::boolean: case Kind::character: case Kind::signed_char: case Kind::unsigned_char: return 1;
    case Kind::signed_short: case Kind::unsigned_short: return sizeof(short);
    case Kind::signed_int: case Kind::unsigned_int: return sizeof(int);
    case Kind::signed_long: case Kind::unsigned_long: return sizeof(long);
    case Kind::signed_long_long: case Kind::unsigned_long_long: return sizeof(long long);
    case Kind::single_float: return sizeof(float);
    case Kind::double_float: return sizeof(double);
    case Kind::long_double: return sizeof(long double);
    case Kind::pointer: return sizeof(void*);
  }
  return 0;
}

bool is_signed(Kind kind) {
  switch (kind) {
    case Kind::character: return std::is_signed_v<char>;
    case Kind::signed_char: case Kind::signed_short: case Kind::signed_int: case Kind::signed_long:
    case Kind::signed_long_long: return true;
    default: return false;
  }
}

Type integer_type(Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type parse_type(std::string_view text) {
  Tokens tokens(text);
  Type type = parse_one(tokens);
  if (!tokens.at_end()) refuse("'" + std::string(tokens.peek()) + "' is too much");
  return type;
}

Signature parse_signature(std::string_view text) {
  Tokens tokens(text);
  Signature signature;
  signature.result = parse_one(tokens);
  check_value(signature.result);
  tokens.expect("(");
  if (tokens.peek() == "void" && tokens.peek(1) == ")") tokens.next();
  for (bool first = true; !tokens.take(")"); first = false) {
    if (!first) tokens.expect(",");
    if (tokens.take("...")) {
      signature.variadic = true;
      tokens.expect(")");
      break;
    }
    signature.parameters.push_back(parse_one(tokens));
    check_value(signature.parameters.back());
    if (signature.parameters.back().kind == Kind::none) refuse("a parameter is void");
    constexpr size_t kMostParameters = 64;
    if (signature.parameters.size() > kMostParameters) refuse("more than 64 parameters");
  }
  tokens.take(";");
  if (!tokens.at_end()) refuse("'" + std::string(tokens.peek()) + "' is too much");
  return signature;
}

std::string text_of(const Signature& signature, std::string_view name) {
  std::string text = signature.result.text;
  if (!name.empty() && !text.ends_with('*')) text += ' ';
  text += std::string(name) + "(";
  const char* separator = "";
  for (const Type& parameter : signature.parameters) {
    text += separator + parameter.text;
    separator = ", ";
  }
  if (signature.variadic) text += std::string(separator) + "...";
  if (signature.parameters.empty() && !signature.variadic) text += "void";
  return text + ")";
}

}  // namespace vfs::call
