// How things are written for people and for scripts. Thread-safe.
#pragma once

#include <stdint.h>

#include <optional>
#include <string>
#include <string_view>

namespace vfs {

// A moment as people read it, in UTC: "2024-05-06 07:08:09".
std::string time_text(int64_t seconds);

// A length of time as people write it, in seconds: "90s", "10m", "2h", "7d".
// Nothing if it is none.
std::optional<int64_t> seconds_of(std::string_view text);

// Bytes of a path or message as valid UTF-8 for JSON: each byte that is not
// part of a character becomes \xNN.
std::string json_text(std::string_view bytes);

}  // namespace vfs
