// Grants: the text of VFS_GRANTS, and what it lets.
#include <catch2/catch.hpp>
#include <cerrno>
#include <memory>
#include <random>
#include <string>

#include "vfs/core/grants.h"

using namespace vfs;

namespace {

int parse(Grants& grants, const std::string& text) {
  return grants.parse(text.data(), text.size());
}

Rights rights_of(const Grants& grants, const std::string& path) {
  return grants.rights_of(path.data(), path.size());
}

const Grant* find(const Grants& grants, const std::string& name) {
  return grants.find(name.data(), name.size());
}

std::string format(const Grants& grants) {
  std::string text(grants.format(nullptr, 0), '?');
  REQUIRE(grants.format(text.data(), text.size()) == text.size());
  return text;
}

int add(Grants& grants, const std::string& name, const std::string& path, Rights rights) {
  return grants.add(name.data(), name.size(), path.data(), path.size(), rights);
}

}  // namespace

TEST_CASE("grants are read from their text") {
  const auto grants = std::make_unique<Grants>();
  REQUIRE(
      parse(*grants,
            "workspace=rwx:/home/you/work\ntemporary=rw:/tmp/x\nsystem_1-a=rx:/usr\nnone=:/n") ==
      0);
  REQUIRE(grants->count() == 4);
  CHECK(std::string(grants->begin()->name.text) == kWorkspaceGrant);
  CHECK(std::string(grants->begin()->path.text) == "/home/you/work");
  CHECK(grants->begin()->rights == kAllRights);
  REQUIRE(find(*grants, "temporary") != nullptr);
  CHECK(find(*grants, "temporary")->rights == (kMayRead | kMayWrite));
  CHECK(find(*grants, "system_1-a")->rights == (kMayRead | kMayExecute));
  CHECK(find(*grants, "none")->rights == 0);
  CHECK(find(*grants, "temp") == nullptr);
  CHECK(find(*grants, "") == nullptr);
}

TEST_CASE("what a path may is the union of the grants that contain it") {
  const auto grants = std::make_unique<Grants>();
  REQUIRE(parse(*grants, "a=r:/a\nb=w:/a/b\nx=x:/a/b") == 0);
  CHECK(rights_of(*grants, "/a") == kMayRead);
  CHECK(rights_of(*grants, "/a/c") == kMayRead);
  CHECK(rights_of(*grants, "/a/b") == kAllRights);
  CHECK(rights_of(*grants, "/a/b/c/d") == kAllRights);
  CHECK(rights_of(*grants, "/a/bc") == kMayRead);  // by component, not by letter
  CHECK(rights_of(*grants, "/ab") == 0);
  CHECK(rights_of(*grants, "/") == 0);
  CHECK(rights_of(*grants, "") == 0);
}

TEST_CASE("a grant of the root contains everything") {
  const auto grants = std::make_unique<Grants>();
  REQUIRE(parse(*grants, "all=r:/") == 0);
  CHECK(rights_of(*grants, "/") == kMayRead);
  CHECK(rights_of(*grants, "/etc/passwd") == kMayRead);
  CHECK(rights_of(*grants, "relative") == 0);
}

TEST_CASE("an empty text grants nothing") {
  const auto grants = std::make_unique<Grants>();
  REQUIRE(parse(*grants, "a=r:/a") == 0);
  REQUIRE(grants->parse(nullptr, 0) == 0);
  CHECK(grants->count() == 0);
  CHECK(rights_of(*grants, "/a") == 0);
}

TEST_CASE("newlines and backslashes in a path survive the text") {
  const auto grants = std::make_unique<Grants>();
  REQUIRE(parse(*grants, "a=r:/x\\ny\\\\n\nb=w:/=:rw") == 0);
  CHECK(std::string(find(*grants, "a")->path.text) == "/x\ny\\n");
  CHECK(std::string(find(*grants, "b")->path.text) == "/=:rw");
  CHECK(format(*grants) == "a=r:/x\\ny\\\\n\nb=w:/=:rw");
}

