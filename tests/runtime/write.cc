// Writing, appending, replacing.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include "tests/runtime/fixture.h"

using namespace rt_test;

namespace {

const unsigned kWays[] = {0, RT_ATOMIC, RT_DURABLE, RT_ATOMIC | RT_DURABLE};

// What writing `text` to `path` gives, under a limit of file sizes.
string write_limited(const char* path, size_t size, unsigned flags) {
  return in_child([=] {
    ::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit = {10'000, 10'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return name_of(error_of([&] { return write_text(path, string(size, 'n'), flags); }));
  });
}

// A file system of its own, of 1 MiB, at "disk"; only `work`, in a child, sees it.
string on_small_disk(const std::function<string()>& work) {
  fs::create_directory("disk");
  return in_child([&]() -> string {
    const bool root = ::geteuid() == 0;
    const string user = "0 " + std::to_string(::geteuid()) + " 1";
    const string group = "0 " + std::to_string(::getegid()) + " 1";
    const bool alone = ::unshare(CLONE_NEWNS | (root ? 0 : CLONE_NEWUSER)) == 0;
    if (alone && !root) {
      put("/proc/self/setgroups", "deny");
      put("/proc/self/uid_map", user);
      put("/proc/self/gid_map", group);
    }
    if (!alone ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "disk", "tmpfs", 0, "size=1m") != 0) {
      return "no file system of its own: " + name_of(errno) + "; run this as root";
    }
    return work();
  });
}

}  // namespace

TEST_CASE("writing makes the text the whole content, in every way") {
  Place place;
  for (const unsigned flags : kWays) {
    INFO(flags);
    for (const size_t size : {size_t{100}, size_t{0}, size_t{1}, size_t{4096}, size_t{3} << 20, size_t{7}}) {
      const string text = pattern(size);
      CHECK(write_text("file", text, flags) == 0);
      CHECK((get("file") == text));
    }
    CHECK(status_of("file").st_mode == (S_IFREG | 0644));
    ::umask(077);
    CHECK(write_text("private", "x", flags) == 0);
    ::umask(022);
    CHECK(status_of("private").st_mode == (S_IFREG | 0600));
    fs::remove("private");
    fs::remove("file");
    CHECK(left_behind() == 0);
  }
}

TEST_CASE("writing goes through links, also to where nothing is yet") {
  Place place;
  fs::create_directory("dir");
  fs::create_symlink("dir/target", "link");
  fs::create_symlink("../link", "dir/back");
  fs::create_symlink(place.path / "dir/back", "absolute");
  for (const unsigned flags : kWays) {
    for (const char* path : {"link", "dir/back", "absolute", "./dir/../absolute"}) {
      INFO(path << " " << flags);
      CHECK(write_text(path, path, flags) == 0);
      CHECK(get("dir/target") == path);
      CHECK(fs::is_symlink(path));
      if (flags % 4 == 0) fs::remove("dir/target");
    }
  }
  CHECK(left_behind("dir") == 0);
}

TEST_CASE("a new file only where none is") {
  Place place;
  put("file", "old");
  fs::create_directory("dir");
  fs::create_symlink("none", "dangling");
  for (const unsigned flags : kWays) {
    INFO(flags);
    for (const char* path : {"file", "dir", "dangling"}) {
      CHECK(error_of([&] { return write_text(path, "new", flags | RT_NEW); }) == EEXIST);
    }
    CHECK(write_text("fresh", "new", flags | RT_NEW) == 0);
    CHECK(get("fresh") == "new");
    CHECK(error_of([&] { return write_text("fresh", "newer", flags | RT_NEW); }) == EEXIST);
    CHECK(get("fresh") == "new");
    fs::remove("fresh");
  }
  CHECK(get("file") == "old");
  CHECK(!fs::exists("none"));
  CHECK(left_behind() == 0);
}

