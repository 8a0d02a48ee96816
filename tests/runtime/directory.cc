// Directories: making them, listing them. Locks.
#include <sys/file.h>

#include <set>
#include <vector>

#include "tests/runtime/fixture.h"

using namespace rt_test;

namespace {

std::multiset<string> list(const char* path) {
  size_t count = 0;
  char** names = rt_dir_list(path, &count);
  REQUIRE(names != nullptr);
  std::multiset<string> found(names, names + count);
  CHECK(names[count] == nullptr);
  rt_free(names);
  return found;
}

std::multiset<string> their_list(const char* path) {
  std::multiset<string> found;
  for (const auto& entry : fs::directory_iterator(path)) found.insert(entry.path().filename());
  return found;
}

// Gives the lock that was got back at once.
int try_lock(const char* path, unsigned flags) {
  return error_of([&] {
    const int lock = rt_file_lock(path, flags);
    return lock < 0 ? lock : rt_file_unlock(lock);
  });
}

}  // namespace

TEST_CASE("recursively every missing directory is made, as std::filesystem makes them") {
  Place place;
  fs::create_directories("real/sub");
  fs::create_symlink("real", "link");
  for (const char* path : {"a", "b/c/d", "b/c/d", "b//x///y/", "./e/./f", "g/../h", "link/new/er", "real/sub", ".",
                           "/", "..", "i/"}) {
    INFO(path);
    CHECK(rt_dir_create(path, RT_RECURSIVE) == 0);
    CHECK(fs::is_directory(path));
  }
  const string absolute = (place.path / "j/k").string();
  CHECK(rt_dir_create(absolute.c_str(), RT_RECURSIVE) == 0);
  CHECK(fs::is_directory("j/k"));
  CHECK(fs::is_directory("real/new/er"));
  CHECK(status_of("b/c").st_mode == (S_IFDIR | 0755));
  string deep;
  while (deep.size() < 4000) deep += string(99, 'd') + "/";
  CHECK(rt_dir_create(deep.c_str(), RT_RECURSIVE) == 0);
  CHECK(fs::is_directory(deep));
}

TEST_CASE("a directory that cannot be made") {
  Place place;
  put("file", "");
  fs::create_directory("dir");
  fs::create_symlink("none", "dangling");
  fs::create_symlink("dir", "link");
  CHECK(error_of([] { return rt_dir_create("dir", 0); }) == EEXIST);
  CHECK(error_of([] { return rt_dir_create("link", 0); }) == EEXIST);
  CHECK(error_of([] { return rt_dir_create("link", RT_RECURSIVE); }) == 0);
  CHECK(error_of([] { return rt_dir_create("a/b", 0); }) == ENOENT);
  CHECK(!fs::exists("a"));
  CHECK(error_of([] { return rt_dir_create("file", RT_RECURSIVE); }) == EEXIST);
  CHECK(error_of([] { return rt_dir_create("dangling", RT_RECURSIVE); }) == EEXIST);
  CHECK(error_of([] { return rt_dir_create("file/a/b", RT_RECURSIVE); }) == ENOTDIR);
  CHECK(error_of([] { return rt_dir_create("dangling/a/b", RT_RECURSIVE); }) == ENOENT);
  CHECK(error_of([] { return rt_dir_create(("a/" + string(256, 'n') + "/b").c_str(), RT_RECURSIVE); }) == ENAMETOOLONG);
  CHECK(rt_dir_create("plain", 0) == 0);
  CHECK(fs::is_directory("plain"));
}

TEST_CASE("many make the same directories at once") {
  Place place;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        wrong += rt_dir_create((std::to_string(round) + "/a/b/c/d").c_str(), RT_RECURSIVE) != 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(fs::is_directory("99/a/b/c/d"));
}

TEST_CASE("a directory's names") {
  Place place;
  fs::create_directory("empty");
  CHECK(list("empty").empty());
  fs::create_directory("odd");
  for (const char* name : {"a", "..a", "...", ".hidden", " ", "new\nline", "\xff\xfe", "a b", "-"}) {
    put(fs::path("odd") / name, "");
  }
  CHECK(list("odd").size() == 9);
  CHECK(list("odd") == their_list("odd"));
  // More than the kernel gives at a time, of names of every length.
  fs::create_directory("many");
  for (size_t i = 0; i < 2000; ++i) put("many/" + std::to_string(1000 + i) + string(i % 252, 'x'), "");
  CHECK((list("many") == their_list("many")));
  CHECK(list("many").size() == 2000);
  CHECK(list("/proc/self/task") == their_list("/proc/self/task"));
  fs::create_symlink("odd", "link");
  CHECK(list("link") == list("odd/"));
  char** names = rt_dir_list("odd", nullptr);
  REQUIRE(names != nullptr);
  int count = 0;
  while (names[count] != nullptr) ++count;
  CHECK(count == 9);
  rt_free(names);
}

