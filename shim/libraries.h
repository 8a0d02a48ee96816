// Shared libraries of the tree, for ld.so.
//
// ld.so opens libraries by itself, with raw system calls: it finds what is
// really there, not what the tree says. So a program's libraries are searched
// here, over virtual look-ups and in ld.so's order, and those that the tree
// provides are put, under the names they are asked for, into a directory of
// links that LD_LIBRARY_PATH leads to.
//
// Out of reach: DT_NEEDED entries with a slash and a PT_INTERP in the tree
// (the kernel opens that), and hardware-specific subdirectories (glibc-hwcaps),
// which ld.so finds only where they really are.
#pragma once

#include "shim/elf_file.h"
#include "vfs/core/path_buffer.h"

namespace shim {

// What ld.so is told about libraries of the tree.
struct LibraryChoice {
  vfs::PathBuffer directory;  // for LD_LIBRARY_PATH; empty: none
  vfs::PathBuffer preload;    // LD_PRELOAD with real files; empty: as it was

  // Something is missing in the tree which ld.so would find all the same: the
  // program has to be started by `loader`, told where not to look. Empty: no.
  vfs::PathBuffer loader;
  vfs::PathBuffer search;     // --library-path
  vfs::PathBuffer inhibited;  // --inhibit-rpath
};

// Whether a list of directories or files as in LD_LIBRARY_PATH or LD_PRELOAD
// may lead into the tree. Null: no.
bool may_lead_into_tree(const char* list, const char* separators);

// The program or library whose libraries are wanted.
struct LibraryUser {
  const char* file;                // that can be opened
  const vfs::PathBuffer* path;     // relative to the root; null: outside
  const char* name;                // outside: its absolute name, or null
};

// Searches for everything that `user` needs and fills in `choice`. What cannot
// be prepared is left out: ld.so then says what it misses.
void choose_libraries(const LibraryUser& user, const char* library_path, const char* preload,
                      LibraryChoice& choice);

// What dlopen is asked for.
struct LibraryRequest {
  LibraryUser program;
  LibraryUser caller;         // no file: the program itself
  const char* name;
  const char* library_path;
  bool with_needed;           // also what it needs is to be there
  bool any;                   // one that ld.so finds as well is not left to it
};

enum class Answered : uint8_t {
  no,       // ld.so finds what there is to be found
  yes,      // it has to be given another path
  missing,  // not in the tree, but ld.so would find a file that the tree hides
};

// Looks for what dlopen is asked for and gives the real file. Before, calls
// `use(context, real file, name)` for each library of the tree that it needs;
// the name is null if the file says the same of itself (DT_SONAME).
using UseLibrary = bool (*)(void* context, const char* file, const char* name);
Answered find_library(const LibraryRequest& request, UseLibrary use, void* context,
                      vfs::PathBuffer& real);

}  // namespace shim