TEST_CASE("an atomic write keeps permission and owner, and is another file") {
  Place place;
  put("file", "old");
  fs::create_hard_link("file", "other");
  ::chmod("file", 04640);
  const uid_t owner = ::geteuid() == 0 ? 1234 : ::geteuid();
  const gid_t group = ::geteuid() == 0 ? 4321 : ::getegid();
  if (::geteuid() == 0) {
    REQUIRE(::chown("file", owner, group) == 0);
    ::chmod("file", 04640);
  }
  const ino_t before = status_of("file").st_ino;
  CHECK(write_text("file", "new", RT_ATOMIC) == 0);
  const struct stat after = status_of("file");
  CHECK(after.st_ino != before);
  CHECK(after.st_mode == (S_IFREG | 0640));
  CHECK((after.st_uid == owner && after.st_gid == group));
  CHECK((get("file") == "new" && get("other") == "old"));
}

TEST_CASE("an atomic write replaces what could be written to, whoever's it is, and nothing else") {
  Place place;
  fs::create_directory("open");
  put("open/writable", "old");
  put("open/readable", "old");
  ::chmod("open", 0777);
  ::chmod("open/writable", 0666);
  ::chmod("open/readable", 0444);
  CHECK(as_ordinary_user([] {
    return name_of(error_of([] { return write_text("open/readable", "new", RT_ATOMIC); })) + " " +
           name_of(error_of([] { return write_text("open/writable", "new", RT_ATOMIC); }));
  }) == "EACCES success");
  CHECK((get("open/readable") == "old" && get("open/writable") == "new"));
  const struct stat after = status_of("open/writable");
  CHECK(after.st_mode == (S_IFREG | 0666));
  CHECK(after.st_uid == (::geteuid() == 0 ? 65534 : ::geteuid()));
  CHECK(left_behind("open") == 0);
}

TEST_CASE("an atomic write is not for special files, and takes the longest names and paths") {
  Place place;
  REQUIRE(::mkfifo("fifo", 0600) == 0);
  CHECK(error_of([] { return write_text("fifo", "x", RT_ATOMIC); }) == EINVAL);
  CHECK(fs::is_fifo("fifo"));
  // Never the machine's own: were this to fail, it would be gone.
  if (::geteuid() == 0 && ::mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0) {
    CHECK(error_of([] { return write_text("null", "x", RT_ATOMIC); }) == EINVAL);
    CHECK(fs::is_character_file("null"));
  }
  CHECK(error_of([] { return write_text("new/", "x", RT_ATOMIC); }) == EISDIR);
  CHECK(error_of([] { return write_text(".", "x", RT_ATOMIC); }) == EISDIR);
  const string longest(255, 'n');
  for (const unsigned flags : kWays) CHECK(write_text(longest, "x", flags) == 0);
  string deep = "x";
  while (deep.size() < 4093) deep = "./" + deep;
  deep = "/" + string(4094 - deep.size(), '/') + deep;
  REQUIRE(deep.size() == 4095);
  const string here = place.path.string() + "/";
  deep = here + deep.substr(deep.size() - (4095 - here.size()) & ~size_t{1});
  INFO(deep.size());
  for (const unsigned flags : kWays) CHECK(write_text(deep, "x", flags) == 0);
  CHECK(get("x") == "x");
  CHECK(left_behind() == 0);
}

TEST_CASE("a reader of an atomic write sees old or new, never less") {
  Place place;
  const string texts[2] = {string(300'000, 'a'), string(100'000, 'b')};
  REQUIRE(write_text("file", texts[0]) == 0);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 1; i <= 300; ++i) write_text("file", texts[i % 2], RT_ATOMIC);
    done = true;
  });
  int wrong = 0;
  while (!done) {
    const string seen = read_text("file");
    wrong += seen != texts[0] && seen != texts[1];
  }
  writer.join();
  CHECK(wrong == 0);
  CHECK(left_behind() == 0);
}

