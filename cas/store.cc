#include "cas/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "cas/descriptor.h"
#include "cas/error.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr char kFormatHeading[] = "libvfs store ";
constexpr int kFormat = 1;

void make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw system_error(path.string(), errno, "choose another place with VFS_STORE");
  }
}

void write_format(const Store& store) {
  const fs::path temporary = store.temporary_name();
  Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const std::string text = fmt::format("{}{}\n", kFormatHeading, kFormat);
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw system_error(temporary.string(), errno, "check free space and permissions of the store");
  }
  // Whoever comes second leaves the first one's in place.
  const int linked = ::link(temporary.c_str(), (store.path() / "format").c_str());
  const int error = errno;
  ::unlink(temporary.c_str());
  if (linked != 0 && error != EEXIST) throw system_error(store.path().string(), error);
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

}  // namespace

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

Store Store::open(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) throw system_error(path.string(), error.value(), "choose another place with VFS_STORE");
    make_directory(path);
  }
  if (!fs::is_directory(path, ignored)) {
    throw Error(path.string(), "the store is not a directory", "set VFS_STORE to a directory");
  }
  Store store(fs::canonical(path));
  const fs::path file = store.path_ / "format";
  Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) {
    check_format(file, fd);
  } else if (errno != ENOENT) {
    throw system_error(file.string(), errno, "check the permissions of the store");
  }
  if (::access(store.path_.c_str(), W_OK | X_OK) != 0) {
    throw system_error(store.path_.string(), errno,
                       "the store must be writable; choose another with VFS_STORE");
  }
  for (const fs::path& part :
       {store.objects(), store.indexes(), store.workspaces(), store.temporary()}) {
    make_directory(part);
  }
  if (!fd) write_format(store);
  return store;
}

std::filesystem::path Store::temporary_name() const {
  static std::atomic<unsigned> counter;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return temporary() / fmt::format("{}.{}.{}", getpid(), counter.fetch_add(1), now.tv_nsec);
}

}  // namespace vfs