TEST_CASE("a malformed text grants nothing at all") {
  const auto grants = std::make_unique<Grants>();
  const std::string long_name(Grants::kNameLength + 1, 'n');
  for (const std::string& bad : {std::string("a"),
                                 std::string("=r:/a"),
                                 std::string("a=r"),
                                 std::string("a=r:"),
                                 std::string("a=r:a"),
                                 std::string("a=wr:/a"),
                                 std::string("a=rr:/a"),
                                 std::string("a=R:/a"),
                                 std::string("a=rwx/a"),
                                 std::string("a=r:/a/"),
                                 std::string("a=r://a"),
                                 std::string("a=r:/a//b"),
                                 std::string("a=r:/."),
                                 std::string("a=r:/a/./b"),
                                 std::string("a=r:/.."),
                                 std::string("a=r:/a/.."),
                                 std::string("a=r:/a\\"),
                                 std::string("a=r:/a\\b"),
                                 std::string("a b=r:/a"),
                                 std::string("a/b=r:/a"),
                                 std::string("\xc3\xa4=r:/a"),
                                 std::string("a=r:/a\n"),
                                 std::string("\na=r:/a"),
                                 std::string("a=r:/a\n\nb=r:/b"),
                                 std::string("\n"),
                                 std::string("a=r:/a\na=w:/b"),
                                 long_name + "=r:/a",
                                 std::string("a=r:/a\0b", 8),
                                 std::string("\0=r:/a", 6)}) {
    INFO(bad);
    CHECK(parse(*grants, "good=r:/good\n" + bad) == -EINVAL);
    CHECK(grants->count() == 0);
    CHECK(rights_of(*grants, "/good") == 0);
    CHECK(parse(*grants, bad) == -EINVAL);
  }
  // Names that begin with dots are names.
  CHECK(parse(*grants, "a=r:/.a/..b/...") == 0);
  CHECK(parse(*grants, long_name.substr(1) + "=r:/a") == 0);
}

TEST_CASE("what does not fit is refused") {
  const auto grants = std::make_unique<Grants>();
  for (uint32_t i = 0; i < Grants::kCapacity; ++i)
    REQUIRE(add(*grants, "n" + std::to_string(i), "/a", kMayRead) == 0);
  CHECK(add(*grants, "more", "/a", kMayRead) == -E2BIG);
  CHECK(grants->count() == Grants::kCapacity);

  REQUIRE(grants->parse("", 0) == 0);
  const std::string longest = "/" + std::string(PATH_MAX - 2, 'x');
  CHECK(add(*grants, "longest", longest, kMayRead) == 0);
  CHECK(add(*grants, "longer", longest + "x", kMayRead) == -ENAMETOOLONG);
  CHECK(parse(*grants, "a=r:" + longest + "x") == -ENAMETOOLONG);
  CHECK(grants->count() == 0);
  int result = 0;
  int count = 0;
  while (result == 0 && count < 64) {
    result = add(*grants, "n" + std::to_string(count), longest, kMayRead);
    count += result == 0;
  }
  CHECK(result == -E2BIG);
  CHECK(count >= 7);
  CHECK(grants->count() == static_cast<uint32_t>(count));
  CHECK(add(*grants, "short", "/s", kMayWrite) == 0);  // there is still room for this one
}

TEST_CASE("rights that do not exist and names that come twice are not added") {
  const auto grants = std::make_unique<Grants>();
  CHECK(add(*grants, "a", "/a", 8) == -EINVAL);
  CHECK(add(*grants, "a", "/a", kMayRead) == 0);
  CHECK(add(*grants, "a", "/b", kMayWrite) == -EINVAL);
  CHECK(grants->count() == 1);
  CHECK(std::string(find(*grants, "a")->path.text) == "/a");
}

TEST_CASE("grants of zero bytes are grants of nothing") {
  alignas(Grants) static unsigned char zeros[sizeof(Grants)];
  auto* grants = reinterpret_cast<Grants*>(zeros);
  CHECK(grants->count() == 0);
  CHECK(parse(*grants, "a=rw:/a") == 0);
  CHECK(rights_of(*grants, "/a/b") == (kMayRead | kMayWrite));
}

TEST_CASE("any grants come back from their text") {
  std::mt19937 random(7);
  const auto grants = std::make_unique<Grants>();
  const auto again = std::make_unique<Grants>();
  const std::string letters = "ab\\n\n:=.";
  for (int round = 0; round < 300; ++round) {
    REQUIRE(grants->parse("", 0) == 0);
    for (unsigned i = random() % 8; i > 0; --i) {
      std::string path;
      for (unsigned part = random() % 4 + 1; part > 0; --part) {
        path += "/x";
        for (unsigned length = random() % 6; length > 0; --length)
          path += letters[random() % letters.size()];
      }
      REQUIRE(add(*grants, "n" + std::to_string(i), path, static_cast<Rights>(random() % 8)) == 0);
    }
    const std::string text = format(*grants);
    INFO(text);
    REQUIRE(parse(*again, text) == 0);
    REQUIRE(again->count() == grants->count());
    for (uint32_t i = 0; i < grants->count(); ++i) {
      const Grant& one = grants->begin()[i];
      const Grant& other = again->begin()[i];
      CHECK(std::string(one.name.text) == other.name.text);
      CHECK(std::string(one.path.text) == other.path.text);
      CHECK(one.rights == other.rights);
    }
  }
}
