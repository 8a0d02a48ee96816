#include "vfs/io/fs.h"

#include <dirent.h>
#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "vfs/io/group.h"
#include "vfs/io/stream.h"

namespace vfs::io {
namespace {

// The kernel's words for a directory: getdents64 has no operation in any ring.
constexpr size_t kListing = 32 << 10;  // bytes

long error_of(int result) { return result < 0 ? -errno : result; }

Task<Transfer> transfer(Operation::Kind kind, int fd, Buffer buffer, size_t from, size_t size, int64_t position) {
  Operation operation;
  operation.kind = kind;
  operation.fd = fd;
  operation.memory = buffer.data() + from;
  operation.size = size;
  operation.position = position;
  const long count = co_await Await(operation);
  co_return Transfer{count, std::move(buffer)};
}

int open_directory(int directory, const char* name, uint64_t resolve) {
  struct open_how how = {};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = resolve;
  const long fd = resolve == 0 ? -1 : ::syscall(SYS_openat2, directory, name, &how, sizeof(how));
  if (fd >= 0 || (resolve != 0 && errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
  return ::openat(directory, name, static_cast<int>(how.flags));
}

// What is in memory already is copied from there by the thread that is going to work on it,
// while its own cache has the bytes: a ring would copy it for all that wait, before anyone
// looks at it. Small pieces gain more by being asked for together.
constexpr size_t kAtOnce = 64 << 10;  // bytes

// Bytes that were read without waiting for a disk, or -EAGAIN.
long read_at_once(int fd, char* memory, size_t size, int64_t position) {
  const struct iovec piece = {memory, size};
  const ssize_t count = ::preadv2(fd, &piece, 1, position, RWF_NOWAIT);
  return count < 0 ? -EAGAIN : count;
}

// A directory, also one that its owner may not read. A descriptor, or a negative errno.
int open_to_empty(int directory, const char* name, uint64_t resolve) {
  int fd = open_directory(directory, name, resolve);
  if (fd < 0 && errno == EACCES && ::fchmodat(directory, name, S_IRWXU, 0) == 0) {
    fd = open_directory(directory, name, resolve);
  }
  return fd < 0 ? -errno : fd;
}

// Removes what is in the directory, which is closed then.
long empty_directory(int fd) {
  DIR* const stream = ::fdopendir(fd);
  if (stream == nullptr) {
    const long error = -errno;
    ::close(fd);
    return error;
  }
  long result = 0;
  struct stat status;
  if (::fstat(fd, &status) == 0 && (status.st_mode & S_IRWXU) != S_IRWXU) ::fchmod(fd, S_IRWXU);
  while (const struct dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || ::unlinkat(::dirfd(stream), entry->d_name, 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR && errno != EPERM) {
      result = -errno;
      break;
    }
    // What is mounted there is not ours to empty.
    const int below = open_to_empty(::dirfd(stream), entry->d_name, RESOLVE_NO_XDEV);
    result = below < 0 ? below : empty_directory(below);
    if (result == 0) result = error_of(::unlinkat(::dirfd(stream), entry->d_name, AT_REMOVEDIR));
    if (result == -ENOENT) result = 0;  // another was faster
    if (result != 0) break;
  }
  ::closedir(stream);
  return result;
}

long remove_now(int directory, const char* path) {
  if (::unlinkat(directory, path, 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return -errno;
  const long refused = -errno;
  const int fd = open_to_empty(directory, path, 0);
  if (fd < 0) return fd == -ENOTDIR ? refused : fd;
  const long result = empty_directory(fd);
  return result != 0 ? result : error_of(::unlinkat(directory, path, AT_REMOVEDIR));
}

long make_with_parents(int directory, std::string& path, mode_t mode) {
  const int made = ::mkdirat(directory, path.c_str(), mode);
  if (made == 0) return 0;
  struct stat status;
  if (errno == EEXIST) return ::fstatat(directory, path.c_str(), &status, 0) == 0 && S_ISDIR(status.st_mode) ? 0 : -EEXIST;
  const size_t end = path.find_last_not_of('/');
  const size_t slash = end == std::string::npos ? end : path.find_last_of('/', end);
  if (errno != ENOENT || slash == std::string::npos || slash == 0) return -errno;
  std::string parent = path.substr(0, slash);
  const long result = make_with_parents(directory, parent, 0777);
  if (result != 0) return result;
  return ::mkdirat(directory, path.c_str(), mode) == 0 || errno == EEXIST ? 0 : -errno;
}

}  // namespace

int OpenOptions::flags() const {
  int flags = O_CLOEXEC | (read && write ? O_RDWR : write ? O_WRONLY : O_RDONLY);
  if (append) flags |= O_APPEND;
  if (truncate) flags |= O_TRUNC;
  if (create || create_new) flags |= O_CREAT;
  if (create_new) flags |= O_EXCL;
  if (directory) flags |= O_DIRECTORY;
  if (!follow) flags |= O_NOFOLLOW;
  if (!wait) flags |= O_NONBLOCK;
  return flags;
}

Task<Transfer> read_into(int fd, Buffer buffer, size_t start, size_t size, int64_t position) {
  if (size >= kAtOnce && position >= 0) {
    co_await Yield{};
    Scope& scope = co_await CurrentScope{};
    const long count = scope.is_cancelled() ? -ECANCELED : read_at_once(fd, buffer.data() + start, size, position);
    if (count != -EAGAIN) co_return Transfer{count, std::move(buffer)};
  }
  Transfer done = co_await transfer(Operation::Kind::read, fd, std::move(buffer), start, size, position);
  co_return done;
}

Task<Transfer> read_full(int fd, Buffer buffer, int64_t position) {
  Transfer done{0, std::move(buffer)};
  size_t filled = 0;
  while (filled < done.buffer.capacity()) {
    const size_t room = done.buffer.capacity() - filled;
    const int64_t at = position + static_cast<int64_t>(filled);
    done = co_await read_into(fd, std::move(done.buffer), filled, room, at);
    if (done.count <= 0) break;
    filled += static_cast<size_t>(done.count);
  }
  if (done.count >= 0) done.count = static_cast<long>(filled);
  done.buffer.resize(filled);
  co_return done;
}

Task<Transfer> write_full(int fd, Buffer buffer, int64_t position) {
  Transfer done{0, std::move(buffer)};
  size_t written = 0;
  while (written < done.buffer.size()) {
    const size_t rest = done.buffer.size() - written;
    const int64_t at = position + static_cast<int64_t>(written);
    done = co_await transfer(Operation::Kind::write, fd, std::move(done.buffer), written, rest, at);
    if (done.count < 0) co_return done;
    written += static_cast<size_t>(done.count);
  }
  done.count = static_cast<long>(written);
  co_return done;
}

Task<Transfer> File::read(Buffer buffer, int64_t position) const {
  const size_t room = buffer.capacity();
  Transfer done = co_await read_into(fd(), std::move(buffer), 0, room, position);
  done.buffer.resize(done.count > 0 ? static_cast<size_t>(done.count) : 0);
  co_return done;
}

Task<Transfer> File::write(Buffer buffer, int64_t position) const {
  const size_t size = buffer.size();
  Transfer done = co_await transfer(Operation::Kind::write, fd(), std::move(buffer), 0, size, position);
  co_return done;
}

Task<long> File::synchronize() const {
  Operation operation;
  operation.kind = Operation::Kind::synchronize;
  operation.fd = fd();
  const long result = co_await Await(operation);
  co_return result;
}

Task<long> File::close() { return close_descriptor(std::move(descriptor_)); }

Task<Opened> open(int directory, std::string path, OpenOptions options) {
  Operation operation;
  operation.kind = Operation::Kind::open;
  operation.fd = directory;
  operation.path = path.c_str();
  operation.how.flags = static_cast<uint64_t>(options.flags());
  operation.how.mode = options.create || options.create_new ? options.mode : 0;
  operation.how.resolve = options.resolve;
  const long result = co_await Await(operation);
  Opened opened;
  opened.error = result < 0 ? result : 0;
  if (result >= 0) opened.file = File(Descriptor(static_cast<int>(result)));
  co_return opened;
}

Task<Metadata> metadata(int directory, std::string path, bool follow) {
  const auto ask = [&] {
    Metadata result;
    const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    result.error = error_of(::fstatat(directory, path.c_str(), &result.status, flags));
    return result;
  };
  co_return co_await call(ask);
}

Task<std::vector<DirectoryEntry>> DirectoryReader::next(long& error) {
  const int fd = directory_.fd();
  const auto read = [fd, &error] {
    std::vector<DirectoryEntry> entries;
    alignas(struct dirent64) char listing[kListing];
    for (ssize_t count = 1; entries.empty() && count > 0;) {
      count = ::getdents64(fd, listing, sizeof(listing));
      error = count < 0 ? -errno : 0;
      for (ssize_t at = 0; at < count;) {
        const auto* entry = reinterpret_cast<const struct dirent64*>(listing + at);
        at += entry->d_reclen;
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        entries.push_back({std::string(name), entry->d_ino, entry->d_type});
      }
    }
    return entries;
  };
  co_return co_await call(read);
}

Task<long> create_directory(int directory, std::string path, mode_t mode, bool parents) {
  const auto make = [&] {
    return parents ? make_with_parents(directory, path, mode) : error_of(::mkdirat(directory, path.c_str(), mode));
  };
  co_return co_await call(make);
}

Task<long> remove_all(int directory, std::string path) {
  const auto remove = [&] { return remove_now(directory, path.c_str()); };
  co_return co_await call(remove);
}

Task<long> set_permissions(int directory, std::string path, mode_t mode) {
  const auto change = [&] { return error_of(::fchmodat(directory, path.c_str(), mode, 0)); };
  co_return co_await call(change);
}

}  // namespace vfs::io
