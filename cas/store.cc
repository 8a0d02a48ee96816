#include "cas/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iterator>

#include "cas/error.h"
#include "cas/file_io.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr char kFormatHeading[] = "libvfs store ";
constexpr int kFormat = 1;

void make_directory(const fs::path& path) {
  if (!make_private_directory(path)) {
    throw system_error(path.string(), errno, "choose another place with VFS_STORE");
  }
  // What is swept in tmp/ must not be what a link leads to.
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    throw Error(path.string(), "not a directory", "remove it: the store makes its own");
  }
}

void write_format(const Store& store) {
  TemporaryFile file(store.temporary_name());
  file.write(fmt::format("{}{}\n", kFormatHeading, kFormat));
  // Once in a store's life: a power failure must not leave an empty one, which
  // would make all of the store unreadable.
  file.synchronize();
  file.finish(0600);
  // Whoever comes second leaves the first one's in place.
  file.move_if_absent(store.path() / "format");
}

// VFS_STORE=$HOME would strew our directories all over it.
void check_ours(const fs::path& directory) {
  constexpr std::string_view kOurs[] = {"objects", "indexes", "workspaces", "tmp"};
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (std::find(std::begin(kOurs), std::end(kOurs), name) == std::end(kOurs)) {
      // Another process may have finished making it since we looked.
      if (::access((directory / "format").c_str(), F_OK) == 0) return;
      throw Error(directory.string(), "not a store, and not empty: it has '" + name + "'",
                  "set VFS_STORE to an empty or a new directory");
    }
  }
  if (error) throw system_error(directory.string(), error.value());
}

void check_format(const fs::path& file, const Descriptor& fd) {
  char text[64] = {};
  const ssize_t length = ::read(fd.get(), text, sizeof(text) - 1);
  int number = 0;
  if (length <= 0 || sscanf(text, "libvfs store %d", &number) != 1) {
    throw Error(file.string(), "not a store's format file",
                "choose another directory with VFS_STORE");
  }
  if (number > kFormat) {
    throw Error(file.parent_path().string(),
                fmt::format("the store has format {}, this program knows up to {}", number, kFormat),
                "use a newer libvfs, or another store with VFS_STORE");
  }
}

// Whoever can write to the store decides what programs read and run.
void check_private(const fs::path& directory) {
  struct stat status;
  if (::stat(directory.c_str(), &status) != 0) throw system_error(directory.string(), errno);
  if (status.st_uid != ::geteuid() && ::geteuid() != 0) {
    throw Error(directory.string(), fmt::format("the store belongs to another user ({})", status.st_uid),
                "set VFS_STORE to a store of your own, or VFS_STORE_SHARED=1 if this one is meant");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw Error(directory.string(),
                fmt::format("others can write to the store (mode {:04o})", status.st_mode & 07777),
                "`chmod 700` it: they could change what programs read and run;\n"
                "     or set VFS_STORE_SHARED=1 if that is meant");
  }
}

}  // namespace

bool store_is_shared() {
  const char* shared = getenv("VFS_STORE_SHARED");
  return shared != nullptr && strcmp(shared, "1") == 0;
}

std::filesystem::path Store::default_path() {
  if (const char* store = getenv("VFS_STORE"); store != nullptr && *store != '\0') {
    return fs::absolute(store);
  }
  if (const char* data = getenv("XDG_DATA_HOME"); data != nullptr && *data == '/') {
    return fs::path(data) / "vfs";
  }
  if (const char* home = getenv("HOME"); home != nullptr && *home == '/') {
    return fs::path(home) / ".local/share/vfs";
  }
  throw Error("store", "neither VFS_STORE, XDG_DATA_HOME nor HOME says where it is",
              "set VFS_STORE to a directory");
}

Store Store::open(const std::filesystem::path& wanted) {
  std::error_code error;
  const fs::path path = fs::absolute(wanted, error);
  if (error || wanted.empty()) {
    throw Error(wanted.string(), "not a usable path", "set VFS_STORE to a directory");
  }
  if (!fs::exists(path, error)) {
    fs::create_directories(path.parent_path(), error);
    if (error) throw system_error(path.string(), error.value(), "choose another place with VFS_STORE");
    make_directory(path);
  }
  if (!fs::is_directory(path, error)) {
    throw Error(path.string(), "the store is not a directory", "set VFS_STORE to a directory");
  }
  const fs::path real = fs::canonical(path, error);
  if (error) throw system_error(path.string(), error.value(), "choose another place with VFS_STORE");
  Store store(real);
  store.prepare();
  return store;
}

void Store::prepare() {
  const fs::path file = path_ / "format";
  const Descriptor fd = open_regular(file);
  const int error = errno;
  if (!fd && error != ENOENT) {
    throw system_error(file.string(), error, "check the permissions of the store");
  }
  if (fd) check_format(file, fd);
  if (::access(path_.c_str(), W_OK | X_OK) != 0) {
    throw system_error(path_.string(), errno,
                       "the store must be writable; choose another with VFS_STORE");
  }
  if (!fd) check_ours(path_);
  if (!store_is_shared()) {
    // An empty directory that the user made, with the usual umask.
    if (!fd) ::chmod(path_.c_str(), 0700);
    check_private(path_);
  }
  for (const fs::path& part : {objects(), indexes(), workspaces(), temporary()}) {
    make_directory(part);
  }
  if (!fd) write_format(*this);
}

// One call for all objects: to wait for each would flush the disk as often.
void Store::synchronize() const {
  const Descriptor fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::syncfs(fd.get()) != 0) throw system_error(path_.string(), errno);
}

std::filesystem::path Store::temporary_name() const {
  static std::atomic<unsigned> counter;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return temporary() / fmt::format("{}.{}.{}", getpid(), counter.fetch_add(1), now.tv_nsec);
}

StoreLock::StoreLock(const Store& store, Kind kind, const std::function<void()>& waiting) {
  const fs::path path = store.path() / "lock";
  const int operation = kind == exclusive ? LOCK_EX : LOCK_SH;
  file_ = open_private(path);
  if (!file_) throw system_error(path.string(), errno, "check the permissions of the store");
  if (waiting) {
    if (::flock(file_.get(), operation | LOCK_NB) == 0) return;
    if (errno == EWOULDBLOCK) waiting();
  }
  while (::flock(file_.get(), operation) != 0) {
    if (errno != EINTR) throw system_error(path.string(), errno);
  }
}

}  // namespace vfs