TEST_CASE("a lock excludes others in the same process, in another, and by fcntl") {
  Place place;
  const int lock = rt_file_lock("file", 0);
  REQUIRE(lock >= 0);
  CHECK(status_of("file").st_mode == (S_IFREG | 0644));
  CHECK((::fcntl(lock, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(try_lock("file", 0) == EAGAIN);
  CHECK(try_lock("file", RT_SHARED) == EAGAIN);
  const auto others = [] {
    return in_child([] {
      struct flock their = {};
      their.l_type = F_WRLCK;
      const int fd = ::open("file", O_RDWR | O_CLOEXEC);
      const int traditional = ::fcntl(fd, F_SETLK, &their) == 0 ? 0 : errno;
      const int by_flock = ::flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
      ::close(fd);
      return name_of(try_lock("file", 0)) + " " + name_of(traditional) + " " + name_of(by_flock);
    });
  };
  CHECK(others() == "EAGAIN EAGAIN success");
  CHECK(rt_file_unlock(lock) == 0);
  CHECK(others() == "success success success");
  CHECK(try_lock("file", 0) == 0);
  CHECK(error_of([&] { return rt_file_unlock(lock); }) == EBADF);
  CHECK(error_of([] { return rt_file_unlock(-1); }) == EBADF);
}

TEST_CASE("shared locks stand beside each other, and want only leave to read") {
  Place place;
  const int one = rt_file_lock("file", RT_SHARED);
  const int two = rt_file_lock("file", RT_SHARED | RT_WAIT);
  REQUIRE((one >= 0 && two >= 0));
  CHECK(try_lock("file", 0) == EAGAIN);
  CHECK(rt_file_unlock(one) == 0);
  CHECK(try_lock("file", 0) == EAGAIN);
  CHECK(rt_file_unlock(two) == 0);
  CHECK(try_lock("file", 0) == 0);
  ::chmod("file", 0444);
  CHECK(as_ordinary_user([] { return name_of(try_lock("file", RT_SHARED)) + " " + name_of(try_lock("file", 0)); }) ==
        "success EACCES");
}

TEST_CASE("a lock dies with its owner, and unlocking does not wait for children that have a copy") {
  Place place;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const bool held = rt_file_lock("file", 0) >= 0;
    if (::write(ends[1], held ? "y" : "n", 1) != 1) ::_exit(1);
    ::alarm(60);
    for (;;) ::pause();
  }
  char held = 'n';
  CHECK((::read(ends[0], &held, 1) == 1 && held == 'y'));
  CHECK(try_lock("file", 0) == EAGAIN);
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  CHECK(try_lock("file", 0) == 0);
  const int lock = rt_file_lock("file", 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    for (;;) ::pause();
  }
  CHECK(rt_file_unlock(lock) == 0);
  CHECK(try_lock("file", 0) == 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("waiting for a lock: it comes, or a signal does") {
  Place place;
  const int lock = rt_file_lock("file", 0);
  {
    Interruptions interruptions;
    CHECK(error_of([] { return rt_file_lock("file", RT_WAIT); }) == EINTR);
    CHECK(Interruptions::count() > 0);
  }
  std::atomic<bool> released = false;
  bool in_turn = false;
  std::thread waiter([&] {
    const int mine = rt_file_lock("file", RT_WAIT);
    in_turn = released && rt_file_unlock(mine) == 0;
  });
  pause_for(20'000);
  released = true;
  CHECK(rt_file_unlock(lock) == 0);
  waiter.join();
  CHECK(in_turn);
}

TEST_CASE("a waiter gets the file that the path leads to, not one that was replaced") {
  Place place;
  for (const bool removed : {false, true}) {
    const int lock = rt_file_lock("file", 0);
    REQUIRE(lock >= 0);
    int mine = -1;
    std::thread waiter([&] { mine = rt_file_lock("file", RT_WAIT); });
    pause_for(20'000);
    CHECK((removed ? rt_file_delete("file") : write_text("file", "new", RT_ATOMIC)) == 0);
    CHECK(rt_file_unlock(lock) == 0);
    waiter.join();
    REQUIRE(mine >= 0);
    struct stat locked;
    REQUIRE(::fstat(mine, &locked) == 0);
    CHECK(locked.st_ino == status_of("file").st_ino);
    CHECK(locked.st_nlink == 1);
    CHECK(try_lock("file", 0) == EAGAIN);
    CHECK(rt_file_unlock(mine) == 0);
  }
}
