// Files on their way into objects, and objects read to see whether they are sound: one
// pass over the bytes, which come by completions.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "cas/error.h"
#include "cas/file_io.h"
#include "cas/hash.h"
#include "cas/object_store.h"
#include "cas/same_time.h"
#include "vfs/io/for_each.h"
#include "vfs/io/fs.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSmall = 1 << 20;    // bytes: read whole, hashed before anything is written
constexpr size_t kWritten = 2 << 20;  // bytes: of a large object, at once
constexpr int kAttempts = 5;          // at a source that changes

bool unchanged(const struct stat& before, const struct stat& after) {
  return before.st_size == after.st_size && same_time(before.st_mtim, after.st_mtim) &&
         same_time(before.st_ctim, after.st_ctim);
}

// Holes are kept: SEEK_DATA and SEEK_HOLE answer from the object.
bool is_sparse(const struct stat& status) { return status.st_blocks * 512 < status.st_size; }

// The piece of a sparse file that begins at `position`: all data, or all hole.
struct Segment {
  size_t size;
  bool is_hole;
};
Segment segment_at(int fd, off_t position, off_t end) {
  const off_t data = ::lseek(fd, position, SEEK_DATA);
  const bool is_hole = data != position;
  off_t next = is_hole ? data : ::lseek(fd, position, SEEK_HOLE);
  if (next <= position) next = std::max(end, position + 1);  // no data behind it
  return {static_cast<size_t>(std::min<off_t>(next - position, kCachedPiece)), is_hole};
}

// A large object while it is made. Hashed while a processor's own cache has the bytes;
// written in larger pieces, since the page cache keeps a file in units as large as it
// was written in, and every later read and fault takes as many steps as there are units.
class LargeObject {
 public:
  explicit LargeObject(const Store& store) : temporary_(store.temporary_name()), piece_(kWritten) {}

  // Takes the next `most` bytes of `fd`, or fewer. How many: 0 at the end. Throws Error.
  io::Task<size_t> take(int fd, size_t most, std::string_view name);
  // The bytes taken last were a hole: `size` of them.
  io::Task<> turn_into_hole(size_t size);
  // What was taken and not written yet. Throws Error.
  io::Task<> write();

  uint64_t size() const { return size_; }
  Digest digest() const { return hash_.digest(); }
  TemporaryFile& temporary() { return temporary_; }

 private:
  TemporaryFile temporary_;
  StreamingHash hash_;
  io::Buffer piece_;
  size_t gathered_ = 0;   // bytes in piece_
  uint64_t size_ = 0;
  int64_t written_ = 0;   // bytes, holes among them
};

io::Task<size_t> LargeObject::take(int fd, size_t most, std::string_view name) {
  if (gathered_ + most > kWritten) co_await write();
  size_t count = 0;
  while (count < most) {
    const size_t start = gathered_ + count;
    const auto position = static_cast<int64_t>(size_ + count);
    io::Transfer done = co_await io::read_into(fd, std::move(piece_), start, most - count, position);
    piece_ = std::move(done.buffer);
    if (done.count < 0) throw system_error(std::string(name), static_cast<int>(-done.count));
    if (done.count == 0) break;
    count += static_cast<size_t>(done.count);
  }
  hash_.update(piece_.data() + gathered_, count);
  gathered_ += count;
  size_ += count;
  co_return count;
}

io::Task<> LargeObject::turn_into_hole(size_t size) {
  gathered_ -= size;
  co_await write();
  written_ += static_cast<int64_t>(size);
  temporary_.set_size(written_);
}

io::Task<> LargeObject::write() {
  piece_.resize(gathered_);
  io::Transfer done = co_await io::write_full(temporary_.fd(), std::move(piece_), written_);
  piece_ = std::move(done.buffer);
  if (done.count < 0) throw write_error(temporary_.path(), static_cast<int>(-done.count));
  written_ += done.count;
  gathered_ = 0;
}

// The digest of a file's bytes from its start to its end.
io::Task<Digest> read_digest(int fd, size_t size, std::string_view name) {
  StreamingHash hash;
  // A byte more than there should be, so that the end shows at the first look.
  io::Buffer piece(std::clamp<size_t>(size + 1, 4096, kCachedPiece));
  for (int64_t position = 0;;) {
    io::Transfer done = co_await io::read_full(fd, std::move(piece), position);
    piece = std::move(done.buffer);
    if (done.count < 0) throw system_error(std::string(name), static_cast<int>(-done.count));
    hash.update(piece.data(), piece.size());
    if (piece.size() < piece.capacity()) co_return hash.digest();
    position += done.count;
  }
}

}  // namespace

