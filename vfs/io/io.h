// What can be read from and written to, whatever it is, and the loops over it.
#pragma once

#include <errno.h>

#include <concepts>
#include <string>

#include "vfs/io/buffer.h"
#include "vfs/io/task.h"

namespace vfs::io {

// read(buffer) waits until there is something, and reads up to buffer.capacity() bytes:
// 0 at the end (and for a buffer without room), or a negative errno.
template <typename T>
concept AsyncRead = requires(T& source, Buffer buffer) {
  { source.read(std::move(buffer)) } -> std::same_as<Task<Transfer>>;
};

// write(buffer) waits until there is room, and writes up to buffer.size() bytes: how
// many, which may be fewer, or a negative errno.
template <typename T>
concept AsyncWrite = requires(T& target, Buffer buffer) {
  { target.write(std::move(buffer)) } -> std::same_as<Task<Transfer>>;
};

// Writes all of `buffer`, and gives it back as it was. The count is buffer.size(), or
// the negative errno that ended it; how much was written before that is not known then.
// `target` outlives the task.
template <AsyncWrite Target>
Task<Transfer> write_all(Target& target, Buffer buffer) {
  Transfer result;
  while (buffer.size() > 0) {
    Task<Transfer> task = target.write(std::move(buffer));
    result = co_await std::move(task);
    buffer = std::move(result.buffer);
    if (result.count == 0) result.count = -EIO;  // it would be asked for ever
    if (result.count < 0) break;
    buffer.remove_prefix(static_cast<size_t>(result.count));
  }
  buffer.restore_prefix();
  if (result.count >= 0) result.count = static_cast<long>(buffer.size());
  result.buffer = std::move(buffer);
  co_return std::move(result);
}

struct Contents {
  long error = 0;  // a negative errno, or 0
  std::string bytes;
};

// All there is, up to its end. -EFBIG, and the first `limit` bytes, if it is more than
// `limit`; after any other error what was read before it. `source` outlives the task.
template <AsyncRead Source>
Task<Contents> read_to_end(Source& source, size_t limit) {
  constexpr size_t kPiece = 64 << 10;  // bytes
  Contents contents;
  Buffer buffer(kPiece);
  for (;;) {
    Task<Transfer> task = source.read(std::move(buffer));
    Transfer piece = co_await std::move(task);
    if (piece.count <= 0) {
      contents.error = piece.count;
      break;
    }
    buffer = std::move(piece.buffer);
    const size_t left = limit - contents.bytes.size();
    contents.bytes.append(buffer.text().substr(0, left));
    if (buffer.size() > left) {
      contents.error = -EFBIG;
      break;
    }
  }
  co_return std::move(contents);
}

}  // namespace vfs::io
