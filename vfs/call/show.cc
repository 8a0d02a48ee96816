#include "vfs/call/show.h"

#include <errno.h>
#include <fmt/format.h>
#include <math.h>
#include <string.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "vfs/call/layout.h"
#include "vfs/command/text.h"

namespace vfs::call {
namespace {

// Of a text whose end nobody has promised.
constexpr size_t kLongestText = size_t(1) << 20;

std::string text_at(const void* address) {
  const char* const text = static_cast<const char*>(address);
  return std::string(text, strnlen(text, kLongestText));
}

long double floating_in(Kind kind, const Slot& value) {
  if (kind == Kind::single_float) return value.single_float;
  return kind == Kind::double_float ? value.double_float : value.long_double;
}

bool is_floating(Kind kind) { return kind >= Kind::single_float && kind <= Kind::long_double; }

std::string show_kind(Kind kind, const Slot& value) {
  if (kind == Kind::none || kind == Kind::structure) return "";
  if (kind == Kind::pointer) {
    return value.pointer == nullptr ? "NULL" : fmt::format("{:#x}", reinterpret_cast<uintptr_t>(value.pointer));
  }
  if (is_floating(kind)) return fmt::format("{:g}", floating_in(kind, value));
  return is_signed(kind) ? fmt::format("{}", static_cast<int64_t>(value.integer)) : fmt::format("{}", value.integer);
}

nlohmann::json json_kind(Kind kind, const Slot& value) {
  if (kind == Kind::none || kind == Kind::structure) return nullptr;
  if (kind == Kind::pointer) {
    return value.pointer == nullptr ? nlohmann::json() : nlohmann::json(show_kind(kind, value));
  }
  if (is_floating(kind)) {
    const auto number = static_cast<double>(floating_in(kind, value));
    return isfinite(number) ? nlohmann::json(number) : nlohmann::json(show_kind(kind, value));
  }
  return is_signed(kind) ? nlohmann::json(static_cast<int64_t>(value.integer)) : nlohmann::json(value.integer);
}

std::string characters(const Place& place) {
  const char* const text = static_cast<const char*>(place.address);
  return std::string(text, strnlen(text, place.count));
}

Place element(const Place& place, size_t index) {
  Place one = place;
  one.address = static_cast<char*>(place.address) + index * element_size(place);
  one.count = 1;
  one.is_text = false;
  return one;
}

Place field_of(const Place& place, const Field& field) {
  Place inner;
  inner.address = static_cast<char*>(place.address) + field.offset;
  inner.kind = field.kind;
  inner.structure = field.structure;
  inner.count = field.count;
  inner.is_text = field.is_text;
  return inner;
}

void add_lines(const Place& place, const std::string& name, std::string& lines) {
  const std::string separator = name.empty() ? "" : "=";
  if (place.is_text) {
    lines += name + separator + shown(characters(place)) + "\n";
  } else if (place.count > 1) {
    for (size_t i = 0; i < place.count; ++i) add_lines(element(place, i), fmt::format("{}[{}]", name, i), lines);
  } else if (place.kind == Kind::structure) {
    const Layout* layout = find_layout(place.structure);
    if (layout == nullptr) return;
    for (const Field& field : layout->fields) {
      add_lines(field_of(place, field), name + (name.empty() ? "" : ".") + field.name, lines);
    }
  } else {
    Slot slot;
    load(place.address, place.kind, slot);
    const bool is_text = place.is_string && slot.pointer != nullptr;
    lines += name + separator + (is_text ? shown(text_at(slot.pointer)) : show_kind(place.kind, slot)) + "\n";
  }
}

// Those that leave errno alone and return one.
bool returns_its_error(std::string_view function) {
  constexpr std::string_view kOthers[] = {"readdir_r", "readdir64_r", "clock_nanosleep", "getpwnam_r", "getpwuid_r",
                                          "getgrnam_r", "getgrgid_r", "ttyname_r", "getlogin_r", "ptsname_r"};
  if (function == "posix_openpt") return false;
  return function.starts_with("posix_") || function.starts_with("pthread_") ||
         std::find(std::begin(kOthers), std::end(kOthers), function) != std::end(kOthers);
}

}  // namespace

std::string show(const Type& type, const Slot& value) {
  if (type.is_text() && value.pointer != nullptr) return text_at(value.pointer);
  return show_kind(type.kind, value);
}

nlohmann::json as_json(const Type& type, const Slot& value) {
  if (type.is_text() && value.pointer != nullptr) return json_text(text_at(value.pointer));
  return json_kind(type.kind, value);
}

std::string show(const Place& place, const std::string& name) {
  std::string lines;
  add_lines(place, name, lines);
  return lines;
}

nlohmann::json as_json(const Place& place) {
  if (place.is_text) return json_text(characters(place));
  if (place.count > 1) {
    nlohmann::json all = nlohmann::json::array();
    for (size_t i = 0; i < place.count; ++i) all.push_back(as_json(element(place, i)));
    return all;
  }
  if (place.kind == Kind::structure) {
    nlohmann::json all = nlohmann::json::object();
    const Layout* layout = find_layout(place.structure);
    if (layout == nullptr) return all;
    for (const Field& field : layout->fields) all[field.name] = as_json(field_of(place, field));
    return all;
  }
  Slot slot;
  load(place.address, place.kind, slot);
  if (place.is_string && slot.pointer != nullptr) return json_text(text_at(slot.pointer));
  return json_kind(place.kind, slot);
}

std::string hex(const void* bytes, size_t size) {
  const auto* const all = static_cast<const unsigned char*>(bytes);
  constexpr size_t kInLine = 16;
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += fmt::format("{:02x}{}", all[i], i + 1 == size || i % kInLine == kInLine - 1 ? '\n' : ' ');
  }
  return text;
}

bool has_failed(std::string_view function, const Type& type, const Slot& value, int& error) {
  if (type.is_integer() && returns_its_error(function)) {
    const bool is_error = value.integer > 0 && value.integer < 4096;
    error = is_error ? static_cast<int>(value.integer) : 0;
    return is_error;
  }
  // strcmp and getc return -1 as well: then errno has not moved.
  if (error == 0) return false;
  if (type.is_integer()) {
    Slot minus_one = {};
    minus_one.integer = ~uint64_t(0);
    Slot narrowed;
    load(&minus_one, type.kind, narrowed);
    return value.integer == narrowed.integer && type.kind != Kind::boolean;
  }
  if (type.is_pointer()) return value.pointer == nullptr || value.pointer == reinterpret_cast<void*>(-1);
  if (type.is_floating()) {
    const long double number = floating_in(type.kind, value);
    return isnan(number) || isinf(number);
  }
  return false;
}

}  // namespace vfs::call
