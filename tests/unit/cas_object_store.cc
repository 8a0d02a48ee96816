#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "cas/error.h"
#include "cas/hash.h"
#include "cas/object_store.h"
#include "cas/parallel.h"
#include "tests/unit/cas_fixture.h"

namespace vfs::test {
namespace {

constexpr size_t kLarge = 3 * 1024 * 1024 + 17;  // streamed, not read whole

// Two different texts with one XXH3-128 digest. The hash multiplies the lower
// by the upper half of each 8 bytes, after an exclusive or with a known secret:
// where the lower half becomes 0, the upper counts only by its sum, so what
// one word has more another may have less.
std::string collider(bool second, size_t size) {
  std::string text(size, 'c');
  using std::string_view_literals::operator""sv;
  text.replace(0, 8, second ? "\xb8\xfe\x6c\x39\1\0\0\0"sv : "\xb8\xfe\x6c\x39\0\0\0\0"sv);
  text.replace(64, 8, second ? "\x7c\x01\x81\x2c\0\0\0\0"sv : "\x7c\x01\x81\x2c\1\0\0\0"sv);
  return text;
}

}  // namespace

TEST_CASE("a digest is the canonical XXH3-128, whole or in pieces") {
  const std::string text = "The quick brown fox";
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  char expected[33];
  snprintf(expected, sizeof(expected), "%016llx%016llx",
           static_cast<unsigned long long>(hash.high64), static_cast<unsigned long long>(hash.low64));
  const Digest digest = digest_of(text.data(), text.size());
  CHECK(digest_text(digest) == expected);
  // Of the empty input, as every implementation gives it.
  CHECK(digest_text(digest_of("", 0)) == "99aa06d3014798d86001c324468d497f");
  StreamingHash pieces;
  for (const char c : text) pieces.update(&c, 1);
  CHECK(pieces.digest() == digest);
}

TEST_CASE("what is put can be read, once on disk") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  const std::string large(kLarge, 'L');
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(1 << 20, 'm'),
                                   std::string((1 << 20) + 1, 'n'), large}) {
    const StoredObject stored = objects.put_bytes(bytes);
    CHECK(stored.added);
    CHECK(stored.size == bytes.size());
    CHECK(stored.digest == digest_of(bytes.data(), bytes.size()));
    CHECK(objects.contains(stored.digest));
    CHECK(objects.contains(stored.digest, bytes.size()));
    CHECK_FALSE(objects.contains(stored.digest, bytes.size() + 1));
    const ObjectDirectory directory(scratch.store());
    CHECK(directory.contains(stored.digest, bytes.size()));
    CHECK_FALSE(directory.contains(stored.digest, bytes.size() + 1));
    CHECK_FALSE(directory.contains(digest_of("none", 4), 4));
    CHECK(objects.read(stored.digest) == bytes);
    CHECK(objects.verify(stored.digest));
    CHECK_FALSE(objects.put_bytes(bytes).added);

    write_file(scratch / "source", bytes);
    const StoredObject again = objects.put_file(scratch / "source");
    CHECK_FALSE(again.added);
    CHECK(again.digest == stored.digest);
    CHECK(again.source.st_ino == status_of(scratch / "source").st_ino);
  }
  CHECK(count_files(scratch / "store/objects") == 5);
  CHECK(fs::is_empty(scratch / "store/tmp"));
}

TEST_CASE("an object lies where the format says, read-only and executable") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  const mode_t before = ::umask(077);
  const Digest digest = objects.put_bytes("#!/bin/sh\nexit 7\n").digest;
  ::umask(before);
  const std::string hex = digest_text(digest);
  CHECK(objects.path(digest) == scratch / ("store/objects/" + hex.substr(0, 2) + "/" + hex.substr(2)));
  CHECK(status_of(objects.path(digest)).st_mode == (S_IFREG | 0555));
  CHECK(status_of(objects.path(digest)).st_nlink == 1);
  CHECK(WEXITSTATUS(system(objects.path(digest).c_str())) == 7);
}

TEST_CASE("two files with one digest are never mixed") {
  for (const size_t size : {size_t{512}, kLarge}) {
    Scratch scratch;
    const ObjectStore objects(scratch.store());
    const std::string one = collider(false, size);
    const std::string other = collider(true, size);
    REQUIRE(one != other);
    REQUIRE(digest_of(one.data(), size) == digest_of(other.data(), size));
    const Digest digest = objects.put_bytes(one).digest;
    write_file(scratch / "other", other);
    CHECK_THROWS_WITH(objects.put_file(scratch / "other"), Catch::Contains("two files"));
    CHECK_THROWS_WITH(objects.put_bytes(other), Catch::Contains("two files"));
    CHECK(objects.read(digest) == one);
    CHECK(fs::is_empty(scratch / "store/tmp"));
  }
}

TEST_CASE("damage is noticed, and mended by the next put of the same bytes") {
  for (const size_t size : {size_t{0}, size_t{100}, kLarge}) {
    Scratch scratch;
    const ObjectStore objects(scratch.store());
    const std::string bytes(size, 'b');
    const Digest digest = objects.put_bytes(bytes).digest;
    fs::remove(objects.path(digest));
    write_file(objects.path(digest), "planted: not what the name says");
    CHECK_FALSE(objects.verify(digest));
    write_file(scratch / "source", bytes);
    const StoredObject mended = objects.put_file(scratch / "source");
    CHECK(mended.added);
    CHECK(mended.digest == digest);
    CHECK(objects.read(digest) == bytes);
    CHECK(objects.verify(digest));
  }
}

