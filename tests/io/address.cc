// Addresses of sockets.
#include "vfs/io/address.h"

#include <catch2/catch.hpp>
#include <functional>

#include "cas/error.h"

namespace vfs::io::test {
namespace {

int code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code;
  }
  return 0;
}

}  // namespace

TEST_CASE("an address is what it was made of") {
  const Address four = Address::internet("127.0.0.1", 65535);
  CHECK(four.ip() == "127.0.0.1");
  CHECK(four.port() == 65535);
  CHECK(four.path() == "");
  CHECK(four.text() == "127.0.0.1:65535");
  const Address six = Address::internet("2001:db8::7", 80);
  CHECK(six.family() == AF_INET6);
  CHECK(six.text() == "[2001:db8::7]:80");
  CHECK(four == Address::internet("127.0.0.1", 65535));
  CHECK_FALSE(four == Address::internet("127.0.0.1", 65534));
  CHECK_FALSE(four == six);
  CHECK(Address() == Address());
  CHECK(Address().text() == "");
  for (const char* wrong : {"", "localhost", "127.0.0.1:80", "1.2.3", "256.1.1.1", ":::", "127.0.0.1 "}) {
    CHECK(code_of([&] { Address::internet(wrong, 1); }) == EINVAL);
  }
  CHECK(code_of([] { Address::internet(std::string("::1\0", 4), 1); }) == EINVAL);
}

TEST_CASE("the path of a socket has at most 107 bytes, and no NUL") {
  const std::string longest(107, 'p');
  CHECK(Address::unix_path(longest).path() == longest);
  CHECK(Address::unix_path(longest).text() == longest);
  CHECK(code_of([&] { Address::unix_path(longest + "p"); }) == ENAMETOOLONG);
  CHECK(code_of([] { Address::unix_path(""); }) == EINVAL);
  CHECK(code_of([] { Address::unix_path(std::string_view("a\0b", 3)); }) == EINVAL);
}

}  // namespace vfs::io::test
