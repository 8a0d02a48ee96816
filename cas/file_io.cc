#include "cas/file_io.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "cas/error.h"
#include "cas/hash.h"

namespace vfs {

Error write_error(const std::filesystem::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return system_error(path.string(), error,
                      full ? "make room in the store's file system, for instance with `vfs gc`" : "");
}

void write_all(int fd, std::string_view data, const std::filesystem::path& path) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw write_error(path, errno);
    }
    data.remove_prefix(static_cast<size_t>(written));
  }
}

size_t read_up_to(int fd, char* data, size_t size, std::string_view name) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(fd, data + done, size - done);
    if (count < 0) {
      if (errno == EINTR) continue;
      throw system_error(std::string(name), errno);
    }
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

bool same_bytes(int a, int b) {
  std::vector<char> left(kPiece);
  std::vector<char> right(kPiece);
  for (;;) {
    const size_t count = read_up_to(a, left.data(), kPiece, "object");
    if (read_up_to(b, right.data(), kPiece, "object") != count) return false;
    if (memcmp(left.data(), right.data(), count) != 0) return false;
    if (count < kPiece) return true;
  }
}

Digest digest_of_file(int fd, std::string_view name) {
  StreamingHash hash;
  struct stat status;
  if (::fstat(fd, &status) != 0) throw system_error(std::string(name), errno);
  // A byte more than there should be, so that the end shows at the first look.
  const size_t size = std::clamp<size_t>(static_cast<size_t>(status.st_size) + 1, 4096, kCachedPiece);
  const auto piece = std::make_unique_for_overwrite<char[]>(size);
  for (;;) {
    const size_t count = read_up_to(fd, piece.get(), size, name);
    hash.update(piece.get(), count);
    if (count < size) return hash.digest();
  }
}

bool make_private_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0) return errno == EEXIST;
  return ::chmod(path.c_str(), 0700) == 0;
}

bool make_private_file(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return fd ? ::fchmod(fd.get(), 0600) == 0 : errno == EEXIST;
}

Descriptor open_private(const std::filesystem::path& path) {
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd || errno != ENOENT || !make_private_file(path)) return fd;
  return Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

Descriptor open_regular(const std::filesystem::path& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  if (!fd) {
    if (errno == ELOOP) errno = EINVAL;
    return fd;
  }
  if (::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode)) return fd;
  errno = EINVAL;
  return {};
}

TemporaryFile::TemporaryFile(std::filesystem::path path)
    : path_(std::move(path)) {
  const auto make = [&] {
    return Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  };
  fd_ = make();
  if (!fd_ && errno == ENOENT) {
    make_private_directory(path_.parent_path());
    fd_ = make();
  }
  if (!fd_) throw system_error(path_.string(), errno, "check the permissions of the store");
}

TemporaryFile::~TemporaryFile() {
  if (!moved_) ::unlink(path_.c_str());
}

void TemporaryFile::set_size(int64_t size) {
  if (::ftruncate(fd_.get(), size) != 0) throw system_error(path_.string(), errno);
}

void TemporaryFile::synchronize() {
  if (::fsync(fd_.get()) != 0) throw system_error(path_.string(), errno);
}

void TemporaryFile::finish(unsigned mode) {
  if (::fchmod(fd_.get(), mode) != 0) throw system_error(path_.string(), errno);
  fd_.reset();
}

void TemporaryFile::replace(const std::filesystem::path& target) {
  if (::rename(path_.c_str(), target.c_str()) != 0) throw system_error(target.string(), errno);
  moved_ = true;
}

bool TemporaryFile::move_if_absent(const std::filesystem::path& target) {
  const auto rename_no_replace = [&] {
    return ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
  };
  int result = rename_no_replace();
  if (result != 0 && errno == ENOENT) {
    make_private_directory(target.parent_path());
    result = rename_no_replace();
  }
  if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {
    // Not every file system has it. A link is as atomic; the temporary name
    // then goes with this object.
    result = ::link(path_.c_str(), target.c_str());
    if (result == 0) return true;
  }
  if (result != 0 && errno == EEXIST) return false;
  if (result != 0) throw system_error(target.string(), errno);
  moved_ = true;
  return true;
}

}  // namespace vfs
