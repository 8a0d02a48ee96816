// Making, removing and listing names.
#include "vfs/core/names.h"

#include <signal.h>

#include <thread>

#include "tests/unit/workspace_fixture.h"
#include "vfs/core/record.h"

using namespace vfs;
using namespace vfs::test;

namespace {

const char* const kPaths[] = {"file",     "file/",   "file/x",    "dir",    "dir/",      "dir/.",
                              "dir/..",   ".",       "..",        "link",   "link/",     "dir_link",
                              "dir_link/", "dangling", "dangling/", "missing", "missing/", "missing/x",
                              "",         "empty",   "empty/",    "full",   "dir/sub/deep/lowest"};

}  // namespace

TEST_CASE("mkdir answers as the kernel's, whatever the path") {
  for_both(fill_small, [](Bed& bed) {
    for (const char* path : kPaths) {
      if (std::string(path) == "..") continue;
      bed.both("mkdir '" + std::string(path) + "'", [&](Tree& t) { return t.make_directory(path, 0750); });
    }
    bed.both("a name too long", [](Tree& t) { return t.make_directory(std::string(256, 'n')); });
    bed.both("the longest name", [](Tree& t) { return t.make_directory(std::string(255, 'n')); });
    bed.compare("directories");
  });
}

TEST_CASE("mknod and symlink answer as the kernel's, whatever the path") {
  for_both(fill_small, [](Bed& bed) {
    for (const char* path : kPaths) {
      if (std::string(path) == "..") continue;
      bed.both("mkfifo '" + std::string(path) + "'",
               [&](Tree& t) { return t.make_node(path, S_IFIFO | 0640); });
    }
    bed.both("remove", [](Tree& t) { return t.remove_file("missing"); });
    for (const char* path : kPaths) {
      if (std::string(path) == "..") continue;
      bed.both("symlink '" + std::string(path) + "'",
               [&](Tree& t) { return t.make_link("some/target", path); });
    }
    bed.both("an empty target", [](Tree& t) { return t.make_link("", "nothing_to_see"); });
    bed.both("a regular node", [](Tree& t) { return t.make_node("plain", 0600); });
    std::vector<std::string> names;
    bed.native().names(".", names);
    for (const std::string& name : names) {
      struct stat status;
      if (bed.native().status(name, false, status) == 0 && S_ISFIFO(status.st_mode)) {
        struct stat seen = {};
        CHECK(bed.tree().status(name, false, seen) == 0);
        CHECK(seen.st_mode == status.st_mode);
      }
    }
    bed.compare("nodes and links");
  });
}

TEST_CASE("the whiteout's own shape cannot be made by a program") {
  Bed bed(Base::snapshot, fill_small);
  const Lookup found = bed.look("device");
  CHECK(make_node(bed.core(), found, S_IFCHR | 0644, 0) == -EPERM);
  CHECK_FALSE(bed.look("device").exists());
}

TEST_CASE("unlink and rmdir answer as the kernel's, whatever the path") {
  for_both(fill_small, [](Bed& bed) {
    // First the calls that must fail for directories and files respectively.
    for (const char* path : kPaths) {
      struct stat status;
      const bool directory =
          bed.native().status(path, false, status) == 0 && S_ISDIR(status.st_mode);
      const std::string text = path;
      if (text == "..") continue;
      if (directory) bed.both("unlink '" + text + "'", [&](Tree& t) { return t.remove_file(path); });
      if (!directory) bed.both("rmdir '" + text + "'", [&](Tree& t) { return t.remove_directory(path); });
    }
    bed.compare("nothing has gone");
    for (const char* path : kPaths) {
      const std::string text = path;
      if (text == ".." || text == "." || text == "dir/..") continue;
      bed.both("unlink '" + text + "'", [&](Tree& t) { return t.remove_file(path); });
      bed.both("rmdir '" + text + "'", [&](Tree& t) { return t.remove_directory(path); });
      bed.compare("removed '" + text + "'");
    }
    bed.reopen();
    bed.compare("seen by another process");
  });
}

