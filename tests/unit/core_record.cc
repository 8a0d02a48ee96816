// Records: the link targets in which upper keeps state without content.
#include "vfs/core/record.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>

using namespace vfs;

namespace {

Record parse(const std::string& target) {
  Record record;
  parse_record(target.c_str(), static_cast<uint32_t>(target.size()), record);
  return record;
}

std::string with_prefix(const std::string& rest) { return kRecordPrefix + rest; }

ObjectRecord sample() {
  ObjectRecord object = {};
  for (size_t i = 0; i < Digest::kSize; ++i) object.digest.bytes[i] = static_cast<uint8_t>(i * 17);
  object.size = 0x123456789abcull;
  object.inode = (1ull << 62) | 12345;
  object.mode = S_IFREG | 04755;
  object.uid = 1000;
  object.gid = 0xfffffffe;
  object.atime = {1'700'000'000, 999'999'999};
  object.mtime = {-5, 1};
  return object;
}

void check_equal(const ObjectRecord& a, const ObjectRecord& b) {
  CHECK(memcmp(a.digest.bytes, b.digest.bytes, Digest::kSize) == 0);
  CHECK(a.size == b.size);
  CHECK(a.inode == b.inode);
  CHECK(a.mode == b.mode);
  CHECK(a.uid == b.uid);
  CHECK(a.gid == b.gid);
  CHECK(a.atime.tv_sec == b.atime.tv_sec);
  CHECK(a.atime.tv_nsec == b.atime.tv_nsec);
  CHECK(a.mtime.tv_sec == b.mtime.tv_sec);
  CHECK(a.mtime.tv_nsec == b.mtime.tv_nsec);
}

}  // namespace

TEST_CASE("an object record comes back as it was written") {
  PathBuffer text;
  REQUIRE(format_object_record(sample(), text));
  const std::string target = text.text;
  const Record record = parse(target);
  REQUIRE(record.kind == RecordKind::object);
  CHECK_FALSE(record.damaged);
  check_equal(record.object, sample());
}

TEST_CASE("object records of extreme values") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 500; ++i) {
    ObjectRecord object = {};
    for (uint8_t& byte : object.digest.bytes) byte = static_cast<uint8_t>(random());
    object.size = random() >> (1 + random() % 63);
    object.inode = random();
    object.mode = S_IFREG | static_cast<mode_t>(random() & 07777);
    object.uid = static_cast<uid_t>(random());
    object.gid = static_cast<gid_t>(random());
    object.atime = {static_cast<time_t>(random()), static_cast<long>(random() % 1'000'000'000)};
    object.mtime = {static_cast<time_t>(random()), static_cast<long>(random() % 1'000'000'000)};
    PathBuffer text;
    REQUIRE(format_object_record(object, text));
    const Record record = parse(text.text);
    REQUIRE(record.kind == RecordKind::object);
    check_equal(record.object, object);
  }
}

TEST_CASE("whiteout, opaque and redirect records come back") {
  PathBuffer text;
  REQUIRE(format_whiteout_record(text));
  CHECK(parse(text.text).kind == RecordKind::whiteout);
  CHECK_FALSE(parse(text.text).damaged);

  REQUIRE(format_opaque_record(0xabcdef, text));
  CHECK(parse(text.text).kind == RecordKind::opaque);
  CHECK_FALSE(parse(text.text).damaged);
  CHECK(parse(text.text).generation == 0xabcdef);

  for (const char* path : {"a", "dir/with space/x", "", " leading", "\x01vfs1:w"}) {
    REQUIRE(format_redirect_record(7, path, text));
    const std::string target = text.text;
    const Record record = parse(target);
    REQUIRE(record.kind == RecordKind::redirect);
    CHECK_FALSE(record.damaged);
    CHECK(record.generation == 7);
    CHECK(std::string(record.payload) == path);
  }
}

TEST_CASE("an ordinary link target is no record and is stored as it is") {
  for (const char* target : {"file", "/abs/olute", "\x01", "\x01vfs", "\x01vfs1", "vfs1:w",
                             "\x01vfs2:w", " \x01vfs1:w", "\x01vfs1:"}) {
    INFO(target);
    CHECK(parse(target).kind == RecordKind::none);
  }
  PathBuffer stored;
  REQUIRE(format_link_target("plain/target", stored));
  CHECK(std::string(stored.text) == "plain/target");
}

TEST_CASE("a program's link that looks like a record is escaped and comes back") {
  PathBuffer object;
  format_object_record(sample(), object);
  for (const std::string& target :
       {with_prefix(""), with_prefix("w"), with_prefix("lw"), with_prefix("nonsense"),
        with_prefix("q 1"), std::string(object.text), with_prefix("l" + with_prefix("w"))}) {
    INFO(target);
    PathBuffer stored;
    REQUIRE(format_link_target(target.c_str(), stored));
    const std::string text = stored.text;
    const Record record = parse(text);
    REQUIRE(record.kind == RecordKind::link);
    CHECK(std::string(record.payload) == target);
  }
}

TEST_CASE("a link from the base tells the identity it keeps") {
  for (const std::string& target : {std::string("file"), with_prefix("w"), std::string(" 1 2 x")}) {
    INFO(target);
    PathBuffer stored;
    REQUIRE(format_kept_link_target(target.c_str(), (1ull << 62) | 77, 0xfe00, stored));
    const std::string text = stored.text;
    const Record record = parse(text);
    REQUIRE(record.kind == RecordKind::link);
    CHECK(record.inode == ((1ull << 62) | 77));
    CHECK(record.device == 0xfe00);
    CHECK(std::string(record.payload) == target);
  }
  PathBuffer stored;
  CHECK_FALSE(format_kept_link_target(std::string(PATH_MAX - 12, 'x').c_str(), 1, 1, stored));
  CHECK(parse(with_prefix("k 1 zz x")).damaged);
}

TEST_CASE("a link target that no longer fits once escaped is refused") {
  PathBuffer stored;
  const std::string fits(PATH_MAX - 1, 'x');
  CHECK(format_link_target(fits.c_str(), stored));
  const std::string escaped = with_prefix(std::string(PATH_MAX - 1 - kRecordPrefixLength, 'x'));
  CHECK_FALSE(format_link_target(escaped.c_str(), stored));
  const std::string redirect(PATH_MAX - 5, 'x');
  CHECK_FALSE(format_redirect_record(1, redirect.c_str(), stored));
}

TEST_CASE("a damaged record hides the path instead of letting the base through") {
  PathBuffer object;
  format_object_record(sample(), object);
  const std::string good = object.text;
  std::vector<std::string> damaged = {
      with_prefix("z"),       with_prefix("o"),     with_prefix("o 1"), with_prefix("r"),
      with_prefix("r 1"),     with_prefix("r path"), with_prefix("r1 x"), good + " ",
      good + " 1",            good + "x",
      with_prefix("r 11111111111111111 x"),  // more than 64 bits
  };
  for (size_t length = kRecordPrefixLength + 1; length < good.size(); ++length) {
    // Cut inside the last number, it is a shorter number: still a record.
    if (length > good.rfind(' ') + 1) break;
    damaged.push_back(good.substr(0, length));
  }
  for (const std::string& target : damaged) {
    INFO(target);
    const Record record = parse(target);
    CHECK(record.kind == RecordKind::whiteout);
    CHECK(record.damaged);
  }
  CHECK(parse(with_prefix("q")).damaged);
  CHECK(parse(with_prefix("q x")).damaged);
  CHECK(parse(with_prefix("qx")).damaged);
}

TEST_CASE("nanoseconds beyond a second are damage") {
  PathBuffer text;
  ObjectRecord object = sample();
  object.mtime.tv_nsec = 1'000'000'000;
  REQUIRE(format_object_record(object, text));
  CHECK(parse(text.text).damaged);
}

TEST_CASE("any text behind the prefix is parsed without harm") {
  std::mt19937_64 random(4);
  PathBuffer object;
  format_object_record(sample(), object);
  for (int i = 0; i < 20'000; ++i) {
    std::string target = object.text;
    for (uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
      char byte = static_cast<char>(1 + random() % 255);
      target[random() % target.size()] = byte;
    }
    target.resize(1 + random() % target.size());
    target.shrink_to_fit();
    const Record record = parse(target);
    const bool has_prefix = target.size() > kRecordPrefixLength &&
                            target.compare(0, kRecordPrefixLength, kRecordPrefix) == 0;
    CHECK((record.kind != RecordKind::none) == has_prefix);
    if (record.payload != nullptr && record.kind == RecordKind::link) {
      CHECK(strlen(record.payload) < target.size());
    }
  }
}
