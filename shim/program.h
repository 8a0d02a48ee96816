// What to really start for a path: scripts unrolled down to a file that the
// kernel can be given.
#pragma once

#include "shim/locate.h"
#include "shim/scratch.h"
#include "shim/script.h"

namespace shim {

// A program as execve or execveat got it.
struct ProgramName {
  int dirfd;
  const char* path;
  int flags;
};

// One program of the chain script -> interpreter -> interpreter's interpreter.
struct ProgramFile {
  vfs::PathBuffer name;  // as the next interpreter gets to see it
  vfs::PathBuffer real;  // what the kernel has to be given
  vfs::PathBuffer path;  // relative to the root, if it is in the tree
  bool in_tree;
  bool sealed;           // `real` is an object
  bool plain;            // the kernel gets to the same file by `name` itself
  char head[kHeadSize];
  const char* argument;  // of the interpreter line; null: none, or no script
};

// Scripts that the system installed do not name interpreters in somebody's
// build tree: not worth reading each program before it starts.
bool is_of_the_system(const char* path);

// Plain data of constant size; lives in a Scratch.
class Program {
 public:
  // Follows the chain from `program`. 0, or the negative errno with which
  // execve fails. `always_look`: also tell what a file is that the system
  // installed, because its libraries matter.
  int resolve(const ProgramName& program, bool always_look);

  // What execve gets. Null: `program` itself, by the same call as was made.
  const char* path_to_start() const;
  // How many scripts before the started file have to be put into its argv.
  unsigned unrolled() const { return started_; }
  // Writes argv for it: `out` has room for room_for(argv).
  void write_arguments(char* const* argv, char** out) const;
  static size_t count(char* const* strings);
  size_t room_for(char* const* argv) const { return count(argv) + 2 * started_ + 2; }

  // The name the process shall have (/proc/self/comm), if the kernel would not
  // take it from what it is given: that of a script, or of a link; or null.
  const char* process_name() const;

  // The file whose path that is.
  const ProgramFile& started() const { return files_[started_]; }

  // The file at the end of the chain: an ELF program, mostly.
  const ProgramFile& last() const { return files_[last_]; }

 private:
  // The kernel unrolls five scripts and says ELOOP to the sixth.
  static constexpr unsigned kMostScripts = 5;

  int locate_file(ProgramFile& file, const ProgramName& program, vfs::Follow follow);
  int locate_descriptor_file(ProgramFile& file, int fd);
  void choose_start();

  unsigned last_;
  unsigned started_;
  ProgramFile files_[kMostScripts + 2];
};

}  // namespace shim
