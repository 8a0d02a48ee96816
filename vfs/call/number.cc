#include "vfs/call/number.h"

#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "vfs/call/script.h"

namespace vfs::call {
namespace {

std::optional<Integer> literal(std::string_view text) {
  Integer integer;
  integer.is_negative = text.starts_with('-');
  if (integer.is_negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, integer.bits, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  integer.is_decimal = base == 10;
  if (integer.is_negative) {
    if (integer.bits > uint64_t(1) << 63) return std::nullopt;
    integer.bits = 0 - integer.bits;
  }
  return integer;
}

// 'x'
std::optional<Integer> character(std::string_view text) {
  if (text.size() < 3 || text.front() != '\'' || text.back() != '\'') return std::nullopt;
  const std::string_view inside = text.substr(1, text.size() - 2);
  const std::string bytes = parse_literal(inside == "\"" ? "\"\\\"\"" : "\"" + std::string(inside) + "\"");
  if (bytes.size() != 1) return std::nullopt;
  Integer integer;
  integer.bits = static_cast<uint64_t>(static_cast<int64_t>(bytes[0]));
  integer.is_negative = bytes[0] < 0;
  return integer;
}

std::optional<Integer> named(std::string_view text, Knowledge& knowledge) {
  if (!is_name(text)) return std::nullopt;
  const std::optional<Constant> constant = knowledge.constant(text);
  if (!constant || !std::holds_alternative<int64_t>(*constant)) return std::nullopt;
  const int64_t value = std::get<int64_t>(*constant);
  Integer integer;
  integer.bits = static_cast<uint64_t>(value);
  integer.is_negative = value < 0;
  return integer;
}

std::optional<Integer> term(std::string_view text, Knowledge& knowledge, const Referenced& referenced) {
  if (text.starts_with('~')) {
    std::optional<Integer> inner = term(text.substr(1), knowledge, referenced);
    if (!inner) return std::nullopt;
    inner->bits = ~inner->bits;
    inner->is_negative = static_cast<int64_t>(inner->bits) < 0;
    inner->is_decimal = false;
    return inner;
  }
  if (text.starts_with('@')) return referenced(text);
  if (std::optional<Integer> found = literal(text)) return found;
  if (std::optional<Integer> found = character(text)) return found;
  return named(text, knowledge);
}

[[noreturn]] void refuse_constant(std::string_view name, Knowledge& knowledge) {
  std::string why = "no constant is called " + std::string(name);
  const char* separator = "; nearly so: ";
  for (const std::string& near : knowledge.near_constants(name)) {
    why += separator + near;
    separator = ", ";
  }
  throw ScriptError(why);
}

}  // namespace

std::optional<Integer> integer_of(std::string_view text, Knowledge& knowledge, const Referenced& referenced) {
  if (text.find('|') == std::string_view::npos) return term(text, knowledge, referenced);
  Integer all;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('|', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    const std::optional<Integer> part = term(one, knowledge, referenced);
    if (!part) {
      if (is_name(one)) refuse_constant(one, knowledge);
      return std::nullopt;
    }
    all.bits |= part->bits;
    at = end + 1;
  }
  all.is_negative = static_cast<int64_t>(all.bits) < 0;
  return all;
}

std::optional<long double> floating_of(std::string_view text, Knowledge& knowledge) {
  if (text.empty()) return std::nullopt;
  const std::string copy(text);
  char* end = nullptr;
  const long double value = strtold(copy.c_str(), &end);
  const bool blank = copy[0] == ' ' || copy[0] == '\t' || copy[0] == '\n';
  if (*end == '\0' && end == copy.c_str() + copy.size() && !blank) return value;
  if (!is_name(text)) return std::nullopt;
  const std::optional<Constant> constant = knowledge.constant(text);
  if (!constant) return std::nullopt;
  if (const auto* integer = std::get_if<int64_t>(&*constant)) return static_cast<long double>(*integer);
  return std::get<double>(*constant);
}

bool fits(const Integer& integer, Kind kind) {
  if (kind == Kind::boolean) return integer.bits <= 1;
  const size_t bits = size_of(kind) * 8;
  const auto value = static_cast<int64_t>(integer.bits);
  if (integer.is_negative) return bits == 64 || value >= -(int64_t(1) << (bits - 1));
  if (bits == 64) return !integer.is_decimal || !is_signed(kind) || value >= 0;
  const uint64_t limit = uint64_t(1) << (is_signed(kind) && integer.is_decimal ? bits - 1 : bits);
  return integer.bits < limit;
}

}  // namespace vfs::call