TEST_CASE("a write that fails: plain it leaves a part, atomically what was") {
  Place place;
  put("file", "old");
  CHECK(write_limited("file", 20'000, RT_ATOMIC) == "EFBIG");
  CHECK(get("file") == "old");
  CHECK(write_limited("none", 20'000, RT_ATOMIC) == "EFBIG");
  CHECK(!fs::exists("none"));
  CHECK(left_behind() == 0);
  CHECK(write_limited("file", 20'000, 0) == "EFBIG");
  CHECK(fs::file_size("file") == 10'000);
  CHECK(error_of([] { return write_text("/dev/full", "x"); }) == ENOSPC);
  CHECK(error_of([] { return rt_file_append_text("/dev/full", "x", 1, 0); }) == ENOSPC);
  CHECK(error_of([] { return rt_file_copy("file", "/dev/full", 0); }) == ENOSPC);
}

TEST_CASE("on a full disk") {
  Place place;
  put("large", string(3 << 20, 'l'));
  const string said = on_small_disk([] {
    const string large(3 << 20, 'n');
    string out = name_of(write_text("disk/old", "old") == 0 ? 0 : errno);
    out += " " + name_of(error_of([&] { return write_text("disk/old", large, RT_ATOMIC); }));
    out += " " + name_of(error_of([&] { return rt_file_copy("large", "disk/old", RT_ATOMIC | RT_DURABLE); }));
    out += " " + get("disk/old") + " " + std::to_string(left_behind("disk"));
    out += " " + name_of(error_of([&] { return write_text("disk/new", large); }));
    fs::remove("disk/new");
    out += " " + name_of(error_of([&] { return rt_file_append_text("disk/old", large.data(), large.size(), 0); }));
    out += " " + get("disk/old").substr(0, 4);
    out += " " + name_of(error_of([] { return rt_file_copy("large", "disk/copy", 0); }));
    return out;
  });
  CHECK(said == "success ENOSPC ENOSPC old 0 ENOSPC ENOSPC oldn ENOSPC");
}

TEST_CASE("appending") {
  Place place;
  string expected;
  for (const unsigned flags : {0u, RT_DURABLE, 0u}) {
    const string text = pattern(5000);
    CHECK(rt_file_append_text("file", text.data(), text.size(), flags) == 0);
    std::ofstream("stream", std::ios::app | std::ios::binary) << text;
    CHECK((get("file") == get("stream")));
    CHECK(rt_file_append_text("file", nullptr, 0, flags) == 0);
  }
  CHECK(fs::file_size("file") == 15'000);
  CHECK(status_of("file").st_mode == (S_IFREG | 0644));
  // At once: every line stays whole.
  std::vector<std::thread> threads;
  for (char name = 'a'; name < 'e'; ++name) {
    threads.emplace_back([name] {
      const string line = string(99, name) + "\n";
      for (int i = 0; i < 200; ++i) rt_file_append_text("lines", line.data(), line.size(), 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::ifstream in("lines");
  int count = 0;
  for (string line; std::getline(in, line); ++count) CHECK(line == string(99, line[0]));
  CHECK(count == 800);
}

TEST_CASE("a pipe that takes little at a time, from a writer who is interrupted") {
  Place place;
  REQUIRE(::mkfifo("fifo", 0600) == 0);
  const string text = pattern(1 << 20);
  string seen;
  std::thread reader = quiet_thread([&] {
    pause_for(20'000);
    const int fd = ::open("fifo", O_RDONLY | O_CLOEXEC);
    char buffer[20'000];
    for (ssize_t count; (count = ::read(fd, buffer, sizeof(buffer))) > 0; pause_for(500)) {
      seen.append(buffer, static_cast<size_t>(count));
    }
    ::close(fd);
  });
  {
    Interruptions interruptions;
    CHECK(write_text("fifo", text) == 0);
    CHECK(Interruptions::count() > 10);
  }
  reader.join();
  CHECK((seen == text));
}

TEST_CASE("deleting takes the name, and a link itself") {
  Place place;
  put("file", "content");
  fs::create_symlink("file", "link");
  fs::create_symlink("none", "dangling");
  fs::create_hard_link("file", "other");
  CHECK(rt_file_delete("link") == 0);
  CHECK(rt_file_remove("dangling") == 0);
  CHECK(rt_file_remove("file") == 0);
  CHECK(error_of([] { return rt_file_delete("file"); }) == ENOENT);
  CHECK(get("other") == "content");
  CHECK(std::distance(fs::directory_iterator("."), fs::directory_iterator()) == 1);
}
