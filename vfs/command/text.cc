#include "vfs/command/text.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <charconv>

namespace vfs {
namespace {

// The length of the character that `bytes` begin with; 0 if it is none:
// broken off, longer than needed, a surrogate, or beyond Unicode.
size_t character_length(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
  if (length == 0 || bytes.size() < length) return 0;
  uint32_t code = first & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (at(i) & 0x3fu);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < kSmallest[length] || surrogate || code > 0x10ffff ? 0 : length;
}

// Whether a terminal obeys it: C0, DEL, and C1 as UTF-8 has it.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

std::string time_text(int64_t seconds) {
  const time_t time = seconds;
  struct tm parts = {};
  char text[64] = "";
  if (gmtime_r(&time, &parts) == nullptr) return fmt::format("@{}", seconds);
  strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::optional<int64_t> seconds_of(std::string_view text) {
  constexpr int64_t kMost = 1'000'000'000;  // of any unit: no overflow
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || end - stop != 1 || number < 0 || number > kMost) return std::nullopt;
  switch (*stop) {
    case 's': return number;
    case 'm': return number * 60;
    case 'h': return number * 3600;
    case 'd': return number * 86400;
    default: return std::nullopt;
  }
}

std::string json_text(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t length = character_length(bytes);
    if (length != 0) {
      text.append(bytes.substr(0, length));
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
    }
    bytes.remove_prefix(length != 0 ? length : 1);
  }
  return text;
}

std::string terminal_text(std::string_view bytes, Lines lines) {
  std::string text;
  while (!bytes.empty()) {
    const size_t length = character_length(bytes);
    const std::string_view character = bytes.substr(0, length != 0 ? length : 1);
    const bool layout = character == "\n" || character == "\t";
    if (layout && lines == Lines::one) {
      text += character == "\n" ? "\\n" : "\\t";
    } else if (length != 0 && (layout || !is_control(character))) {
      text.append(character);
    } else {
      for (const char c : character) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    bytes.remove_prefix(character.size());
  }
  return text;
}

std::string shown(std::string_view bytes, int descriptor, Lines lines) {
  return ::isatty(descriptor) == 1 ? terminal_text(bytes, lines) : std::string(bytes);
}

}  // namespace vfs
