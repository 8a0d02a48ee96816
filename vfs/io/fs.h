// Files and directories. Paths are relative to an open directory (AT_FDCWD: the
// working directory). Failures are negative errnos, as open(2) and its kin say them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "cas/descriptor.h"
#include "vfs/io/buffer.h"
#include "vfs/io/task.h"

namespace vfs::io {

// How open(2) is asked. Descriptors are always close-on-exec.
struct OpenOptions {
  bool read = true;
  bool write = false;
  bool append = false;
  bool truncate = false;
  bool create = false;      // makes it if it is missing
  bool create_new = false;  // -EEXIST if it is not missing
  bool directory = false;   // -ENOTDIR for anything else
  bool follow = true;       // a link as the last component; else -ELOOP
  bool wait = true;         // for the other end of a FIFO
  mode_t mode = 0666;       // of a new file, before the umask
  uint64_t resolve = 0;     // RESOLVE_* of openat2(2)

  int flags() const;
};

// To the bytes of `buffer` that begin at `start`: `size` of them at most, as one
// operation, of a descriptor that stays open meanwhile. Does not touch buffer.size().
Task<Transfer> read_into(int fd, Buffer buffer, size_t start, size_t size, int64_t position);

// As File::read_full() and File::write_full().
Task<Transfer> read_full(int fd, Buffer buffer, int64_t position);
Task<Transfer> write_full(int fd, Buffer buffer, int64_t position);

// An open file whose bytes have positions. Any number of its operations may be under
// way at once. Closed by its destructor, if not before.
class File {
 public:
  File() = default;
  explicit File(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // Up to buffer.capacity() bytes from `position` on, fewer at the end of the file and
  // wherever the kernel stops; 0 at the end.
  Task<Transfer> read(Buffer buffer, int64_t position) const;
  // Up to buffer.size() bytes.
  Task<Transfer> write(Buffer buffer, int64_t position) const;
  // The same until the buffer is full, or the file ends; until all is written.
  Task<Transfer> read_full(Buffer buffer, int64_t position) const {
    return io::read_full(fd(), std::move(buffer), position);
  }
  Task<Transfer> write_full(Buffer buffer, int64_t position) const {
    return io::write_full(fd(), std::move(buffer), position);
  }

  // Until the bytes are on the disk (fsync(2)).
  Task<long> synchronize() const;
  // What close(2) says; the descriptor is free in any case, also if it is cancelled.
  Task<long> close();

  int fd() const { return descriptor_.get(); }
  Descriptor release() { return std::move(descriptor_); }

 private:
  Descriptor descriptor_;
};

struct Opened {
  long error = 0;  // a negative errno, or 0
  File file;
};
Task<Opened> open(int directory, std::string path, OpenOptions options);

struct Metadata {
  long error = 0;
  struct stat status = {};
};
// Of a link that is the last component: the link's own.
Task<Metadata> metadata(int directory, std::string path, bool follow = false);

struct DirectoryEntry {
  std::string name;  // neither "." nor ".."
  uint64_t inode;
  unsigned char type;  // DT_*
};

// Reads a directory piece by piece. One read at a time.
class DirectoryReader {
 public:
  // `directory`: opened with OpenOptions::directory; it is read from where it stands.
  explicit DirectoryReader(File directory) : directory_(std::move(directory)) {}

  // Some entries; none at the end. Negative errno in `error`.
  Task<std::vector<DirectoryEntry>> next(long& error);
  int fd() const { return directory_.fd(); }

 private:
  File directory_;
};

// One directory; with `parents` also those above that are missing, and it is no error
// that it is there.
Task<long> create_directory(int directory, std::string path, mode_t mode, bool parents = false);

// A file, or a directory with all that is in it, whatever its permissions where we may
// change them. Follows no link, and stays below `path` whatever others do meanwhile; what
// is mounted there stays, with -EXDEV (from Linux 5.6 on).
// 0 too if it was not there. What was removed before an error stays removed.
Task<long> remove_all(int directory, std::string path);

Task<long> set_permissions(int directory, std::string path, mode_t mode);

}  // namespace vfs::io
