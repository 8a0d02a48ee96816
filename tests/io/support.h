// What several tests of io need.
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "vfs/io/group.h"
#include "vfs/io/io.h"
#include "vfs/io/time.h"

namespace vfs::io::test {

// A signal is ignored while this exists.
class Ignored {
 public:
  explicit Ignored(int number) : number_(number), before_(::signal(number, SIG_IGN)) {}
  ~Ignored() { ::signal(number_, before_); }
  Ignored(const Ignored&) = delete;
  Ignored& operator=(const Ignored&) = delete;

 private:
  const int number_;
  const sighandler_t before_;
};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "io_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// `size` bytes that differ, by where they are and by `seed`.
inline std::string some_bytes(size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 1'103'515'245 + 12'345;
    byte = static_cast<char>(seed >> 16);
  }
  return bytes;
}

// Begins `task`, which waits, cancels it soon, and gives what it made of that.
template <typename T>
Task<T> cancelled(Task<T> task) {
  bool in_time = true;
  Task<T> limited = within(1'000'000, std::move(task), in_time);
  T result = co_await std::move(limited);
  if (in_time) throw std::runtime_error("it did not wait");
  co_return std::move(result);
}

// Reads to the end, in small pieces and with pauses.
template <AsyncRead Source>
Task<std::string> read_slowly(Source& source) {
  std::string bytes;
  for (int i = 0;; ++i) {
    Task<Transfer> task = source.read(Buffer(10'007));
    const Transfer piece = co_await std::move(task);
    if (piece.count <= 0) break;
    bytes += piece.buffer.text();
    Task<long> pause = sleep_for(100'000);
    if (i % 16 == 0) co_await std::move(pause);
  }
  co_return std::move(bytes);
}

// Writes all, and what came of it to `count`.
template <AsyncWrite Target>
Task<> write_text(Target& target, std::string text, long& count) {
  Task<Transfer> task = write_all(target, Buffer(text));
  const Transfer result = co_await std::move(task);
  count = result.count;
}

// The value of a task: for tests that ask many things, one after the other.
template <typename T>
T get(Executor& executor, Task<T> task) {
  return executor.run(std::move(task));
}

}  // namespace vfs::io::test
