// What scripts are given must be valid, whatever bytes a name has.
#include "vfs/command/text.h"

#include <catch2/catch.hpp>

using namespace vfs;

TEST_CASE("names in JSON are valid UTF-8") {
  CHECK(json_text("plain \n\t\"\\ ä € 😀") == "plain \n\t\"\\ ä € 😀");
  CHECK(json_text("\xff") == "\\xff");
  CHECK(json_text("a\xc3") == "a\\xc3");                         // broken off
  CHECK(json_text("\xc0\xaf") == "\\xc0\\xaf");                  // longer than needed
  CHECK(json_text("\xe0\x80\x80") == "\\xe0\\x80\\x80");
  CHECK(json_text("\xf0\x80\x80\x80") == "\\xf0\\x80\\x80\\x80");
  CHECK(json_text("\xed\xa0\x80") == "\\xed\\xa0\\x80");         // a surrogate
  CHECK(json_text("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  CHECK(json_text("\xf4\x8f\xbf\xbf") == "\xf4\x8f\xbf\xbf");
  CHECK(json_text("").empty());
}

TEST_CASE("a terminal is given nothing that it would obey") {
  CHECK(terminal_text("plain ä € 😀 \\") == "plain ä € 😀 \\");
  CHECK(terminal_text("\x1b[2J") == "\\x1b[2J");
  CHECK(terminal_text("a\nb\tc\r") == "a\\nb\\tc\\x0d");
  CHECK(terminal_text("a\nb\tc\r", Lines::many) == "a\nb\tc\\x0d");
  CHECK(terminal_text("\x7f\x07") == "\\x7f\\x07");
  CHECK(terminal_text("\xc2\x9b" "31m\xc2\xa0") == "\\xc2\\x9b" "31m\xc2\xa0");  // CSI in one character
  CHECK(terminal_text("\x9b\xff") == "\\x9b\\xff");
  CHECK(terminal_text(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("times are written in UTC") {
  CHECK(time_text(0) == "1970-01-01 00:00:00");
  CHECK(time_text(1'714'979'289) == "2024-05-06 07:08:09");
  CHECK(time_text(-1) == "1969-12-31 23:59:59");
  CHECK(time_text(INT64_MAX) == "@9223372036854775807");
}

TEST_CASE("lengths of time are what people write") {
  CHECK(seconds_of("90s") == 90);
  CHECK(seconds_of("10m") == 600);
  CHECK(seconds_of("2h") == 7200);
  CHECK(seconds_of("7d") == 604'800);
  CHECK(seconds_of("0s") == 0);
  for (const char* text : {"", "s", "90", "90 s", "1h30m", "-1h", "+1h", "1w", "1.5h", "1000000001s", "99999999999999999999d"}) {
    INFO(text);
    CHECK_FALSE(seconds_of(text));
  }
}