TEST_CASE("a name comes back after it was removed, as anything") {
  for_both(fill_small, [](Bed& bed) {
    bed.both("unlink", [](Tree& t) { return t.remove_file("file"); });
    bed.both("again", [](Tree& t) { return t.remove_file("file"); });
    bed.both("as a file", [](Tree& t) { return t.write("file", "second"); });
    bed.compare("a file");
    bed.both("unlink", [](Tree& t) { return t.remove_file("file"); });
    bed.both("as a directory", [](Tree& t) { return t.make_directory("file"); });
    bed.both("with something in it", [](Tree& t) { return t.write("file/x", "x"); });
    bed.compare("a directory");
    bed.both("not empty", [](Tree& t) { return t.remove_directory("file"); });
    bed.both("unlink in it", [](Tree& t) { return t.remove_file("file/x"); });
    bed.both("rmdir", [](Tree& t) { return t.remove_directory("file"); });
    bed.compare("gone");
    bed.both("as a link", [](Tree& t) { return t.make_link("other", "file"); });
    bed.both("as a link, again", [](Tree& t) { return t.make_link("other", "file"); });
    bed.compare("a link");
    bed.both("unlink", [](Tree& t) { return t.remove_file("file"); });
    bed.both("as a hard link", [](Tree& t) { return t.hard_link("script", "file"); });
    bed.compare("a hard link");
  });
}

TEST_CASE("a directory that was emptied, removed and made again shows nothing of the base") {
  for_both(fill_small, [](Bed& bed) {
    for (const char* name : {"full/a", "full/b", "full/c"}) {
      bed.both("not empty yet", [](Tree& t) { return t.remove_directory("full"); });
      bed.both("unlink", [&](Tree& t) { return t.remove_file(name); });
    }
    bed.compare("an empty directory of whiteouts");
    bed.both("rmdir", [](Tree& t) { return t.remove_directory("full"); });
    bed.both("open what is gone", [](Tree& t) { return t.open("full/a", O_RDONLY); });
    bed.both("create below what is gone", [](Tree& t) { return t.write("full/a", "x"); });
    bed.both("mkdir", [](Tree& t) { return t.make_directory("full"); });
    bed.compare("fresh");
    bed.both("a new file of an old name", [](Tree& t) { return t.write("full/b", "new"); });
    bed.both("mkdir below", [](Tree& t) { return t.make_directory("full/a"); });
    bed.compare("filled anew");
    bed.both("unlink", [](Tree& t) { return t.remove_file("full/b"); });
    bed.both("rmdir below", [](Tree& t) { return t.remove_directory("full/a"); });
    bed.both("rmdir", [](Tree& t) { return t.remove_directory("full"); });
    bed.compare("gone again");
    bed.both("an untouched empty directory", [](Tree& t) { return t.remove_directory("empty"); });
    bed.both("a link in its place", [](Tree& t) { return t.make_link("dir", "empty"); });
    bed.compare("a link in place of a directory");
    CHECK(bed.tree().content("empty/inner") == "inner\n");
  });
}

TEST_CASE("hard links are made of files of the base and of upper") {
  for_both(fill_small, [](Bed& bed) {
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"file", "new"},      {"file", "other"},   {"file", "dir/new"}, {"missing", "x"},
             {"dir", "x"},         {"link", "soft"},    {"file", "missing/x"}, {"file", "x/"},
             {"file/", "y"},       {"new", "newer"},    {"one", "four"},     {"file", "dir/"},
             {"dangling", "hung"}, {"file", "dangling"}}) {
      bed.both("link " + from + " " + to, [&, f = from, t = to](Tree& tree) { return tree.hard_link(f, t); });
    }
    bed.compare("linked");
    bed.both("write", [](Tree& t) { return t.write("dir/new", "through all"); });
    bed.compare("written through");
  });
}

TEST_CASE("a nameless file gets a name") {
  for_both(fill_small, [](Bed& bed) {
    const int fd = bed.tree().open("dir", O_TMPFILE | O_RDWR);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, "late", 4) == 4);
    CHECK(link_descriptor(bed.core(), fd, bed.look("dir/named")) == 0);
    CHECK(link_descriptor(bed.core(), fd, bed.look("file")) == -EEXIST);
    ::close(fd);
    CHECK(bed.tree().content("dir/named") == "late");
    CHECK(bed.tree().content("file") == "content of file\n");
    CHECK(link_descriptor(bed.core(), -1, bed.look("never")) == -EBADF);
  });
}

