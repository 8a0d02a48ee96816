#include "cas/object_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "cas/error.h"
#include "cas/hash.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSmall = 1 << 20;   // bytes: read whole, hashed before anything is written
constexpr size_t kPiece = 1 << 20;   // bytes

void write_all(int fd, const char* data, size_t size, const fs::path& path) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      throw system_error(path.string(), errno, "make room in the store's file system");
    }
    data += written;
    size -= static_cast<size_t>(written);
  }
}

// Up to `size` bytes; fewer only at the end of the file.
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

// A temporary file that goes away unless it was published.
struct Temporary {
  fs::path path;
  Descriptor fd;

  explicit Temporary(fs::path at)
      : path(std::move(at)),
        fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    if (!fd) throw system_error(path.string(), errno, "check the permissions of the store");
  }
  ~Temporary() { ::unlink(path.c_str()); }
};

}  // namespace

std::filesystem::path ObjectStore::path(const Digest& digest) const {
  char below[kObjectPathLength];
  object_path_below_store(digest, below);
  return store_.path() / std::string_view(below, sizeof(below));
}

bool ObjectStore::contains(const Digest& digest) const {
  return ::access(path(digest).c_str(), F_OK) == 0;
}

Descriptor ObjectStore::open(const Digest& digest) const {
  const fs::path file = path(digest);
  Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw system_error("object " + digest_text(digest), errno, "run `vfs verify`");
  return fd;
}

std::string ObjectStore::read(const Digest& digest) const {
  const Descriptor fd = open(digest);
  struct stat status;
  ::fstat(fd.get(), &status);
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  bytes.resize(read_up_to(fd.get(), bytes.data(), bytes.size(), digest_text(digest)));
  return bytes;
}

// Links a finished temporary to its place. False: the object was there, and
// has the same bytes.
bool ObjectStore::publish(const fs::path& temporary, const Digest& digest) const {
  const fs::path target = path(digest);
  if (::chmod(temporary.c_str(), 0555) != 0) throw system_error(temporary.string(), errno);
  int linked = ::link(temporary.c_str(), target.c_str());
  if (linked != 0 && errno == ENOENT) {
    ::mkdir(target.parent_path().c_str(), 0700);
    linked = ::link(temporary.c_str(), target.c_str());
  }
  if (linked == 0) return true;
  if (errno != EEXIST) throw system_error(target.string(), errno);
  Descriptor ours(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
  Descriptor theirs(::open(target.c_str(), O_RDONLY | O_CLOEXEC));
  if (!ours || !theirs) throw system_error(target.string(), errno);
  if (!same_bytes(ours.get(), theirs.get())) {
    throw Error("object " + digest_text(digest), "the store has other bytes under this digest",
                "the object is damaged, or two files collide: run `vfs verify`");
  }
  return false;
}

StoredObject ObjectStore::put_small(std::string_view bytes) const {
  StoredObject stored{digest_of(bytes.data(), bytes.size()), bytes.size(), false};
  Descriptor existing(::open(path(stored.digest).c_str(), O_RDONLY | O_CLOEXEC));
  if (existing) {
    std::string other(bytes.size() + 1, '\0');
    other.resize(read_up_to(existing.get(), other.data(), other.size(), "object"));
    if (other == bytes) return stored;
    throw Error("object " + digest_text(stored.digest),
                "the store has other bytes under this digest",
                "the object is damaged, or two files collide: run `vfs verify`");
  }
  Temporary temporary(store_.temporary_name());
  write_all(temporary.fd.get(), bytes.data(), bytes.size(), temporary.path);
  stored.added = publish(temporary.path, stored.digest);
  return stored;
}

StoredObject ObjectStore::put_large(int fd, std::string_view name) const {
  Temporary temporary(store_.temporary_name());
  StreamingHash hash;
  std::vector<char> piece(kPiece);
  StoredObject stored{};
  for (;;) {
    const size_t count = read_up_to(fd, piece.data(), piece.size(), name);
    if (count == 0) break;
    hash.update(piece.data(), count);
    write_all(temporary.fd.get(), piece.data(), count, temporary.path);
    stored.size += count;
  }
  stored.digest = hash.digest();
  stored.added = publish(temporary.path, stored.digest);
  return stored;
}

StoredObject ObjectStore::put(int fd, std::string_view name) const {
  for (int attempt = 0; attempt < 5; ++attempt) {
    struct stat before;
    struct stat after;
    if (::fstat(fd, &before) != 0 || ::lseek(fd, 0, SEEK_SET) < 0) {
      throw system_error(std::string(name), errno);
    }
    StoredObject stored;
    const size_t size = static_cast<size_t>(before.st_size);
    if (size <= kSmall) {
      std::string bytes(size + 1, '\0');
      bytes.resize(read_up_to(fd, bytes.data(), bytes.size(), name));
      stored = put_small(bytes);
    } else {
      stored = put_large(fd, name);
    }
    ::fstat(fd, &after);
    const bool still = stored.size == size && after.st_size == before.st_size &&
                       after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
                       after.st_mtim.tv_nsec == before.st_mtim.tv_nsec;
    if (still) return stored;
  }
  throw Error(std::string(name), "it changes while it is being read",
              "try again when nothing writes to it");
}

StoredObject ObjectStore::put_file(const fs::path& path) const {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) throw system_error(path.string(), errno);
  return put(fd.get(), path.native());
}

StoredObject ObjectStore::put_bytes(std::string_view bytes) const { return put_small(bytes); }

bool ObjectStore::verify(const Digest& digest) const {
  Descriptor fd(::open(path(digest).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  StreamingHash hash;
  std::vector<char> piece(kPiece);
  try {
    while (const size_t count = read_up_to(fd.get(), piece.data(), piece.size(), "object")) {
      hash.update(piece.data(), count);
    }
  } catch (const Error&) {
    return false;  // an object that cannot be read is as bad as a changed one
  }
  return hash.digest() == digest;
}

void ObjectStore::for_each(
    const std::function<void(const Digest&, uint64_t size)>& visit) const {
  for (const auto& shard : fs::directory_iterator(store_.objects())) {
    for (const auto& file : fs::directory_iterator(shard.path())) {
      const std::string hex = shard.path().filename().string() + file.path().filename().string();
      Digest digest;
      if (hex.size() == Digest::kHexLength && digest_from_hex(hex.data(), digest)) {
        visit(digest, file.file_size());
      }
    }
  }
}

uint64_t ObjectStore::remove(const Digest& digest) const {
  const fs::path file = path(digest);
  struct stat status;
  if (::lstat(file.c_str(), &status) != 0) return 0;
  if (::unlink(file.c_str()) != 0) throw system_error(file.string(), errno);
  // Programs started from an object have it linked in `run` too.
  return static_cast<uint64_t>(status.st_size);
}

}  // namespace vfs
