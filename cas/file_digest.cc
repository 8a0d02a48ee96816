// The digest of a file. A large one is read and hashed by two threads: copying
// out of the page cache takes longer than hashing, and neither waits for the other.
#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <semaphore>
#include <system_error>
#include <thread>

#include "cas/error.h"
#include "cas/file_io.h"
#include "cas/hash.h"

namespace vfs {
namespace {

constexpr off_t kLarge = 16 << 20;  // bytes: below, a second thread is not worth its start

// A thread that reads a file into a ring of pieces.
class ReadAhead {
 public:
  ReadAhead(int fd, std::string_view name) : fd_(fd), name_(name) {}
  // Throws std::system_error if there is no thread to be had.
  void start() {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }
  ~ReadAhead() {
    thread_.request_stop();
    free_.release();
  }

  // The next piece, valid until the next call; empty at the end. Throws Error.
  std::string_view next() {
    if (taken_ > 0) free_.release();
    filled_.acquire();
    const Piece& piece = pieces_[taken_++ % kPieces];
    if (piece.failure) std::rethrow_exception(piece.failure);
    return {piece.bytes.get(), piece.size};
  }

 private:
  static constexpr size_t kPieces = 4;
  struct Piece {
    std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(kCachedPiece);
    size_t size = 0;
    std::exception_ptr failure;
  };

  void run(const std::stop_token& stop) {
    for (size_t i = 0;; ++i) {
      free_.acquire();
      if (stop.stop_requested()) return;
      Piece& piece = pieces_[i % kPieces];
      try {
        piece.size = read_up_to(fd_, piece.bytes.get(), kCachedPiece, name_);
      } catch (const Error&) {
        piece.failure = std::current_exception();
      }
      const bool last = piece.failure || piece.size == 0;
      filled_.release();
      if (last) return;
    }
  }

  const int fd_;
  const std::string_view name_;
  Piece pieces_[kPieces];
  std::counting_semaphore<kPieces + 1> free_{kPieces};
  std::counting_semaphore<kPieces> filled_{0};
  size_t taken_ = 0;
  std::jthread thread_;  // last: it ends before what it uses
};

bool hash_ahead(int fd, std::string_view name, StreamingHash& hash) {
  ReadAhead reader(fd, name);
  try {
    reader.start();
  } catch (const std::system_error&) {
    return false;  // at the limit of threads
  }
  for (std::string_view piece; !(piece = reader.next()).empty();) hash.update(piece);
  return true;
}

}  // namespace

Digest digest_of_file(int fd, std::string_view name) {
  StreamingHash hash;
  struct stat status;
  if (::fstat(fd, &status) != 0) throw system_error(std::string(name), errno);
  if (status.st_size >= kLarge && hash_ahead(fd, name, hash)) return hash.digest();
  // A byte more than there should be, so that the end shows at the first look.
  const size_t size = std::clamp<size_t>(static_cast<size_t>(status.st_size) + 1, 4096, kCachedPiece);
  const auto piece = std::make_unique_for_overwrite<char[]>(size);
  for (;;) {
    const size_t count = read_up_to(fd, piece.get(), size, name);
    hash.update(piece.get(), count);
    if (count < size) return hash.digest();
  }
}

}  // namespace vfs
