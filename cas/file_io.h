// Reading and writing whole files, for the store.
#pragma once

#include <stddef.h>

#include <filesystem>
#include <string_view>

#include "cas/descriptor.h"
#include "cas/digest.h"
#include "cas/error.h"

namespace vfs {

constexpr size_t kPiece = 1 << 20;  // bytes read or written at once
// What stays in a processor's own cache between a copy and the hash of it.
constexpr size_t kCachedPiece = kPiece / 4;  // bytes

// The error of a write that `error` (an errno) ended: says plainly if the file system is full.
Error write_error(const std::filesystem::path& path, int error);

// Writes all of `data`; `path` is for messages. Throws Error, and says so
// plainly if the file system is full.
void write_all(int fd, std::string_view data, const std::filesystem::path& path);

// Reads from where `fd` stands: `size` bytes, fewer only at the end of the
// file. Throws Error about `name`.
size_t read_up_to(int fd, char* data, size_t size, std::string_view name);

// Whether two files have the same bytes, from where they stand to their ends.
bool same_bytes(int a, int b);

// The digest of everything from where `fd` stands to the end.
Digest digest_of_file(int fd, std::string_view name);

// Makes a directory into which nobody but its owner can look, whatever the umask.
// One that is there stays as it is. False, and errno set, if it cannot be made.
bool make_private_directory(const std::filesystem::path& path);

// The same for an empty file. Does not open one that is there.
bool make_private_file(const std::filesystem::path& path);
// Opens a file for reading and writing; one that is missing is made, and nobody
// but its owner can read it, whatever the umask. No descriptor, and errno set,
// if that fails.
Descriptor open_private(const std::filesystem::path& path);

// Opens a regular file for reading, and nothing else that may have got its name: no
// link is followed, no FIFO waited for, no device read without end. No descriptor,
// and errno set, otherwise: EINVAL for what is no regular file.
Descriptor open_regular(const std::filesystem::path& path);

// A new, empty file, open for writing, that is unlinked when it goes out of
// scope unless it was moved away under another name before.
class TemporaryFile {
 public:
  // Makes the parent directory if it is missing. Throws Error if it cannot be made.
  explicit TemporaryFile(std::filesystem::path path);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view data) { write_all(fd_.get(), data, path_); }

  // Ends the file at `size` bytes, or leaves a hole up to there.
  void set_size(int64_t size);

  // Open for reading and writing until finish().
  int fd() const { return fd_.get(); }

  // Waits until the bytes are on the disk.
  void synchronize();

  // Sets the mode and closes. A file that is to be executed must not be open
  // for writing any more when others can see it: the kernel would answer
  // "text file busy".
  void finish(unsigned mode);

  // Renames, replacing what is there. Only after finish().
  void replace(const std::filesystem::path& target);
  // Renames unless there is something; then returns false. Makes the parent
  // directory if it is missing.
  bool move_if_absent(const std::filesystem::path& target);

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  Descriptor fd_;
  bool moved_ = false;
};

}  // namespace vfs
