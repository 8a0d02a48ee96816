// Planted errors, hidden from an ordinary run: a sanitizer that is there finds them.
#include "tests/runtime/fixture.h"

TEST_CASE("planted: what was read is not released", "[.][detected memory leaks]") {
  char* volatile text = rt_file_read_text("/proc/version", nullptr);
  REQUIRE(text != nullptr);
  text = nullptr;
}

TEST_CASE("planted: it is released twice", "[.][attempting double-free]") {
  char* text = rt_file_read_text("/proc/version", nullptr);
  REQUIRE(text != nullptr);
  rt_free(text);
  rt_free(text);
}
