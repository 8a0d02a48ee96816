// Who calls dlopen: its DT_RPATH or DT_RUNPATH is searched for a bare name, and
// its directory is what $ORIGIN stands for.
#pragma once

#include "shim/libraries.h"

namespace shim {

// The file of the program, or of the library that code belongs to, with the
// memory that a LibraryUser points into. Plain data: all zeros is "none".
class LoadedFile {
 public:
  void find_program();
  // False: the code is the program's own, or of no file.
  bool find_library_of(const void* code);
  // Points into this object.
  LibraryUser user() const;

 private:
  void follow_link();
  void take_real();

  vfs::PathBuffer real_;  // empty: not known
  vfs::PathBuffer path_;
  bool in_tree_;
};

}  // namespace shim
