// PathBuffer, path hashes, the change filter.
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "vfs/core/control.h"
#include "vfs/core/path_buffer.h"
#include "vfs/core/path_hash.h"

using namespace vfs;

namespace {

std::string text_of(const PathBuffer& path) {
  REQUIRE(strlen(path.text) == path.length);
  return path.text;
}

uint64_t hash_of(const std::string& path) {
  return path_hash(path.data(), static_cast<uint32_t>(path.size()));
}

}  // namespace

TEST_CASE("a path is built and taken apart by components") {
  PathBuffer path;
  CHECK(text_of(path).empty());
  CHECK(path.push("a", 1));
  CHECK(text_of(path) == "a");
  CHECK(path.push("bc", 2));
  CHECK(path.push("d", 1));
  CHECK(text_of(path) == "a/bc/d");
  CHECK(std::string(path.name()) == "d");
  path.pop();
  CHECK(text_of(path) == "a/bc");
  CHECK(std::string(path.name()) == "bc");
  path.pop();
  path.pop();
  CHECK(text_of(path).empty());
  CHECK(std::string(path.name()).empty());
  path.pop();
  CHECK(text_of(path).empty());
}

TEST_CASE("a path that does not fit is refused and stays as it was") {
  PathBuffer path;
  const std::string longest(PATH_MAX - 1, 'x');
  CHECK(path.assign(longest.c_str()));
  CHECK(path.length == PATH_MAX - 1);
  CHECK_FALSE(path.append_character('y'));
  CHECK_FALSE(path.append("yy"));
  CHECK_FALSE(path.push("y", 1));
  CHECK(text_of(path) == longest);
  CHECK_FALSE(path.assign((longest + "x").c_str()));
  CHECK(text_of(path) == longest);

  // One byte left: the slash would fit, the name would not.
  path.assign(longest.c_str(), longest.size() - 1);
  CHECK_FALSE(path.push("y", 1));
  CHECK(path.length == PATH_MAX - 2);
  CHECK(text_of(path) == longest.substr(1));
}

TEST_CASE("a path may be assigned from its own text") {
  PathBuffer path;
  path.assign("abc/def");
  CHECK(path.assign(path.text + 4, 3));
  CHECK(text_of(path) == "def");
}

TEST_CASE("the hash of a path is the chain of its components") {
  CHECK(hash_of("") == kRootPathHash);
  uint64_t hash = kRootPathHash;
  hash = path_hash_append(hash, "usr", 3);
  CHECK(hash_of("usr") == hash);
  hash = path_hash_append(hash, "a-name-longer-than-eight", 24);
  CHECK(hash_of("usr/a-name-longer-than-eight") == hash);
}

TEST_CASE("hashes tell paths apart") {
  std::set<uint64_t> hashes;
  size_t count = 0;
  for (const char* path : {"", "a", "b", "ab", "ba", "a/b", "b/a", "a/b/c", "ab/c", "a/bc"}) {
    hashes.insert(hash_of(path));
    ++count;
  }
  for (int i = 0; i < 20'000; ++i) {
    hashes.insert(hash_of("dir" + std::to_string(i % 100) + "/file" + std::to_string(i)));
    ++count;
  }
  // NUL bytes pad the last word of a name: the length must still count.
  hashes.insert(hash_of(std::string("a\0", 2)));
  ++count;
  CHECK(hashes.size() == count);
}

TEST_CASE("the change filter never forgets and starts clear") {
  const auto filter = std::make_unique<ChangeFilter>();
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t hash = random();
    CHECK_FALSE((filter->may_have_changed_subtree(hash) && i == 0));
    filter->announce(hash);
    CHECK(filter->may_have_changed(hash));
  }
  random.seed(1);
  for (int i = 0; i < 1000; ++i) CHECK(filter->may_have_changed(random()));
}

TEST_CASE("the filter's bits of a path are its own") {
  const auto filter = std::make_unique<ChangeFilter>();
  const uint64_t hash = 0x0123456789abcdefull;
  filter->announce(hash);
  CHECK(filter->may_have_changed(hash));
  CHECK_FALSE(filter->may_have_changed_subtree(hash));
  CHECK_FALSE(filter->may_have_changed(hash + 1));
  const uint64_t directory = 0xfedcba9876543210ull;
  filter->announce_subtree(directory);
  CHECK(filter->may_have_changed(directory));
  CHECK(filter->may_have_changed_subtree(directory));

  // A filter with few entries says "clear" for nearly everything else.
  std::mt19937_64 random(2);
  int wrong = 0;
  for (int i = 0; i < 10'000; ++i) wrong += filter->may_have_changed(random());
  CHECK(wrong < 10);
}
