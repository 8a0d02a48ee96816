#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "cas/error.h"
#include "manifest/index_writer.h"
#include "manifest/ingest.h"
#include "manifest/seen_files.h"
#include "tests/unit/cas_fixture.h"
#include "vfs/command/equal_snapshot.h"

namespace vfs::test {
namespace {

struct Stored {
  Scratch scratch;
  Store store = scratch.store();
  ObjectStore objects{store};
  Manifest manifest{store};
  fs::path tree = scratch / "tree";
  std::map<std::string, std::string> skipped;
  IngestProgress progress;

  Stored() { fs::create_directory(tree); }

  Snapshot ingest() {
    IngestOptions options;
    options.message = "test";
    options.skipped = [this](const std::string& path, const std::string& why) {
      skipped[path] = why;
    };
    options.progress = [this](const IngestProgress& now) { progress = now; };
    return vfs::ingest(store, manifest, tree, options);
  }
  std::string content(const Snapshot& snapshot, const std::string& path) {
    return objects.read(manifest.find(snapshot, path)->digest);
  }
};

}  // namespace

TEST_CASE("a directory is stored as it is") {
  Stored s;
  fs::create_directories(s.tree / "a/b/c");
  fs::create_directory(s.tree / "empty");
  write_file(s.tree / "a/b/c/deep", "deep content");
  write_file(s.tree / "nothing", "");
  write_file(s.tree / "two\nlines", "n");
  write_file(s.tree / std::string(255, 'w'), "w");
  fs::create_symlink("nowhere at all", s.tree / "dangling");
  fs::create_directory_symlink("a", s.tree / "to-a");
  REQUIRE(::mkfifo((s.tree / "fifo").c_str(), 0600) == 0);
  ::chmod((s.tree / "nothing").c_str(), 04751);
  set_mtime(s.tree / "nothing", 1'234'567'890, 987'654'321);
  set_mtime(s.tree / "dangling", 99, 1);
  set_mtime(s.tree / "empty", -1, 5);
  ::chmod(s.tree.c_str(), 0750);

  const Snapshot snapshot = s.ingest();
  CHECK(snapshot.files == 4);
  CHECK(snapshot.bytes == 12 + 1 + 1);
  CHECK(snapshot.root == metadata_of(status_of(s.tree)));
  CHECK(s.content(snapshot, "a/b/c/deep") == "deep content");
  CHECK(s.content(snapshot, "nothing").empty());
  CHECK(s.content(snapshot, "two\nlines") == "n");
  CHECK(s.content(snapshot, std::string(255, 'w')) == "w");
  CHECK(s.manifest.find(snapshot, "dangling")->target == "nowhere at all");
  CHECK(s.manifest.find(snapshot, "to-a")->target == "a");
  CHECK_FALSE(s.manifest.find(snapshot, "to-a/b"));
  for (const char* path : {"nothing", "dangling", "empty", "fifo", "a/b"}) {
    CHECK(s.manifest.find(snapshot, path)->metadata == metadata_of(status_of(s.tree / path)));
  }
  CHECK(s.skipped.empty());
  CHECK(s.progress.files_done == 4);
  CHECK(s.progress.files_total == 4);
  CHECK(s.manifest.check().empty());
}

TEST_CASE("an empty directory can be ingested; a file or nothing cannot") {
  Stored s;
  CHECK(s.ingest().files == 0);
  s.tree = s.scratch / "nothing here";
  CHECK_THROWS_WITH(s.ingest(), Catch::Contains("nothing here"));
  write_file(s.tree, "file");
  CHECK_THROWS_AS(s.ingest(), Error);
}

TEST_CASE("the marker, the store and sockets are left out") {
  Stored s;
  s.tree = s.scratch.path();  // the store lies inside
  write_file(s.scratch / ".vfs", "marker");
  fs::create_directory(s.scratch / "sub");
  write_file(s.scratch / "sub/.vfs", "not at the top: an ordinary file");
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string at = (s.scratch / "sub/socket").string();
  REQUIRE(at.size() < sizeof(address.sun_path));
  memcpy(address.sun_path, at.c_str(), at.size() + 1);
  REQUIRE(::bind(socket, reinterpret_cast<struct sockaddr*>(&address), sizeof(address)) == 0);
  ::close(socket);
  const Snapshot snapshot = s.ingest();
  CHECK_FALSE(s.manifest.find(snapshot, ".vfs"));
  CHECK_FALSE(s.manifest.find(snapshot, "store"));
  CHECK_FALSE(s.manifest.find(snapshot, "sub/socket"));
  CHECK(s.manifest.find(snapshot, "sub/.vfs"));
  CHECK(s.skipped.size() == 2);
  CHECK(s.skipped.contains("store"));
  CHECK(s.skipped.contains("sub/socket"));
}

TEST_CASE("5000 files of one content are one object") {
  Stored s;
  for (int i = 0; i < 5000; ++i) write_file(s.tree / ("copy" + std::to_string(i)), "all the same");
  const Snapshot snapshot = s.ingest();
  CHECK(snapshot.files == 5000);
  CHECK(snapshot.bytes == 5000 * 12);
  CHECK(count_files(s.store.objects()) == 1);
  CHECK(fs::is_empty(s.store.temporary()));
}

TEST_CASE("hard links keep their identity") {
  Stored s;
  fs::create_directory(s.tree / "z");
  write_file(s.tree / "z/one", "shared");
  fs::create_hard_link(s.tree / "z/one", s.tree / "b");
  fs::create_hard_link(s.tree / "z/one", s.tree / "a");
  write_file(s.tree / "single", "shared");
  write_file(s.scratch / "outside", "half");
  fs::create_hard_link(s.scratch / "outside", s.tree / "inside");
  const Snapshot snapshot = s.ingest();
  const uint64_t group = s.manifest.find(snapshot, "a")->link_group;
  CHECK(group != 0);
  CHECK(group >> 63 == 0);
  CHECK(group == link_group_of("a"));
  CHECK(s.manifest.find(snapshot, "b")->link_group == group);
  CHECK(s.manifest.find(snapshot, "z/one")->link_group == group);
  CHECK(s.manifest.find(snapshot, "single")->link_group == 0);
  CHECK(s.manifest.find(snapshot, "inside")->link_group == 0);
  CHECK(s.ingest().tree == snapshot.tree);
}

TEST_CASE("files that did not change are not read again; changed ones are") {
  Stored s;
  for (int i = 0; i < 20; ++i) write_file(s.tree / std::to_string(i), "content " + std::to_string(i));
  // Too young to be trusted: a change in the same instant would not show.
  s.ingest();
  CHECK_FALSE(s.manifest.seen_file(status_of(s.tree / "3")));
  ::usleep(2'100'000);
  const Snapshot first = s.ingest();
  CHECK(s.manifest.seen_file(status_of(s.tree / "3")) == digest_of("content 3", 9));

  // That a known file is not read shows by what the manifest is made to say.
  const Digest planted = s.objects.put_bytes("planted 7").digest;
  s.manifest.database()
      .prepare("UPDATE seen_file SET digest = ? WHERE inode = ?")
      .bind(1, planted)
      .bind(2, static_cast<int64_t>(status_of(s.tree / "7").st_ino))
      .run();
  CHECK(s.content(s.ingest(), "7") == "planted 7");
  s.manifest.forget_file(planted);
  CHECK(s.content(s.ingest(), "7") == "content 7");

  // A change that keeps size and mtime still changes ctime.
  const struct stat before = status_of(s.tree / "5");
  write_file(s.tree / "5", "CONTENT 5");
  set_mtime(s.tree / "5", before.st_mtim.tv_sec, before.st_mtim.tv_nsec);
  const Snapshot second = s.ingest();
  CHECK(s.content(second, "5") == "CONTENT 5");
  CHECK(s.content(first, "5") == "content 5");
  CHECK(s.content(second, "6") == "content 6");

  // An object that got lost, or lost its end, is stored again.
  const fs::path object = s.objects.path(digest_of("content 6", 9));
  fs::remove(object);
  s.ingest();
  CHECK(read_file(object) == "content 6");
  fs::remove(object);
  write_file(object, "");
  s.ingest();
  CHECK(read_file(object) == "content 6");
}

TEST_CASE("a file changed long ago is remembered only as of when it was looked at") {
  Stored s;
  FileStamp stamp;
  stamp.inode = 1;
  stamp.mtime_ns = stamp.ctime_ns = 1'000'000'000'000;
  const Digest digest = digest_of("x", 1);
  s.manifest.remember_file(stamp, digest, stamp.mtime_ns + 1'000'000'000);
  CHECK_FALSE(s.manifest.seen_file(stamp));
  stamp.ctime_ns += 5'000'000'000;
  s.manifest.remember_file(stamp, digest, stamp.mtime_ns + 3'000'000'000);
  CHECK_FALSE(s.manifest.seen_file(stamp));
  s.manifest.remember_file(stamp, digest, stamp.ctime_ns + 2'000'000'000);
  CHECK(s.manifest.seen_file(stamp) == digest);
  for (uint64_t FileStamp::*field : {&FileStamp::device, &FileStamp::inode, &FileStamp::size}) {
    FileStamp other = stamp;
    ++(other.*field);
    CHECK_FALSE(s.manifest.seen_file(other));
  }
}

TEST_CASE("what cannot be read is an error that names it") {
  Stored s;
  fs::create_directory(s.tree / "sub");
  write_file(s.tree / "sub/secret", "x");
  ::chmod((s.tree / "sub/secret").c_str(), 0);
  if (::geteuid() == 0) {
    // Root reads everything; as somebody else who owns the store.
    for (const auto& entry : fs::recursive_directory_iterator(s.scratch.path())) {
      if (entry.path().filename() != "secret") {
        REQUIRE(::chown(entry.path().c_str(), 65534, 65534) == 0);
      }
    }
    REQUIRE(::chown(s.scratch.path().c_str(), 65534, 65534) == 0);
    REQUIRE(::seteuid(65534) == 0);
  }
  std::string what;
  try {
    s.ingest();
  } catch (const Error& error) {
    what = error.what_failed;
    CHECK(error.why == "Permission denied");
    CHECK_FALSE(error.hint.empty());
  }
  if (::getuid() == 0) REQUIRE(::seteuid(0) == 0);
  CHECK(what == (s.tree / "sub/secret").string());
  CHECK(s.manifest.all_snapshots().empty());
}

TEST_CASE("a very deep tree needs neither many descriptors nor short paths") {
  Stored s;
  constexpr int kDepth = 1500;
  const std::string name(20, 'd');  // 31,500 bytes of path
  int at = ::open(s.tree.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < kDepth; ++i) {
    REQUIRE(::mkdirat(at, name.c_str(), 0755) == 0);
    const int next = ::openat(at, name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    ::close(at);
    at = next;
  }
  const int file = ::openat(at, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  REQUIRE(::write(file, "deep", 4) == 4);
  ::close(file);
  ::close(at);
  const Snapshot snapshot = s.ingest();
  CHECK(snapshot.files == 1);
  std::string path;
  for (int i = 0; i < kDepth; ++i) path += name + "/";
  CHECK(s.content(snapshot, path + "bottom") == "deep");
  write_index(s.store, s.manifest, snapshot);
  CHECK(check_index(index_path(s.store, snapshot.id)).empty());
}

TEST_CASE("files that come and go during the walk do no harm") {
  Stored s;
  for (int i = 0; i < 50; ++i) write_file(s.tree / ("still" + std::to_string(i)), std::to_string(i));
  std::atomic<bool> stop = false;
  std::jthread churn([&] {
    for (int i = 0; !stop; ++i) {
      const fs::path directory = s.tree / ("dir" + std::to_string(i % 10));
      fs::create_directory(directory);
      for (int f = 0; f < 5; ++f) write_file(directory / std::to_string(f), "short-lived");
      std::error_code ignored;
      fs::remove_all(directory, ignored);
      fs::create_symlink("still1", directory, ignored);
      fs::remove(directory, ignored);
    }
  });
  for (int i = 0; i < 30; ++i) {
    try {
      const Snapshot snapshot = s.ingest();
      for (int f = 0; f < 50; ++f) {
        REQUIRE(s.content(snapshot, "still" + std::to_string(f)) == std::to_string(f));
      }
      write_index(s.store, s.manifest, snapshot);
      REQUIRE(check_index(index_path(s.store, snapshot.id)).empty());
    } catch (const Error& error) {
      REQUIRE_THAT(error.why, Catch::Contains("changes while"));
    }
  }
  stop = true;
}

TEST_CASE("files seen before are found in every order") {
  Stored s;
  const auto stamp_of = [](uint64_t device, uint64_t inode) {
    FileStamp stamp;
    stamp.device = device;
    stamp.inode = inode;
    stamp.size = inode * 3;
    stamp.mtime_ns = stamp.ctime_ns = 1'000'000'000;
    return stamp;
  };
  std::vector<FileStamp> known;
  for (uint64_t inode : {1, 2, 3, 5, 8, 100, 101, 5000, 1 << 30}) known.push_back(stamp_of(7, inode));
  for (uint64_t inode = 200; inode < 300; ++inode) known.push_back(stamp_of(7, inode));
  known.push_back(stamp_of(9, 4));
  for (const FileStamp& stamp : known) {
    s.manifest.remember_file(stamp, digest_of(&stamp, sizeof(stamp)), 10'000'000'000);
  }
  std::vector<FileStamp> asked = known;
  for (uint64_t inode : {0, 4, 9, 150, 299, 300, 6000, 2'000'000'000}) asked.push_back(stamp_of(7, inode));
  for (uint64_t inode : {3, 4, 5}) asked.push_back(stamp_of(8, inode));
  for (uint64_t inode : {3, 4, 5}) asked.push_back(stamp_of(9, inode));
  const auto by_inode = [](const FileStamp& a, const FileStamp& b) {
    return std::pair(a.device, a.inode) < std::pair(b.device, b.inode);
  };
  for (int round = 0; round < 40; ++round) {
    if (round == 0) std::sort(asked.begin(), asked.end(), by_inode);
    if (round == 1) std::reverse(asked.begin(), asked.end());
    if (round > 1) std::shuffle(asked.begin(), asked.end(), std::minstd_rand(round));
    SeenFiles seen(s.manifest);
    for (FileStamp stamp : asked) {
      CHECK(seen.find(stamp) == s.manifest.seen_file(stamp));
      ++stamp.size;
      CHECK_FALSE(seen.find(stamp));
    }
  }
}

TEST_CASE("a tree that is as the last snapshot of it is recognized") {
  Stored s;
  fs::create_directories(s.tree / "a/b");
  write_file(s.tree / "a/one", "content");
  write_file(s.tree / "a/b/two", "content");
  fs::create_hard_link(s.tree / "a/one", s.tree / "three");
  fs::create_hard_link(s.tree / "a/b/two", s.tree / "two");
  fs::create_symlink("a", s.tree / "link");
  set_mtime(s.tree / "a/one", 5, 6);
  set_mtime(s.tree / "a/b/two", 5, 6);
  const Snapshot snapshot = s.ingest();
  const auto equal = [&] {
    WalkedTree walked;
    const Descriptor top(::open(s.tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    walk(top.get(), {}, walked);
    for (const FoundFile& file : walked.files) {
      const std::string bytes = read_file(s.tree / walked.path(file));
      file.node->entry.digest = digest_of(bytes.data(), bytes.size());
    }
    return equal_snapshot(s.store, s.manifest, "test", walked.root);
  };
  CHECK_FALSE(equal());  // there is no index yet
  write_index(s.store, s.manifest, snapshot);
  REQUIRE(equal());
  CHECK(equal()->id == snapshot.id);
  const auto differs_after = [&](auto change, auto undo) {
    const fs::file_time_type top = fs::last_write_time(s.tree);
    const fs::file_time_type below = fs::last_write_time(s.tree / "a");
    const auto restore_times = [&] {
      set_mtime(s.tree / "a/one", 5, 6);
      fs::last_write_time(s.tree / "a", below);
      fs::last_write_time(s.tree, top);
    };
    change();
    restore_times();
    CHECK_FALSE(equal());
    undo();
    restore_times();
    CHECK(equal());
  };
  differs_after([&] { write_file(s.tree / "a/one", "CONTENT"); }, [&] { write_file(s.tree / "a/one", "content"); });
  differs_after([&] { ::chmod((s.tree / "a").c_str(), 0700); }, [&] { ::chmod((s.tree / "a").c_str(), 0755); });
  differs_after([&] { fs::rename(s.tree / "link", s.tree / "knot"); },
                [&] { fs::rename(s.tree / "knot", s.tree / "link"); });
  differs_after([&] { write_file(s.tree / "a/more", ""); }, [&] { fs::remove(s.tree / "a/more"); });
  const auto link = [&](const char* three, const char* two) {
    fs::remove(s.tree / "three");
    fs::remove(s.tree / "two");
    fs::create_hard_link(s.tree / three, s.tree / "three");
    fs::create_hard_link(s.tree / two, s.tree / "two");
  };
  differs_after([&] { link("a/b/two", "a/one"); }, [&] { link("a/one", "a/b/two"); });
}

}  // namespace vfs::test
