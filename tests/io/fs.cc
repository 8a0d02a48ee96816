// Files and directories, against what the blocking calls say of the same.
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/io/backends.h"
#include "vfs/io/fs.h"
#include "vfs/io/time.h"

namespace vfs::io::test {
namespace {

namespace stdfs = std::filesystem;

// A directory that goes away again.
struct Place {
  stdfs::path top;
  Place() {
    std::string name = (stdfs::temp_directory_path() / "vfs-io-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    top = name;
  }
  ~Place() { stdfs::remove_all(top); }
  std::string at(const std::string& name) const { return (top / name).string(); }
};

void write_text(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t open_descriptors() {
  const stdfs::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

OpenOptions reading() { return {}; }

OpenOptions making() {
  OpenOptions options;
  options.read = false;
  options.write = true;
  options.create = true;
  options.truncate = true;
  return options;
}

Task<std::string> content(std::string path, size_t capacity) {
  Opened opened = co_await open(AT_FDCWD, path, reading());
  if (opened.error != 0) co_return std::string("<") + strerrorname_np(static_cast<int>(-opened.error)) + ">";
  Transfer done = co_await opened.file.read_full(Buffer(capacity), 0);
  const long closed = co_await opened.file.close();
  if (done.count < 0 || closed != 0) co_return "<failed>";
  co_return std::string(done.buffer.text());
}

Task<std::vector<std::string>> names_of(std::string path) {
  OpenOptions options;
  options.directory = true;
  Opened opened = co_await open(AT_FDCWD, path, options);
  std::vector<std::string> names;
  if (opened.error != 0) co_return names;
  DirectoryReader reader(std::move(opened.file));
  for (;;) {
    long error = 0;
    std::vector<DirectoryEntry> some = co_await reader.next(error);
    if (error != 0) names.push_back("<error>");
    if (some.empty()) break;
    for (DirectoryEntry& entry : some) names.push_back(std::move(entry.name));
  }
  std::sort(names.begin(), names.end());
  co_return names;
}

}  // namespace

TEST_CASE("a file has what was written, wherever it was written, in whatever order") {
  on_both([](Executor& executor) {
    const Place place;
    const auto write = [&]() -> Task<> {
      Opened opened = co_await open(AT_FDCWD, place.at("file"), making());
      REQUIRE(opened.error == 0);
      Transfer second = co_await opened.file.write_full(Buffer("second"), 5);
      CHECK(second.count == 6);
      CHECK(second.buffer.text() == "second");
      Transfer first = co_await opened.file.write_full(Buffer("first"), 0);
      CHECK(first.count == 5);
      const long synchronized = co_await opened.file.synchronize();
      CHECK(synchronized == 0);
      const long closed = co_await opened.file.close();
      CHECK(closed == 0);
      const long again = co_await opened.file.close();
      CHECK(again == -EBADF);
    };
    executor.run(write());
    CHECK(read_text(place.at("file")) == "firstsecond");
    CHECK(executor.run(content(place.at("file"), 100)) == "firstsecond");
    CHECK(executor.run(content(place.at("file"), 7)) == "firstse");
  });
}

TEST_CASE("files of all sizes, those of the kernel too, are read to their ends") {
  on_both([](Executor& executor) {
    const Place place;
    for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{4097}, size_t{3} << 20}) {
      std::string text(size, '\0');
      for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
      write_text(place.at("file"), text);
      CHECK(executor.run(content(place.at("file"), size + 1)) == text);
    }
    CHECK(executor.run(content("/proc/version", 1000)) == read_text("/proc/version"));
    CHECK(executor.run(content("/proc/self/status", 4)) == read_text("/proc/self/status").substr(0, 4));
  });
}

TEST_CASE("what open refuses, and why, is what open(2) says") {
  on_both([](Executor& executor) {
    const Place place;
    write_text(place.at("file"), "x");
    stdfs::create_directory(place.at("directory"));
    stdfs::create_symlink("file", place.at("link"));
    stdfs::create_symlink("loop", place.at("loop"));
    REQUIRE(::mkfifo(place.at("fifo").c_str(), 0600) == 0);
    OpenOptions no_follow;
    no_follow.follow = false;
    OpenOptions exclusive = making();
    exclusive.create_new = true;
    OpenOptions directory;
    directory.directory = true;
    OpenOptions beneath;
    beneath.resolve = RESOLVE_BENEATH;
    OpenOptions no_reader = making();
    no_reader.create = false;
    no_reader.truncate = false;
    no_reader.wait = false;
    const struct {
      std::string path;
      OpenOptions options;
      int error;
    } cases[] = {
        {place.at("missing"), reading(), ENOENT},   {place.at("file/below"), reading(), ENOTDIR},
        {"", reading(), ENOENT},                    {place.at("directory"), making(), EISDIR},
        {place.at("link"), no_follow, ELOOP},       {place.at("loop"), reading(), ELOOP},
        {place.at("file"), exclusive, EEXIST},      {place.at("file"), directory, ENOTDIR},
        {place.at("file"), beneath, EXDEV},         {place.at("fifo"), no_reader, ENXIO},
        {place.at(std::string(300, 'n')), reading(), ENAMETOOLONG},
        {std::string(5000, '/'), reading(), ENAMETOOLONG},
    };
    for (const auto& one : cases) {
      INFO(one.path.substr(0, 80));
      const auto ask = [&]() -> Task<long> {
        Opened opened = co_await open(AT_FDCWD, one.path, one.options);
        co_return opened.error;
      };
      CHECK(executor.run(ask()) == -one.error);
    }
  });
}

TEST_CASE("operations on what is no file are refused, and give the buffer back") {
  on_both([](Executor& executor) {
    const auto ask = []() -> Task<> {
      const File none;
      Transfer read = co_await none.read(Buffer(10), 0);
      CHECK(read.count == -EBADF);
      CHECK(read.buffer.capacity() == 10);
      Transfer written = co_await none.write(Buffer("text"), 0);
      CHECK(written.count == -EBADF);
      CHECK(written.buffer.text() == "text");
      OpenOptions options;
      options.directory = true;
      Opened directory = co_await open(AT_FDCWD, "/", options);
      REQUIRE(directory.error == 0);
      Transfer wrong = co_await directory.file.read(Buffer(10), 0);
      CHECK(wrong.count == -EISDIR);
      CHECK(wrong.buffer.size() == 0);
    };
    executor.run(ask());
  });
}

TEST_CASE("a listing has every name once") {
  on_both([](Executor& executor) {
    const Place place;
    std::vector<std::string> expected;
    for (int i = 0; i < 3000; ++i) {
      expected.push_back("a name that fills the listing " + std::to_string(i));
      write_text(place.at(expected.back()), "");
    }
    std::sort(expected.begin(), expected.end());
    CHECK(executor.run(names_of(place.top)) == expected);
    CHECK(executor.run(names_of(place.at("missing"))).empty());
  });
}

TEST_CASE("directories are made with those above them, and removed with all below") {
  on_both([](Executor& executor) {
    const Place place;
    CHECK(executor.run(create_directory(AT_FDCWD, place.at("a/b/c"), 0700)) == -ENOENT);
    CHECK(executor.run(create_directory(AT_FDCWD, place.at("a/b/c/"), 0700, true)) == 0);
    CHECK(executor.run(create_directory(AT_FDCWD, place.at("a/b/c"), 0700, true)) == 0);
    CHECK(executor.run(create_directory(AT_FDCWD, place.at("a/b/c"), 0700)) == -EEXIST);
    CHECK((stdfs::status(place.at("a/b/c")).permissions() & stdfs::perms::all) == stdfs::perms::owner_all);
    write_text(place.at("a/file"), "x");
    CHECK(executor.run(create_directory(AT_FDCWD, place.at("a/file/d"), 0700, true)) == -ENOTDIR);
    CHECK(executor.run(create_directory(AT_FDCWD, place.at("a/file"), 0700, true)) == -EEXIST);
    write_text(place.at("kept"), "kept");
    stdfs::create_symlink("../kept", place.at("a/link"));
    stdfs::create_directory_symlink("..", place.at("a/up"));
    for (int i = 0; i < 1000; ++i) write_text(place.at("a/b/" + std::to_string(i)), "");
    CHECK(executor.run(set_permissions(AT_FDCWD, place.at("a/b"), 0)) == 0);
    CHECK(executor.run(metadata(AT_FDCWD, place.at("a/b"))).status.st_mode == S_IFDIR);
    CHECK(executor.run(remove_all(AT_FDCWD, place.at("a"))) == 0);
    CHECK_FALSE(stdfs::exists(place.at("a")));
    CHECK(read_text(place.at("kept")) == "kept");
    CHECK(executor.run(remove_all(AT_FDCWD, place.at("a"))) == 0);
    CHECK(executor.run(remove_all(AT_FDCWD, place.at("kept"))) == 0);
    CHECK(executor.run(metadata(AT_FDCWD, place.at("kept"))).error == -ENOENT);
    CHECK(executor.run(set_permissions(AT_FDCWD, place.at("kept"), 0600)) == -ENOENT);
  });
}

TEST_CASE("metadata are of the link or of what it leads to") {
  on_both([](Executor& executor) {
    const Place place;
    write_text(place.at("file"), "four");
    stdfs::create_symlink("file", place.at("link"));
    const Metadata link = executor.run(metadata(AT_FDCWD, place.at("link")));
    const Metadata file = executor.run(metadata(AT_FDCWD, place.at("link"), true));
    CHECK(S_ISLNK(link.status.st_mode));
    CHECK(S_ISREG(file.status.st_mode));
    CHECK(file.status.st_size == 4);
  });
}

TEST_CASE("a thousand files are read and written at once, and no descriptor is left") {
  on_both([](Executor& executor) {
    const Place place;
    const size_t before = open_descriptors();
    const auto copy = [&](int i) -> Task<> {
      Opened to = co_await open(AT_FDCWD, place.at("file" + std::to_string(i)), making());
      REQUIRE(to.error == 0);
      Transfer written = co_await to.file.write_full(Buffer(std::string(static_cast<size_t>(i), 'x')), 0);
      REQUIRE(written.count == i);
    };
    executor.run(with_group(200, [&](Group& group) -> Task<> {
      for (int i = 0; i < 1000; ++i) co_await group.add(copy(i));
    }));
    CHECK(open_descriptors() == before);
    for (int i = 0; i < 1000; ++i) REQUIRE(stdfs::file_size(place.at("file" + std::to_string(i))) == static_cast<size_t>(i));
  });
}

TEST_CASE("who is cancelled while files are read loses neither buffer nor descriptor") {
  on_both([](Executor& executor) {
    const Place place;
    write_text(place.at("file"), std::string(1 << 20, 'x'));
    const size_t before = open_descriptors();
    size_t ended = 0;
    const auto read = [&]() -> Task<> {
      Opened opened = co_await open(AT_FDCWD, place.at("file"), reading());
      if (opened.error == 0) {
        Transfer done = co_await opened.file.read_full(Buffer(1 << 20), 0);
        CHECK(done.buffer.capacity() == 1 << 20);
        CHECK((done.count == 1 << 20 || done.count == -ECANCELED));
        const long closed = co_await opened.file.close();
        CHECK(closed == 0);
      }
      ++ended;
    };
    executor.run(with_group(50, [&](Group& group) -> Task<> {
      for (int i = 0; i < 50; ++i) co_await group.add(read());
      co_await sleep_for(200'000);
      group.cancel();
    }));
    CHECK(ended == 50);
    CHECK(open_descriptors() == before);
  });
}

TEST_CASE("who reads what is in memory lets others go on, and can be cancelled") {
  on_both([](Executor& executor) {
    const Place place;
    write_text(place.at("file"), std::string(1 << 20, 'x'));
    size_t rounds = 0;
    const auto read_on_and_on = [&]() -> Task<long> {
      Opened opened = co_await open(AT_FDCWD, place.at("file"), reading());
      Buffer buffer(1 << 20);
      for (;; ++rounds) {
        Transfer done = co_await opened.file.read_full(std::move(buffer), 0);
        if (done.count != 1 << 20) co_return done.count;
        buffer = std::move(done.buffer);
      }
    };
    bool in_time = true;
    const long result = executor.run(within(20'000'000, read_on_and_on(), in_time));
    CHECK(result == -ECANCELED);
    CHECK_FALSE(in_time);
    CHECK(rounds > 0);
  });
}

}  // namespace vfs::io::test
