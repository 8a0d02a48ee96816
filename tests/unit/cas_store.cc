#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <vector>

#include "cas/error.h"
#include "cas/object_store.h"
#include "manifest/manifest.h"
#include "tests/unit/cas_fixture.h"

namespace vfs::test {
namespace {

Error error_of_opening(const fs::path& path) {
  try {
    Store::open(path);
  } catch (const Error& error) {
    return error;
  }
  FAIL("opening " << path << " did not fail");
  throw std::logic_error("not reached");
}

}  // namespace

TEST_CASE("a store is made on first use and found again") {
  Scratch scratch;
  const Store store = Store::open(scratch / "deep/below/store");
  CHECK(read_file(store.path() / "format") == "libvfs store 1\n");
  for (const fs::path& part :
       {store.path(), store.objects(), store.indexes(), store.workspaces(), store.temporary()}) {
    CHECK((status_of(part).st_mode & 07777) == 0700);
  }
  CHECK(fs::is_empty(store.temporary()));
  CHECK(Store::open(store.path()).path() == store.path());
}

TEST_CASE("a store's path may be relative or a link") {
  Scratch scratch;
  fs::create_directory(scratch / "real");
  fs::create_symlink("real", scratch / "link");
  CHECK(Store::open(scratch / "link").path() == scratch / "real");
  const fs::path before = fs::current_path();
  fs::current_path(scratch.path());
  const fs::path opened = Store::open("relative").path();
  fs::current_path(before);
  CHECK(opened == scratch / "relative");
}

TEST_CASE("a store of a newer format is refused and says what to do") {
  Scratch scratch;
  scratch.store();
  write_file(scratch / "store/format", "libvfs store 2\n");
  const Error error = error_of_opening(scratch / "store");
  CHECK(error.why.find("format 2") != std::string::npos);
  CHECK(error.hint.find("newer libvfs") != std::string::npos);
}

TEST_CASE("what is no store is refused and left alone") {
  Scratch scratch;
  write_file(scratch / "file", "mine");
  CHECK(error_of_opening(scratch / "file").why == "the store is not a directory");
  CHECK(read_file(scratch / "file") == "mine");

  fs::create_directory(scratch / "home");
  write_file(scratch / "home/letter", "dear");
  CHECK(error_of_opening(scratch / "home").why.find("letter") != std::string::npos);
  CHECK(std::distance(fs::directory_iterator(scratch / "home"), {}) == 1);

  scratch.store();
  write_file(scratch / "store/format", "something else");
  CHECK(error_of_opening(scratch / "store").why == "not a store's format file");
  write_file(scratch / "store/format", "");
  CHECK(error_of_opening(scratch / "store").why == "not a store's format file");
  CHECK_THROWS_AS(Store::open(""), Error);
}

TEST_CASE("a store without write permission is refused") {
  Scratch scratch;
  scratch.store();
  ::chmod(scratch.path().c_str(), 0755);
  ::chmod((scratch / "store").c_str(), 0555);
  const bool root = ::geteuid() == 0;
  if (root) REQUIRE(::seteuid(65534) == 0);  // who may do everything is refused nothing
  std::string why;
  try {
    Store::open(scratch / "store");
  } catch (const Error& error) {
    why = error.why;
  }
  if (root) REQUIRE(::seteuid(0) == 0);
  CHECK(why == "Permission denied");
  ::chmod((scratch / "store").c_str(), 0700);
}

TEST_CASE("a store is private, whatever the umask") {
  for (const mode_t mask : {0000, 0002, 0777}) {
    Scratch scratch;
    fs::create_directory(scratch / "made before");
    ::chmod((scratch / "made before").c_str(), 0775);
    const mode_t before = ::umask(mask);
    for (const char* name : {"store", "made before"}) {
      const Store store = Store::open(scratch / name);
      const ObjectStore objects(store);
      objects.put_bytes("small");
      objects.put_bytes(std::string(3 << 20, 'l'));
      const StoreLock lock(store, StoreLock::shared);
      const Manifest manifest(store);
      Store::open(scratch / name);
    }
    ::umask(before);
    for (const char* name : {"store", "made before"}) {
      CHECK((status_of(scratch / name).st_mode & 07777) == 0700);
      for (const auto& entry : fs::recursive_directory_iterator(scratch / name)) {
        INFO(entry.path() << " " << mask);
        const struct stat status = status_of(entry.path());
        const bool object = status.st_size != 0 && S_ISREG(status.st_mode) &&
                            entry.path().string().find("/objects/") != std::string::npos;
        CHECK((status.st_mode & 07777) == (S_ISDIR(status.st_mode) ? 0700 : object ? 0555 : 0600));
      }
    }
  }
}

TEST_CASE("a store that others may write to is refused, unless that is meant") {
  Scratch scratch;
  scratch.store();
  for (const mode_t mode : {0770, 0702, 0777}) {
    ::chmod((scratch / "store").c_str(), mode);
    const Error error = error_of_opening(scratch / "store");
    CHECK(error.why.find("others can write to the store") != std::string::npos);
    CHECK(error.hint.find("VFS_STORE_SHARED=1") != std::string::npos);
    setenv("VFS_STORE_SHARED", "0", 1);
    error_of_opening(scratch / "store");
    setenv("VFS_STORE_SHARED", "1", 1);
    CHECK(Store::open(scratch / "store").path() == scratch / "store");
    unsetenv("VFS_STORE_SHARED");
    CHECK((status_of(scratch / "store").st_mode & 07777) == mode);
  }
  ::chmod((scratch / "store").c_str(), 0755);
  Store::open(scratch / "store");
  if (::geteuid() != 0) return;  // nobody else can give a store away
  // Root may; others may not have root's.
  ::chmod(scratch.path().c_str(), 0755);
  ::chmod((scratch / "store").c_str(), 0777);
  ::chmod((scratch / "store/format").c_str(), 0666);
  REQUIRE(::seteuid(65534) == 0);
  std::string why;
  try {
    Store::open(scratch / "store");
  } catch (const Error& error) {
    why = error.why;
  }
  REQUIRE(::seteuid(0) == 0);
  CHECK(why.find("belongs to another user") != std::string::npos);
  ::chmod((scratch / "store").c_str(), 0700);
  REQUIRE(::chown((scratch / "store").c_str(), 65534, 65534) == 0);
  CHECK(Store::open(scratch / "store").path() == scratch / "store");
}

TEST_CASE("many processes may make one store at the same time") {
  Scratch scratch;
  for (int round = 0; round < 10; ++round) {
    const fs::path path = scratch / ("store" + std::to_string(round));
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        int code = 0;
        try {
          const Store store = Store::open(path);
          write_file(store.manifest(), "made right away");
        } catch (const std::exception&) {
          code = 1;
        }
        ::_exit(code);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      CHECK(status == 0);
    }
    CHECK(read_file(path / "format") == "libvfs store 1\n");
    CHECK(fs::is_empty(path / "tmp"));
  }
}

