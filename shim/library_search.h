// The search for the libraries a program needs, as ld.so would make it if it
// saw the tree.
#pragma once

#include "shim/elf_file.h"
#include "shim/libraries.h"

namespace shim {

struct Library {
  const char* name;           // as it is asked for, in the asker's mapping; or null
  vfs::PathBuffer real;       // the file to open
  vfs::PathBuffer directory;  // what $ORIGIN stands for
  ElfFile elf;
  bool from_tree;             // ld.so needs our help to find it
  bool by_rpath;              // found by DT_RPATH, which LD_LIBRARY_PATH does not precede
  unsigned asker;
};

// Plain data of constant size; lives in a Scratch, which pays for the pages
// that are used.
class LibrarySearch {
 public:
  // False if `user` is no program with libraries.
  bool run(const LibraryUser& user, const char* library_path, const char* preload);
  // Searches what dlopen is asked for, and all that it needs. True: it is number
  // wanted(), a file that ld.so needs help to find (and perhaps no library).
  bool run_for(const LibraryRequest& request);
  unsigned wanted() const { return wanted_; }
  void close();

  // Number 0 is the user itself.
  static constexpr unsigned kMost = 512;
  unsigned count() const { return count_; }
  const Library& operator[](unsigned number) const { return libraries_[number]; }
  bool found_any() const { return found_any_; }
  // Something that is needed is not in the tree, nor anywhere else known, but
  // ld.so would take a file that the tree hides (of a live base).
  bool misses_hidden() const { return misses_hidden_; }
  // LD_PRELOAD with the real files of those that are in the tree.
  const vfs::PathBuffer& preload() const { return preload_; }
  bool preload_changed() const { return preload_changed_; }

 private:
  void put_user(const LibraryUser& user);
  void use_library_path(const char* library_path);
  void find_needed(unsigned first);
  bool find_path(const char* name, unsigned asker);
  void find_preloaded(const char* preload);
  bool add_preloaded(const char* file);
  bool is_known(const char* name) const;
  void find(const char* name, unsigned asker);
  bool find_by_rpath(const char* name, unsigned asker);
  bool find_in_list(const char* list, const char* separators, const char* name, unsigned asker,
                    unsigned origin, bool by_rpath);
  bool find_in_directory(const vfs::PathBuffer& directory, const char* name, unsigned asker,
                         bool by_rpath);
  bool find_in_system(const char* name, unsigned asker);
  void note_hidden(const vfs::PathBuffer& path, bool by_rpath);
  void forget_stale(const char* text, size_t length, const char* name, unsigned origin);
  bool add(const char* name, const vfs::PathBuffer& directory, unsigned asker, bool by_rpath,
           bool from_tree);

  const char* library_path_;
  bool path_leads_into_tree_;
  bool found_any_;
  bool hidden_;           // of what is searched now: ld.so would find a hidden file,
  bool hidden_by_rpath_;  // and before it asks LD_LIBRARY_PATH
  bool misses_hidden_;
  bool preload_changed_;
  vfs::PathBuffer preload_;
  vfs::PathBuffer preload_names_;
  unsigned count_;
  unsigned wanted_;
  Library libraries_[kMost];
};

}  // namespace shim
