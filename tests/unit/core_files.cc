// Copy-up, opening, attributes: what happens to one file.
#include <sys/stat.h>
#include <sys/xattr.h>

#include <thread>

#include "cas/same_time.h"
#include "tests/unit/workspace_fixture.h"
#include "vfs/command/state.h"
#include "vfs/core/attributes.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/identity.h"

using namespace vfs;
using namespace vfs::test;

namespace {

struct stat status_in(Bed& bed, const std::string& path) {
  struct stat status = {};
  INFO(path);
  REQUIRE(bed.tree().status(path, false, status) == 0);
  return status;
}

void fill_big(const fs::path& top) {
  fill_small(top);
  std::string bytes(3 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 5);
  write_file(top / "big", bytes);
  ::chmod((top / "big").c_str(), 0640);
}

}  // namespace

TEST_CASE("copy-up keeps content, mode, times, identity, and the parent's times") {
  for_both(fill_big, [](Bed& bed) {
    for (const std::string& path : {std::string("file"), std::string("nothing"), std::string("big"),
                                    std::string("script"), std::string("dir/sub/deep/lowest")}) {
      INFO(path);
      const struct stat before = status_in(bed, path);
      const struct stat parent = status_in(bed, fs::path(path).parent_path().empty() ? "." : fs::path(path).parent_path().string());
      REQUIRE(copy_up(bed.core(), bed.look(path), Content::keep) == 0);
      const Lookup after = bed.look(path);
      CHECK(after.source == Source::upper);
      CHECK(after.status.st_ino == before.st_ino);
      CHECK(after.status.st_dev == before.st_dev);
      CHECK(after.status.st_mode == before.st_mode);
      CHECK(after.status.st_size == before.st_size);
      CHECK(same_time(after.status.st_mtim, before.st_mtim));
      CHECK(bed.tree().content(path) == bed.native().content(path));
      const struct stat parent_after = status_in(bed, fs::path(path).parent_path().empty() ? "." : fs::path(path).parent_path().string());
      CHECK(same_time(parent_after.st_mtim, parent.st_mtim));
      CHECK(parent_after.st_ino == parent.st_ino);
      // Once more does nothing.
      REQUIRE(copy_up(bed.core(), after, Content::keep) == 0);
    }
    bed.compare("after copy-up");
    bed.reopen();
    bed.compare("seen by another process");
    std::vector<std::string> left;
    for (const auto& item : fs::directory_iterator(bed.workspace().state() + "/work")) {
      left.push_back(item.path());
    }
    CHECK(left.empty());
  });
}

TEST_CASE("copy-up that drops the content leaves an empty file with the rest kept") {
  for_both(fill_small, [](Bed& bed) {
    const struct stat before = status_in(bed, "file");
    REQUIRE(copy_up(bed.core(), bed.look("file"), Content::drop) == 0);
    const struct stat after = status_in(bed, "file");
    CHECK(after.st_size == 0);
    CHECK(after.st_mode == before.st_mode);
    CHECK(after.st_ino == before.st_ino);
  });
}

TEST_CASE("all names of a hard link lead to one draft") {
  for_both(fill_small, [](Bed& bed) {
    bed.both("write by one name", [](Tree& t) { return t.write("two", "changed\n"); });
    bed.compare("three names, one content");
    CHECK(bed.tree().content("dir/three") == "changed\n");
    CHECK(status_in(bed, "one").st_ino == status_in(bed, "dir/three").st_ino);
    bed.both("mode by another", [](Tree& t) { return t.mode("dir/three", 0600); });
    bed.compare("one mode");
    bed.both("unlink one", [](Tree& t) { return t.remove_file("one"); });
    bed.compare("two names");
  });
}

TEST_CASE("hard links after one of their names went away or moved") {
  for_both(fill_small, [](Bed& bed) {
    bed.both("rename a name", [](Tree& t) { return t.rename("two", "full/second"); });
    bed.both("write by the moved name", [](Tree& t) { return t.write("full/second", "x", O_APPEND); });
    CHECK(bed.tree().content("dir/three") == "shared\nx");
    CHECK(bed.tree().content("one") == "shared\nx");
    CHECK(bed.tree().content("full/second") == "shared\nx");
  });
}

TEST_CASE("names that go without a copy-up are not counted any more") {
  for_both(fill_small, [](Bed& bed) {
    const auto links = [&](const char* path) {
      struct stat status = {};
      CHECK(get_status(bed.core(), bed.look(path), status) == 0);
      return status.st_nlink;
    };
    bed.both("unlink one", [](Tree& t) { return t.remove_file("one"); });
    CHECK(links("two") == 2);
    bed.both("replace one", [](Tree& t) { return t.rename("file", "dir/three"); });
    CHECK(links("two") == 1);
    bed.both("make it again", [](Tree& t) { return t.write("one", "new\n", O_CREAT); });
    CHECK(links("two") == 1);
    bed.reopen();
    CHECK(links("two") == 1);
    restore_path(bed.workspace(), as_path("one"));
    CHECK(links("two") == 2);
    CHECK(links("one") == 2);
    restore_path(bed.workspace(), as_path(""));
    CHECK(links("two") == 3);
  });
}

