// Planted errors, hidden from an ordinary run: a sanitizer that is there finds them.
#include <limits.h>

#include <catch2/catch.hpp>
#include <memory>
#include <thread>

TEST_CASE("planted: a byte behind a buffer", "[.][heap-buffer-overflow]") {
  const auto bytes = std::make_unique<char[]>(16);
  volatile size_t end = 16;
  bytes[end] = 1;
}

TEST_CASE("planted: a number that is too large", "[.][signed integer overflow]") {
  volatile int number = INT_MAX;
  number = number + 1;
}

TEST_CASE("planted: two threads and one counter", "[.][data race]") {
  volatile int counter = 0;
  std::thread other([&] { counter = counter + 1; });
  counter = counter + 1;
  other.join();
}
