// Results and memory, as people and scripts read them. One thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "vfs/call/value.h"

namespace vfs::call {

// "-1", "0.841471", "hello", "0x7f..", "NULL"; nothing for void. Reads the text that a char * points to.
std::string show(const Type& type, const Slot& value);
nlohmann::json as_json(const Type& type, const Slot& value);

// A structure or array field by field, a line each: "st_mtim.tv_sec=1"; a value alone; characters as text.
std::string show(const Place& place, const std::string& name);
nlohmann::json as_json(const Place& place);

// "68 65 6c 6c 6f", sixteen in a line.
std::string hex(const void* bytes, size_t size);

// Whether the result says that the call failed; `error` is what it left in errno, which was 0 before, or what the
// result says itself. Sets it for functions that return their error.
bool has_failed(std::string_view function, const Type& type, const Slot& value, int& error);

}  // namespace vfs::call