io::Task<StoredObject> ObjectStore::put_large(int fd, std::string_view name, const struct stat& status) const {
  LargeObject object(store_);
  const bool sparse = is_sparse(status);
  for (;;) {
    const Segment segment = sparse ? segment_at(fd, static_cast<off_t>(object.size()), status.st_size)
                                   : Segment{kCachedPiece, false};
    const size_t count = co_await object.take(fd, segment.size, name);
    if (count == 0) break;
    if (segment.is_hole) co_await object.turn_into_hole(count);
  }
  co_await object.write();
  StoredObject stored{};
  stored.size = object.size();
  stored.digest = object.digest();
  stored.added = publish(object.temporary(), stored.digest);
  co_return stored;
}

io::Task<StoredObject> ObjectStore::put_small(int fd, std::string_view name, size_t size) const {
  // Growth shows in the status behind the bytes, but for files of the kernel, which
  // are empty and yet have something to read.
  io::Transfer done = co_await io::read_full(fd, io::Buffer(std::max<size_t>(size, 1)), 0);
  if (done.count < 0) throw system_error(std::string(name), static_cast<int>(-done.count));
  co_return put_bytes(done.buffer.text());
}

io::Task<std::optional<StoredObject>> ObjectStore::take(int fd, std::string name) const {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    struct stat before;
    struct stat after;
    if (::fstat(fd, &before) != 0) throw system_error(name, errno);
    if (!S_ISREG(before.st_mode)) co_return std::nullopt;
    const size_t size = static_cast<size_t>(before.st_size);
    const bool small = size <= kSmall && !is_sparse(before);
    io::Task<StoredObject> put = small ? put_small(fd, name, size) : put_large(fd, name, before);
    StoredObject stored = co_await put;
    if (::fstat(fd, &after) != 0) throw system_error(name, errno);
    if (stored.size == size && unchanged(before, after)) {
      stored.source = before;
      co_return stored;
    }
  }
  throw Error(name, "it changes while it is being read", "try again when nothing writes to it");
}

std::optional<StoredObject> ObjectStore::put_if_regular(int fd, std::string_view name) const {
  return io::run(take(fd, std::string(name)));
}

StoredObject ObjectStore::put(int fd, std::string_view name) const {
  const std::optional<StoredObject> stored = put_if_regular(fd, name);
  if (!stored) throw Error(std::string(name), "not a regular file");
  return *stored;
}

StoredObject ObjectStore::put_file(const fs::path& path) const {
  // Nobody waits for the writer of a FIFO here.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) throw system_error(path.string(), errno);
  return put(fd.get(), path.native());
}

io::Task<std::string> ObjectStore::look_for_problem(Digest digest) const {
  // Anything may stand in its place, also a FIFO that nobody writes to.
  io::OpenOptions options;
  options.follow = false;
  options.wait = false;
  io::Opened opened = co_await io::open(AT_FDCWD, file(digest), options);
  if (opened.error == -ENOENT) co_return "missing";
  if (opened.error == -ELOOP) co_return "damaged: it is no regular file";
  struct stat status;
  if (opened.error != 0 || ::fstat(opened.file.fd(), &status) != 0) {
    co_return fmt::format("damaged: it cannot be opened ({})", strerrordesc_np(static_cast<int>(-opened.error)));
  }
  if (!S_ISREG(status.st_mode)) co_return "damaged: it is no regular file";
  std::string why;
  try {
    const Digest found = co_await read_digest(opened.file.fd(), static_cast<size_t>(status.st_size), "object");
    if (found == digest) co_return why;
  } catch (const Error& error) {
    why = fmt::format("damaged: it cannot be read ({})", error.why);
  }
  if (!why.empty()) co_return why;
  co_return fmt::format("damaged: its {} bytes are not those it is named after", status.st_size);
}

std::string ObjectStore::problem(const Digest& digest) const { return io::run(look_for_problem(digest)); }

}  // namespace vfs
