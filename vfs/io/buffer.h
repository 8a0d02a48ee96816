// Bytes with one owner, who hands them over to an operation and gets them back.
#pragma once

#include <stddef.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace vfs::io {

// A fixed room of `capacity` bytes, of which the first `size` count. Moved, never
// copied: while the kernel, or a worker, reads or fills it, nobody else has it.
class Buffer {
 public:
  Buffer() = default;
  // Uninitialized. Throws std::bad_alloc.
  explicit Buffer(size_t capacity)
      : bytes_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}
  explicit Buffer(std::string_view bytes) : Buffer(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), bytes_.get());
    size_ = bytes.size();
  }
  Buffer(Buffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)),
        hidden_(std::exchange(other.hidden_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    capacity_ = std::exchange(other.capacity_, 0);
    size_ = std::exchange(other.size_, 0);
    hidden_ = std::exchange(other.hidden_, 0);
    return *this;
  }

  char* data() { return bytes_.get() + hidden_; }
  const char* data() const { return bytes_.get() + hidden_; }
  size_t capacity() const { return capacity_; }
  size_t size() const { return size_; }
  void resize(size_t size) { size_ = std::min(size, capacity_); }
  std::string_view text() const { return {data(), size_}; }

  // The first `count` bytes, at most size(), no longer count as part of it, until
  // restore_prefix(): what is left to be written.
  void remove_prefix(size_t count) {
    count = std::min(count, size_);
    hidden_ += count;
    capacity_ -= count;
    size_ -= count;
  }
  void restore_prefix() {
    capacity_ += hidden_;
    size_ += hidden_;
    hidden_ = 0;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;  // bytes, from data() on
  size_t size_ = 0;
  size_t hidden_ = 0;    // before data()
};

// What an operation gives back: how many bytes, or a negative errno, and always the
// buffer. Of a read, the buffer's size is set to that count.
struct Transfer {
  long count = 0;
  Buffer buffer;
};

}  // namespace vfs::io
