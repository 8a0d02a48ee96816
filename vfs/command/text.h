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

// Bytes of a name or message for a terminal: what it would obey instead of
// showing it, and what is no character, is written as in C (\n, \x1b). Where
// `lines` are many, line breaks and tabs stay.
enum class Lines : bool { one, many };
std::string terminal_text(std::string_view bytes, Lines lines = Lines::one);

// The same if `descriptor` is a terminal; for files and pipes, that is for
// other programs, the bytes as they are.
std::string shown(std::string_view bytes, int descriptor = 1, Lines lines = Lines::one);

}  // namespace vfs