TEST_CASE("where the store is, by the environment") {
  const auto save = [](const char* name) {
    const char* value = getenv(name);
    return value != nullptr ? std::string(value) : std::string();
  };
  const std::string home = save("HOME");
  const std::string data = save("XDG_DATA_HOME");
  const std::string store = save("VFS_STORE");
  setenv("HOME", "/home/somebody", 1);
  unsetenv("XDG_DATA_HOME");
  unsetenv("VFS_STORE");
  CHECK(Store::default_path() == "/home/somebody/.local/share/vfs");
  setenv("XDG_DATA_HOME", "/data", 1);
  CHECK(Store::default_path() == "/data/vfs");
  setenv("XDG_DATA_HOME", "not/absolute", 1);
  CHECK(Store::default_path() == "/home/somebody/.local/share/vfs");
  setenv("VFS_STORE", "/elsewhere", 1);
  CHECK(Store::default_path() == "/elsewhere");
  unsetenv("VFS_STORE");
  unsetenv("XDG_DATA_HOME");
  unsetenv("HOME");
  CHECK_THROWS_AS(Store::default_path(), Error);
  setenv("HOME", home.c_str(), 1);
  if (!data.empty()) setenv("XDG_DATA_HOME", data.c_str(), 1);
  if (!store.empty()) setenv("VFS_STORE", store.c_str(), 1);
}

TEST_CASE("an exclusive store lock waits for the shared ones") {
  Scratch scratch;
  const Store store = scratch.store();
  int start[2];
  int done[2];
  REQUIRE(::pipe(start) == 0);
  REQUIRE(::pipe(done) == 0);
  // Forked before any lock is taken: a child would share the parent's.
  const pid_t child = ::fork();
  if (child == 0) {
    char go;
    if (::read(start[0], &go, 1) != 1) ::_exit(1);
    const StoreLock lock(store, StoreLock::exclusive);
    ::_exit(::write(done[1], "x", 1) == 1 ? 0 : 1);
  }
  char got = 0;
  {
    const StoreLock first(store, StoreLock::shared);
    const StoreLock second(store, StoreLock::shared);
    REQUIRE(::write(start[1], "x", 1) == 1);
    ::usleep(100'000);
    ::fcntl(done[0], F_SETFL, O_NONBLOCK);
    CHECK(::read(done[0], &got, 1) == -1);
  }
  ::fcntl(done[0], F_SETFL, 0);
  CHECK(::read(done[0], &got, 1) == 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  for (const int fd : {start[0], start[1], done[0], done[1]}) ::close(fd);
}

}  // namespace vfs::test