TEST_CASE("a listing merges base and upper and hides what is ours") {
  for_both(fill_small, [](Bed& bed) {
    bed.both("remove", [](Tree& t) { return t.remove_file("full/b"); });
    bed.both("replace", [](Tree& t) { return t.write("full/a", "other"); });
    bed.both("add", [](Tree& t) { return t.write("full/z", "z"); });
    bed.both("mkdir", [](Tree& t) { return t.make_directory("full/d"); });
    bed.both("chmod", [](Tree& t) { return t.mode("full/c", 0600); });
    bed.both("link", [](Tree& t) { return t.make_link("c", "full/l"); });
    bed.compare("merged");

    Listing listing;
    const Lookup found = bed.look("full");
    REQUIRE(listing.read(bed.core(), found) == 0);
    std::vector<std::string> names;
    uint32_t offset = 0;
    for (const struct dirent64* entry = listing.at(0); entry != nullptr; entry = listing.at(offset)) {
      names.emplace_back(entry->d_name);
      CHECK(static_cast<uint32_t>(entry->d_off) == offset + entry->d_reclen);
      CHECK(entry->d_reclen % 8 == 0);
      const std::string name = entry->d_name;
      const std::string path = name == "." ? "full" : name == ".." ? "." : "full/" + name;
      struct stat status;
      REQUIRE(bed.tree().status(path, false, status) == 0);
      INFO(name);
      CHECK(entry->d_ino == status.st_ino);
      CHECK((entry->d_type == DT_UNKNOWN || entry->d_type == IFTODT(status.st_mode)));
      offset = static_cast<uint32_t>(entry->d_off);
    }
    CHECK(offset == listing.size());
    REQUIRE(names.size() >= 2);
    CHECK(names[0] == ".");
    CHECK(names[1] == "..");
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
    CHECK(listing.at(listing.size()) == nullptr);
    CHECK(listing.at(~0u) == nullptr);

    bool empty = true;
    CHECK(is_empty_directory(bed.core(), found, empty) == 0);
    CHECK_FALSE(empty);
    CHECK(is_empty_directory(bed.core(), bed.look("empty"), empty) == 0);
    CHECK(empty);
    CHECK(count_directory_links(bed.core(), found) == 3);
    listing.reset();
    CHECK(listing.at(0) == nullptr);
    CHECK(listing.size() == 0);
  });
}

TEST_CASE("a directory of 5,000 entries, half of them removed") {
  const auto fill = [](const fs::path& top) {
    fs::create_directory(top / "huge");
    for (int i = 0; i < 5000; ++i) {
      write_file(top / "huge" / (std::string(static_cast<size_t>(i % 100), 'n') + std::to_string(i)), "");
    }
  };
  for_both(fill, [](Bed& bed) {
    std::vector<std::string> expected;
    std::vector<std::string> seen;
    REQUIRE(bed.native().names("huge", expected) == 0);
    REQUIRE(bed.tree().names("huge", seen) == 0);
    CHECK(seen.size() == 5000);
    CHECK((seen == expected));
    for (size_t i = 0; i < expected.size(); i += 2) {
      for (Tree* tree : {&bed.native(), &bed.tree()}) {
        if (tree->remove_file("huge/" + expected[i]) != 0) FAIL(expected[i]);
      }
    }
    for (int i = 0; i < 1000; ++i) {
      for (Tree* tree : {&bed.native(), &bed.tree()}) {
        if (tree->write("huge/added" + std::to_string(i), "") != 0) FAIL(i);
      }
    }
    REQUIRE(bed.native().names("huge", expected) == 0);
    REQUIRE(bed.tree().names("huge", seen) == 0);
    CHECK(seen.size() == 3500);
    CHECK((seen == expected));
  });
}

TEST_CASE("one path is changed by one caller at a time") {
  Bed bed(Base::live, fill_small);
  // A counter that would lose increments if two were inside at once.
  int counter = 0;
  std::atomic<int> inside = 0;
  std::atomic<int> together = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        PathLock lock(bed.core(), 0x1234567890ull);
        if (lock.error() != 0 || inside.fetch_add(1) != 0) ++together;
        const int seen = counter;
        std::this_thread::yield();
        counter = seen + 1;
        inside.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(together == 0);
  CHECK(counter == 800);
  // Two different paths do not wait for each other.
  PathLock first(bed.core(), 1ull << 20);
  PathLock second(bed.core(), 1ull << 21);
  CHECK(first.error() == 0);
  CHECK(second.error() == 0);
}

TEST_CASE("signals are blocked while a path is locked and as before afterwards") {
  Bed bed(Base::live, fill_small);
  sigset_t before;
  sigset_t during;
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    PathLock lock(bed.core(), 1);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &during);
  }
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(::sigismember(&during, SIGUSR1) == 1);
  CHECK(::sigismember(&after, SIGUSR1) == ::sigismember(&before, SIGUSR1));
  CHECK(::sigismember(&after, SIGTERM) == ::sigismember(&before, SIGTERM));
}
