#include "shim/library_search.h"

#include <string.h>

#include "shim/library_path.h"
#include "shim/locate.h"
#include "shim/startable.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

// Where ld.so's cache leads in practice. Only to read what those libraries
// need: which of them is taken stays ld.so's business.
constexpr const char* kSystemDirectories[] = {
    "/lib/" VFS_MULTIARCH, "/usr/lib/" VFS_MULTIARCH, "/usr/local/lib", "/lib64", "/usr/lib64",
    "/lib", "/usr/lib"};

// The C library and ld.so need nothing but each other.
bool needs_nothing(const char* name) {
  return strcmp(name, "libc.so.6") == 0 || strcmp(name, "libm.so.6") == 0 ||
         strncmp(name, "ld-linux", 8) == 0;
}

}  // namespace

bool LibrarySearch::is_known(const char* name) const {
  for (unsigned i = 0; i < count_; ++i) {
    if (libraries_[i].name != nullptr && strcmp(libraries_[i].name, name) == 0) return true;
  }
  return false;
}

bool LibrarySearch::find_in_list(const char* list, const char* separators, const char* name,
                                 unsigned asker, unsigned origin, bool by_rpath) {
  if (list == nullptr) return false;
  for (const char* at = list;; ++at) {
    const size_t length = strcspn(at, separators);
    vfs::PathBuffer directory;
    if (expand_library_path(at, length, libraries_[origin].directory, directory)) {
      if (find_in_directory(directory, name, asker, by_rpath)) return true;
      forget_stale(at, length, name, origin);
    }
    at += length;
    if (*at == '\0') return false;
  }
}

// The asker's DT_RPATH, then that of whoever asked for it, up to the program.
// One that has a DT_RUNPATH has no DT_RPATH, and an asker that has one gets no
// help from those above.
bool LibrarySearch::find_by_rpath(const char* name, unsigned asker) {
  if (libraries_[asker].elf.text(DT_RUNPATH) != nullptr) return false;
  for (unsigned user = asker;; user = libraries_[user].asker) {
    const ElfFile& elf = libraries_[user].elf;
    if (elf.text(DT_RUNPATH) == nullptr &&
        find_in_list(elf.text(DT_RPATH), ":", name, asker, user, true)) {
      return true;
    }
    if (user == 0) return false;
  }
}

bool LibrarySearch::find_in_system(const char* name, unsigned asker) {
  for (const char* system : kSystemDirectories) {
    vfs::PathBuffer directory;
    vfs::PathBuffer path;
    directory.assign(system);
    if (!path.assign(system) || !path.append_character('/') || !path.append(name)) {
      return false;
    }
    if (sys::faccessat(path.text, R_OK, 0) == 0 &&
        find_in_directory(directory, name, asker, false)) {
      return true;
    }
  }
  return false;
}

void LibrarySearch::find(const char* name, unsigned asker) {
  if (strchr(name, '/') != nullptr || needs_nothing(name) || is_known(name)) return;
  hidden_ = hidden_by_rpath_ = false;
  if (find_by_rpath(name, asker)) return;
  if (find_in_list(library_path_, ":;", name, asker, 0, false)) return;
  if (find_in_list(libraries_[asker].elf.text(DT_RUNPATH), ":", name, asker, asker, false)) return;
  // A library of the system can only need one of the tree if it is looked for
  // where every library is: in LD_LIBRARY_PATH or by the program's DT_RPATH.
  if ((path_leads_into_tree_ || hidden_ || libraries_[0].elf.text(DT_RPATH) != nullptr) &&
      find_in_system(name, asker)) {
    return;
  }
  misses_hidden_ = misses_hidden_ || hidden_;
}

// A file of the tree named in LD_PRELOAD: it is opened by its real name, and
// what it needs is needed too.
bool LibrarySearch::add_preloaded(const char* file) {
  LocatedPath located;
  vfs::PathBuffer absolute;
  hidden_ = hidden_by_rpath_ = false;
  locate(AT_FDCWD, file, vfs::Follow::yes, located, {.needs = kNeedsNothing});
  vfs::PathBuffer& real = libraries_[count_].real;
  if (located.where != Where::inside || !located.found.is_regular() || count_ == kMost ||
      startable_path(located.found, real) != 0 ||
      !workspace.live_path(located.found.path, absolute) || !preload_.append(real.text)) {
    return false;
  }
  preload_changed_ = preload_changed_ || strcmp(real.text, file) != 0;
  vfs::PathBuffer directory;
  set_directory_of(absolute.text, directory);
  add(nullptr, directory, 0, false, false);
  return true;
}

void LibrarySearch::find_preloaded(const char* preload) {
  if (!preload_names_.assign(preload)) return;
  for (char* at = preload_names_.text; *at != '\0';) {
    char* end = at + strcspn(at, " :");
    const char separator = *end;
    *end = '\0';
    if (strchr(at, '/') == nullptr) {
      if (path_leads_into_tree_ && *at != '\0') find(at, 0);
      preload_.append(at);
    } else if (!add_preloaded(at)) {
      preload_.append(at);
    }
    if (separator == '\0') break;
    preload_.append_character(separator);
    at = end + 1;
  }
}

// The next library in the list: not searched, for it is there already.
void LibrarySearch::put_user(const LibraryUser& user) {
  Library& library = libraries_[count_++];
  vfs::PathBuffer absolute;
  library.real.assign(user.file);
  if (user.path != nullptr) {
    if (workspace.live_path(*user.path, absolute)) set_directory_of(absolute.text, library.directory);
  } else if (user.name != nullptr) {
    set_directory_of(user.name, library.directory);
  }
}

void LibrarySearch::find_needed(unsigned first) {
  for (unsigned i = first; i < count_; ++i) {
    const char* name;
    for (unsigned n = 0; (name = libraries_[i].elf.needed(n)) != nullptr; ++n) find(name, i);
  }
}

void LibrarySearch::use_library_path(const char* library_path) {
  library_path_ = library_path;
  path_leads_into_tree_ = may_lead_into_tree(library_path, ":;");
}

bool LibrarySearch::run(const LibraryUser& user, const char* library_path, const char* preload) {
  if (!libraries_[0].elf.open(user.file)) return false;
  put_user(user);
  use_library_path(library_path);
  // Preloaded libraries are asked for first, by the program.
  if (preload != nullptr) find_preloaded(preload);
  find_needed(0);
  return true;
}

bool LibrarySearch::run_for(const LibraryRequest& request) {
  // Without a file (a program that was removed, code that belongs to none)
  // there are just no search paths to be had.
  libraries_[0].elf.open(request.program.file);
  put_user(request.program);
  unsigned asker = 0;
  if (request.caller.file != nullptr) {
    asker = 1;
    libraries_[1].elf.open(request.caller.file);
    put_user(request.caller);
  }
  use_library_path(request.library_path);
  wanted_ = count_;
  bool found;
  if (strchr(request.name, '/') != nullptr) {
    found = find_path(request.name, asker);
  } else {
    find(request.name, asker);
    found = count_ > wanted_ && (request.any || libraries_[wanted_].from_tree);
  }
  if (request.with_needed) find_needed(wanted_);
  return found;
}

void LibrarySearch::close() {
  for (unsigned i = 0; i < count_; ++i) libraries_[i].elf.close();
}

}  // namespace shim
