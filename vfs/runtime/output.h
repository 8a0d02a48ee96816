// Where a call writes to.
#pragma once

#include "vfs/core/path_buffer.h"
#include "vfs/runtime/result.h"

namespace vfs::runtime {

// The file itself, or with RT_ATOMIC a new one beside it that takes its name in
// finish(). Without finish() nothing has happened to the name.
class Output {
 public:
  Output() = default;
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // `how` is O_TRUNC, O_APPEND or 0, for when it is the file itself; `mode` what
  // a new file gets, less the umask; `flags` of vfsrt.h. 0 or a negative errno.
  int open(const char* path, int how, mode_t mode, unsigned flags);
  int descriptor() const { return file_.get(); }
  // Whether this is the file that is written to or replaced.
  bool is(const struct stat& status) const;
  // To the disk if that is wanted, then the name, then that to the disk. 0 or a
  // negative errno.
  int finish();

 private:
  // The names of a new file: ".rt-" and 16 digits.
  struct Temporary {
    char name[4 + 16 + 1];
    void choose();
  };

  int open_atomic(const char* path, mode_t mode);
  int find_place(const char* path);
  int dress();

  Descriptor file_;
  Descriptor directory_;   // where the name is; only if it is needed
  PathBuffer place_;       // all links followed
  unsigned flags_ = 0;
  bool replaces_ = false;  // `replaced_` is what there is
  struct stat replaced_;
  bool unfinished_ = false;  // `temporary_` exists
  Temporary temporary_;
};

}  // namespace vfs::runtime