TEST_CASE("a missing object is an error that names it") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  const Digest digest = digest_of("nobody", 6);
  CHECK_FALSE(objects.contains(digest));
  CHECK_FALSE(objects.verify(digest));
  CHECK_THROWS_WITH(objects.open(digest), Catch::Contains(digest_text(digest)));
  CHECK_THROWS_AS(objects.read(digest), Error);
  CHECK(objects.remove(digest) == 0);
}

TEST_CASE("only regular files are put, and links are not followed") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  write_file(scratch / "file", "x");
  fs::create_symlink("file", scratch / "link");
  REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  CHECK_THROWS_AS(objects.put_file(scratch / "link"), Error);
  CHECK_THROWS_AS(objects.put_file(scratch / "fifo"), Error);  // and does not wait for a writer
  CHECK_THROWS_AS(objects.put_file(scratch.path()), Error);
  CHECK_THROWS_AS(objects.put_file(scratch / "missing"), Error);
}

TEST_CASE("put reads from the start, wherever the descriptor stands") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  write_file(scratch / "file", "0123456789");
  const Descriptor fd(::open((scratch / "file").c_str(), O_RDONLY | O_CLOEXEC));
  ::lseek(fd.get(), 7, SEEK_SET);
  CHECK(objects.read(objects.put(fd.get(), "file").digest) == "0123456789");
}

TEST_CASE("a source that gives more bytes than its size is refused") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  // Regular, and says that it is empty.
  CHECK_THROWS_WITH(objects.put_file("/proc/self/status"), Catch::Contains("changes while"));
}

TEST_CASE("a source that is written to is refused, or stored whole") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  write_file(scratch / "busy", std::string(kLarge, 'a'));
  std::atomic<bool> stop = false;
  std::jthread writer([&] {
    const Descriptor fd(::open((scratch / "busy").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    while (!stop && ::write(fd.get(), "b", 1) == 1) ::usleep(100);
  });
  for (int i = 0; i < 5; ++i) {
    try {
      const StoredObject stored = objects.put_file(scratch / "busy");
      CHECK(objects.read(stored.digest).size() == stored.size);
      CHECK(static_cast<uint64_t>(stored.source.st_size) == stored.size);
      CHECK(objects.verify(stored.digest));
    } catch (const Error& error) {
      CHECK_THAT(error.why, Catch::Contains("changes while"));
    }
  }
  stop = true;
}

TEST_CASE("many threads put the same and different bytes") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  std::atomic<int> added = 0;
  in_parallel(5000, [&](size_t i) {
    if (objects.put_bytes("text " + std::to_string(i % 100)).added) ++added;
  });
  CHECK(added == 100);
  CHECK(count_files(scratch / "store/objects") == 100);
  CHECK(fs::is_empty(scratch / "store/tmp"));
}

TEST_CASE("every object is visited, and what was removed is gone") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  std::map<std::string, uint64_t> expected;
  for (int i = 0; i < 300; ++i) {
    const std::string bytes(static_cast<size_t>(i), 'v');
    expected[digest_text(objects.put_bytes(bytes).digest)] = bytes.size();
  }
  write_file(scratch / "store/objects/stray", "not an object");
  std::map<std::string, uint64_t> seen;
  objects.for_each([&](const Digest& d, uint64_t size) { seen[digest_text(d)] = size; });
  CHECK(seen == expected);

  const std::string gone(299, 'v');
  const Digest digest = digest_of(gone.data(), gone.size());
  const Descriptor open = objects.open(digest);
  CHECK(objects.remove(digest) == 299);
  CHECK_FALSE(objects.contains(digest));
  char byte;
  CHECK(::read(open.get(), &byte, 1) == 1);  // whoever has it open keeps it
}

TEST_CASE("the digest of a file is that of its bytes, however large it is") {
  Scratch scratch;
  const std::string path = (scratch / "file").string();
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, kCachedPiece - 1, kCachedPiece,
                            kCachedPiece + 1, size_t{3 << 20}}) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; i += 97) bytes[i] = static_cast<char>(i >> 8);
    const Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    write_all(fd.get(), bytes, path);
    ::lseek(fd.get(), 0, SEEK_SET);
    CHECK(digest_of_file(fd.get(), path) == digest_of(bytes.data(), size));
    // One that cannot be read says so.
    const Descriptor unreadable(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    CHECK_THROWS_AS(digest_of_file(unreadable.get(), path), Error);
  }
}

TEST_CASE("a large file with holes is stored byte for byte, holes included") {
  Scratch scratch;
  const ObjectStore objects(scratch.store());
  const std::string path = (scratch / "sparse").string();
  std::string bytes(9 << 20, '\0');
  const Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  for (const auto& [at, size] : {std::pair{0, 5000}, std::pair{1 << 20, (3 << 20) + 77}, std::pair{8 << 20, 1}}) {
    for (int i = at; i < at + size; ++i) bytes[static_cast<size_t>(i)] = static_cast<char>(1 + i % 251);
    REQUIRE(::pwrite(fd.get(), bytes.data() + at, static_cast<size_t>(size), at) == size);
  }
  REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(bytes.size())) == 0);
  const StoredObject stored = objects.put(fd.get(), path);
  CHECK(stored.digest == digest_of(bytes.data(), bytes.size()));
  CHECK((objects.read(stored.digest) == bytes));
  CHECK(status_of(objects.path(stored.digest)).st_blocks * 512 < 5 << 20);
}

TEST_CASE("work in parallel does every item once and passes on a failure") {
  std::vector<std::atomic<int>> done(10'000);
  in_parallel(done.size(), [&](size_t i) { ++done[i]; });
  for (const auto& count : done) REQUIRE(count == 1);
  in_parallel(0, [](size_t) { FAIL("there is nothing to do"); });
  CHECK_THROWS_WITH(in_parallel(100, [](size_t i) {
                      if (i == 50) throw Error("item", "fifty");
                    }),
                    "item: fifty");
}

}  // namespace vfs::test