TEST_CASE("a special file keeps its number, and a note about another one is not believed") {
  Bed bed(Base::live, [](const fs::path& top) {
    REQUIRE(::mkfifo((top / "fifo").c_str(), 0600) == 0);
  });
  const ino_t number = status_in(bed, "fifo").st_ino;
  ::usleep(20'000);  // birth times are as coarse as the clock's ticks, and upper itself is the other
  REQUIRE(copy_up(bed.core(), bed.look("fifo"), Content::keep) == 0);
  const fs::path draft = bed.upper("fifo");
  if (status_in(bed, "fifo").st_ino != number) return;  // no birth times here: nothing is kept
  CHECK(status_of(draft).st_ino != number);
  struct stat other = status_of(bed.upper("."));
  other.st_mode = S_IFIFO;
  other.st_ino = status_of(draft).st_ino;
  restore_identity(bed.core(), bed.upper(".").c_str(), other);
  CHECK(other.st_ino == status_of(draft).st_ino);
}

TEST_CASE("copy-up of links and directories") {
  for_both(fill_small, [](Bed& bed) {
    for (const char* path : {"link", "dangling", "dir/sub/deep", "empty"}) {
      INFO(path);
      const struct stat before = status_in(bed, path);
      REQUIRE(copy_up(bed.core(), bed.look(path), Content::keep) == 0);
      const Lookup after = bed.look(path);
      CHECK(after.source == Source::upper);
      CHECK(after.status.st_mode == before.st_mode);
      CHECK(same_time(after.status.st_mtim, before.st_mtim));
      CHECK(after.status.st_ino == before.st_ino);
      CHECK(after.status.st_size == before.st_size);
      if (after.is_directory()) CHECK(after.merged);
    }
    bed.compare("mirrored");
    CHECK(mirror_directory(bed.core(), as_path("file")) == -ENOTDIR);
    CHECK(mirror_directory(bed.core(), as_path("none")) == -ENOENT);
    CHECK(mirror_parent(bed.core(), as_path("none/x")) == -ENOENT);
    CHECK(mirror_parent(bed.core(), as_path("x")) == 0);
  });
}

TEST_CASE("many threads may copy up one file") {
  for_both(fill_big, [](Bed& bed) {
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        Lookup found;
        const PathBuffer top;
        if (look_up(bed.core(), top, "big", Follow::no, found) != 0 ||
            copy_up(bed.core(), found, Content::keep) != 0) {
          ++failures;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    bed.compare("one copy");
  });
}

TEST_CASE("a sealed file whose object is gone is an I/O error, not absence") {
  Bed bed(Base::snapshot, fill_small);
  const Lookup found = bed.look("file");
  PathBuffer object;
  REQUIRE(bed.core().object_path(found.digest, object));
  fs::remove(object.text);
  CHECK(bed.tree().open("file", O_RDONLY) == -EIO);
  CHECK(bed.tree().write("file", "x", O_APPEND) == -EIO);
  struct stat status;
  CHECK(bed.tree().status("file", true, status) == 0);
  // Nothing of the old content is needed to write a new one.
  CHECK(bed.tree().write("file", "new", O_TRUNC) == 0);
  CHECK(bed.tree().content("file") == "new");
}

TEST_CASE("open answers flags as the kernel does") {
  for_both(fill_small, [](Bed& bed) {
    const int flags[] = {O_RDONLY,
                         O_WRONLY,
                         O_RDWR,
                         O_RDONLY | O_DIRECTORY,
                         O_RDWR | O_DIRECTORY,
                         O_RDONLY | O_NOFOLLOW,
                         O_WRONLY | O_NOFOLLOW,
                         O_PATH,
                         O_PATH | O_NOFOLLOW,
                         O_PATH | O_DIRECTORY,
                         O_RDONLY | O_CREAT,
                         O_RDWR | O_CREAT | O_EXCL,
                         O_WRONLY | O_CREAT | O_NOFOLLOW,
                         O_WRONLY | O_APPEND};
    const char* paths[] = {"file", "file/", "dir", "dir/", "link", "link/", "dir_link", "dir_link/",
                           "dangling", "dangling/", "missing", "missing/", "missing/x", "file/x",
                           "dir/missing/", ".", "dir/.", "dir/..", "", "empty"};
    for (const char* path : paths) {
      for (const int flag : flags) {
        bed.both("open '" + std::string(path) + "' " + std::to_string(flag), [&](Tree& t) {
          const int fd = t.open(path, flag);
          if (fd < 0) return fd;
          struct stat status;
          ::fstat(fd, &status);
          ::close(fd);
          return static_cast<int>(status.st_mode & S_IFMT);
        });
      }
      bed.compare("after opening '" + std::string(path) + "'");
    }
  });
}

TEST_CASE("what an open file is") {
  for_both(fill_big, [](Bed& bed) {
    auto& tree = bed.tree();
    const auto kind_of = [&](const char* path, int flags) {
      const int fd = tree.open(path, flags);
      REQUIRE(fd >= 0);
      CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
      ::close(fd);
      return bed.opened();
    };
    const OpenedKind base = bed.kind == Base::live ? OpenedKind::live : OpenedKind::sealed;
    CHECK(kind_of("file", O_RDONLY) == base);
    CHECK(kind_of("dir", O_RDONLY) == OpenedKind::directory);
    CHECK(kind_of("file", O_RDWR) == OpenedKind::draft);
    CHECK(kind_of("file", O_RDONLY) == OpenedKind::draft);
    CHECK(kind_of("new", O_CREAT | O_WRONLY) == OpenedKind::draft);
    CHECK(kind_of("other", O_CREAT | O_RDONLY) == OpenedKind::draft);
    CHECK(kind_of(".", O_TMPFILE | O_RDWR) == OpenedKind::draft);
    CHECK(kind_of("big", O_PATH) == base);
    // touch(1) does not copy a large file: it cannot write through this.
    if (bed.kind == Base::snapshot) {
      CHECK(kind_of("big", O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY) == OpenedKind::sealed);
    }
  });
}

TEST_CASE("writing never reaches the base") {
  for_both(fill_big, [](Bed& bed) {
    for (const char* path : {"file", "big", "dir/inner", "nothing", "link"}) {
      bed.both("append", [&](Tree& t) { return t.write(path, "more", O_APPEND); });
    }
    bed.both("truncate by open", [](Tree& t) { return t.write("other", "", O_TRUNC); });
    bed.both("write through a dangling link", [](Tree& t) { return t.write("dangling", "made"); });
    bed.both("a new file", [](Tree& t) { return t.write("empty/new", "new"); });
    bed.both("create with a mode", [](Tree& t) {
      const int fd = t.open("moded", O_CREAT | O_EXCL | O_WRONLY, 0400);
      return fd < 0 ? fd : ::close(fd);
    });
    bed.compare("written");
    if (bed.kind == Base::snapshot) {
      const ObjectStore objects(bed.store);
      objects.for_each([&](const Digest& digest, uint64_t) { CHECK(objects.verify(digest)); });
    }
  });
}

TEST_CASE("attributes change as by the kernel's calls") {
  const struct timespec exact[2] = {{1'000'000'001, 5}, {1'100'000'002, 999'999'999}};
  const struct timespec modified[2] = {{0, UTIME_OMIT}, {1'200'000'000, 1}};
  const struct timespec accessed[2] = {{1'300'000'000, 7}, {0, UTIME_OMIT}};
  const struct timespec invalid[2] = {{0, 0}, {0, 1'000'000'000}};
  const struct timespec omitted[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
  for_both(fill_big, [&](Bed& bed) {
    for (const std::string& path :
         {std::string("file"), std::string("big"), std::string("dir"), std::string("link"),
          std::string("dir/three"), std::string("missing"), std::string("file/x"),
          std::string("dir/sub/"), std::string("dangling"), std::string("other/")}) {
      bed.both("chmod " + path, [&](Tree& t) { return t.mode(path, 04751); });
      bed.compare("chmod " + path);
      bed.both("chown " + path, [&](Tree& t) { return t.owner(path, 12, 34); });
      bed.both("chown only the group " + path, [&](Tree& t) { return t.owner(path, static_cast<uid_t>(-1), 35); });
      bed.compare("chown " + path);
      bed.both("utimes " + path, [&](Tree& t) { return t.times(path, exact); });
      bed.both("mtime " + path, [&](Tree& t) { return t.times(path, modified); });
      bed.both("atime " + path, [&](Tree& t) { return t.times(path, accessed); });
      bed.both("invalid " + path, [&](Tree& t) { return t.times(path, invalid); });
      // The kernel does not even look at the path then, which is for the caller to know.
      struct stat status;
      if (bed.native().status(path, true, status) == 0) {
        bed.both("omitted " + path, [&](Tree& t) { return t.times(path, omitted); });
      }
      bed.compare("times " + path);
    }
    bed.both("times of a link", [&](Tree& t) { return t.times("link", exact, false); });
    bed.both("times now", [](Tree& t) { return t.times("script", nullptr); });
    bed.compare("after all");
  });
}

TEST_CASE("access times are kept to the nanosecond") {
  const struct timespec times[2] = {{1'000'000'001, 5}, {1'100'000'002, 7}};
  for_both(fill_small, [&](Bed& bed) {
    for (const char* path : {"file", "dir", "one"}) {
      REQUIRE(bed.tree().times(path, times) == 0);
      const struct stat status = status_in(bed, path);
      CHECK(same_time(status.st_atim, times[0]));
      CHECK(same_time(status.st_mtim, times[1]));
    }
  });
}

TEST_CASE("metadata of a sealed file changes without copying it") {
  Bed bed(Base::snapshot, fill_big);
  const struct timespec times[2] = {{1, 2}, {3, 4}};
  const ino_t inode = status_in(bed, "big").st_ino;
  REQUIRE(bed.tree().mode("big", 0600) == 0);
  REQUIRE(bed.tree().times("big", times) == 0);
  const Lookup found = bed.look("big");
  CHECK(found.source == Source::record);
  CHECK(found.status.st_ino == inode);
  CHECK(found.status.st_mode == (S_IFREG | 0600));
  CHECK(found.status.st_mtim.tv_nsec == 4);
  CHECK(bed.tree().content("big") == bed.native().content("big"));
  // A later write keeps what the record said.
  REQUIRE(bed.tree().write("big", "tail", O_APPEND) == 0);
  const struct stat status = status_in(bed, "big");
  CHECK(status.st_ino == inode);
  CHECK(status.st_mode == (S_IFREG | 0600));
  CHECK(status.st_size == (3 << 20) + 4);
}

TEST_CASE("truncate and access answer as the kernel's") {
  for_both(fill_big, [](Bed& bed) {
    for (const char* path : {"file", "big", "nothing", "dir", "link", "dangling", "missing", "two"}) {
      for (const off_t length : {off_t{5}, off_t{100}, off_t{0}, off_t{-1}, off_t{1} << 30}) {
        if (length == off_t{1} << 30 && std::string(path) != "file") continue;
        bed.both("truncate " + std::string(path) + " " + std::to_string(length),
                 [&](Tree& t) { return t.truncate(path, length); });
        struct stat expected = {};
        struct stat seen = {};
        const int native = bed.native().status(path, true, expected);
        CHECK(bed.tree().status(path, true, seen) == native);
        CHECK((S_ISDIR(expected.st_mode) || seen.st_size == expected.st_size));
      }
    }
    bed.both("shrink", [](Tree& t) { return t.truncate("file", 3); });
    bed.compare("truncated");
    for (const char* path : {"file", "script", "dir", "link", "dangling", "missing", "missing/x",
                             "file/x", "other", "full/a", "dir/"}) {
      for (const int mask : {F_OK, R_OK, W_OK, X_OK, R_OK | W_OK | X_OK}) {
        bed.both("access " + std::string(path) + " " + std::to_string(mask),
                 [&](Tree& t) { return t.access(path, mask); });
      }
    }
  });
}

TEST_CASE("the identity that a draft carries is not believed of another inode") {
  Bed bed(Base::live, fill_small);
  REQUIRE(bed.tree().write("file", "x", O_APPEND) == 0);
  const fs::path draft = bed.upper("file");
  char value[256];
  const ssize_t size = ::getxattr(draft.c_str(), kIdentityAttribute, value, sizeof(value));
  if (size < 0) return;  // no attributes here: nothing to believe
  const fs::path copy = bed.upper("copy");
  write_file(copy, "copied with its attributes");
  REQUIRE(::setxattr(copy.c_str(), kIdentityAttribute, value, static_cast<size_t>(size), 0) == 0);
  struct stat status = status_of(copy);
  const ino_t own = status.st_ino;
  restore_identity(bed.core(), copy.c_str(), status);
  CHECK(status.st_ino == own);
}

TEST_CASE("rights of a sealed file are those of its mode, not of its object") {
  struct stat status = {};
  status.st_mode = S_IFREG | 0644;
  if (::geteuid() == 0) {
    CHECK(check_access(status, R_OK | W_OK, true) == 0);
    CHECK(check_access(status, X_OK, true) == -EACCES);
    status.st_mode = S_IFREG | 0001;
    CHECK(check_access(status, R_OK | W_OK | X_OK, true) == 0);
    status.st_mode = S_IFDIR;
    CHECK(check_access(status, X_OK, true) == 0);
    return;
  }
  status.st_uid = ::geteuid();
  CHECK(check_access(status, R_OK | W_OK, true) == 0);
  CHECK(check_access(status, X_OK, true) == -EACCES);
  status.st_mode = S_IFREG | 0077;
  CHECK(check_access(status, R_OK, true) == -EACCES);
}
