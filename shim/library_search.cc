#include "shim/library_search.h"

#include <string.h>
#include <sys/auxv.h>

#include "shim/locate.h"
#include "shim/startable.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

#if defined(__x86_64__)
#define VFS_MULTIARCH "x86_64-linux-gnu"
#else
#define VFS_MULTIARCH "aarch64-linux-gnu"
#endif

// Where ld.so's cache leads in practice. Only to read what those libraries
// need: which of them is taken stays ld.so's business.
constexpr const char* kSystemDirectories[] = {
    "/lib/" VFS_MULTIARCH, "/usr/lib/" VFS_MULTIARCH, "/usr/local/lib", "/lib64", "/usr/lib64",
    "/lib", "/usr/lib"};

// What $LIB stands for: a constant of ld.so that nothing tells.
const char* library_directory_name() {
  struct stat status;
  return sys::lstat("/lib/" VFS_MULTIARCH "/libc.so.6", &status) == 0 ? "lib/" VFS_MULTIARCH
                                                                      : "lib64";
}

// The length of the token "$NAME" or "${NAME}" that `text` starts with, or 0.
size_t token_length(const char* text, size_t left, const char* name) {
  const size_t length = strlen(name);
  if (left > length && memcmp(text + 1, name, length) == 0) {
    const char after = left > length + 1 ? text[length + 1] : '/';
    const bool goes_on = (after >= 'A' && after <= 'Z') || (after >= 'a' && after <= 'z') ||
                         (after >= '0' && after <= '9') || after == '_';
    return goes_on ? 0 : length + 1;
  }
  const bool braced = left > length + 2 && text[1] == '{' &&
                      memcmp(text + 2, name, length) == 0 && text[length + 2] == '}';
  return braced ? length + 3 : 0;
}

void set_directory_of(const char* absolute, vfs::PathBuffer& directory) {
  const char* slash = strrchr(absolute, '/');
  if (slash == nullptr) return;
  directory.assign(absolute, slash == absolute ? 1 : static_cast<size_t>(slash - absolute));
}

// "/a/b/../c" becomes "/a/c": right where no component can be a link.
bool take_dots_out(vfs::PathBuffer& path) {
  vfs::PathBuffer out;
  for (const char* at = path.text; *at != '\0';) {
    while (*at == '/') ++at;
    const size_t length = strcspn(at, "/");
    if (length == 2 && memcmp(at, "..", 2) == 0) {
      out.pop();
    } else if (length != 0 && !(length == 1 && *at == '.')) {
      if (!out.append_character('/') || !out.append(at, length)) return false;
    }
    at += length;
  }
  path.assign(out);
  return true;
}

bool is_below_run(const vfs::PathBuffer& path) {
  const vfs::PathBuffer& state = workspace.state;
  return strncmp(path.text, state.text, state.length) == 0 &&
         strncmp(path.text + state.length, "/run/", 5) == 0;
}

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

// One element of a search path, with ld.so's tokens expanded. "" is the
// working directory.
bool LibrarySearch::expand(const char* text, size_t length, const vfs::PathBuffer& origin,
                           vfs::PathBuffer& out) const {
  out.truncate(0);
  if (length == 0) return out.assign(".");
  for (size_t i = 0; i < length;) {
    size_t token = 0;
    bool fits = true;
    if (text[i] == '$') {
      const size_t left = length - i;
      if ((token = token_length(text + i, left, "ORIGIN")) != 0) {
        fits = origin.length != 0 && out.append(origin.text);
      } else if ((token = token_length(text + i, left, "LIB")) != 0) {
        fits = out.append(library_directory_name());
      } else if ((token = token_length(text + i, left, "PLATFORM")) != 0) {
        const char* platform = reinterpret_cast<const char*>(getauxval(AT_PLATFORM));
        fits = platform != nullptr && out.append(platform);
      }
    }
    if (token == 0) fits = out.append_character(text[i]);
    if (!fits) return false;
    i += token != 0 ? token : 1;
  }
  return true;
}

// `libraries_[count_]` has its real path already.
bool LibrarySearch::add(const char* name, const vfs::PathBuffer& directory, unsigned asker,
                        bool by_rpath, bool from_tree) {
  Library& library = libraries_[count_];
  // Not for this machine, or no library: ld.so looks on.
  if (!library.elf.open(library.real.text)) return false;
  library.name = name;
  library.directory.assign(directory);
  // Where a hidden file stands in the way, ld.so needs help with any other.
  library.from_tree = from_tree || hidden_;
  library.by_rpath = by_rpath || hidden_by_rpath_;
  library.asker = asker;
  found_any_ = found_any_ || library.from_tree;
  ++count_;
  return true;
}

bool LibrarySearch::find_in_directory(const vfs::PathBuffer& directory, const char* name,
                                      unsigned asker, bool by_rpath) {
  vfs::PathBuffer path;
  if (count_ == kMost || !path.assign(directory) || !path.append_character('/') ||
      !path.append(name)) {
    return false;
  }
  LocatedPath located;
  locate(AT_FDCWD, path.text, vfs::Follow::yes, located);
  vfs::PathBuffer& real = libraries_[count_].real;
  switch (located.where) {
    case Where::failed: note_hidden(path, by_rpath); return false;
    case Where::untouched: real.assign(path); return add(name, directory, asker, by_rpath, false);
    case Where::outside:
      // A link of the tree leads here: ld.so may not see the link.
      real.assign(located.found.path);
      return add(name, directory, asker, by_rpath, true);
    case Where::inside: break;
  }
  vfs::PathBuffer absolute;
  vfs::PathBuffer origin;
  if (!located.found.is_regular() || startable_path(located.found, real) != 0 ||
      !workspace.live_path(located.found.path, absolute)) {
    note_hidden(path, by_rpath);
    return false;
  }
  set_directory_of(absolute.text, origin);
  return add(name, origin, asker, by_rpath, true);
}

// The tree has nothing at `path`: but what does ld.so see there?
void LibrarySearch::note_hidden(const vfs::PathBuffer& path, bool by_rpath) {
  if (sys::faccessat(path.text, F_OK, 0) != 0) return;
  hidden_ = true;
  hidden_by_rpath_ = hidden_by_rpath_ || by_rpath;
}

// A program of a snapshot is started from `run`, where $ORIGIN leads ld.so to
// links made for an earlier start. One whose file has left the tree has to go.
void LibrarySearch::forget_stale(const char* text, size_t length, const char* name,
                                 unsigned origin) {
  vfs::PathBuffer directory;
  vfs::PathBuffer path;
  set_directory_of(libraries_[origin].real.text, directory);
  if (!is_below_run(directory) || memmem(text, length, "ORIGIN", 6) == nullptr) return;
  if (expand(text, length, directory, path) && path.append_character('/') && path.append(name) &&
      take_dots_out(path) && is_below_run(path)) {
    sys::unlink(path.text);
  }
}

bool LibrarySearch::find_in_list(const char* list, const char* separators, const char* name,
                                 unsigned asker, unsigned origin, bool by_rpath) {
  if (list == nullptr) return false;
  for (const char* at = list;; ++at) {
    const size_t length = strcspn(at, separators);
    vfs::PathBuffer directory;
    if (expand(at, length, libraries_[origin].directory, directory)) {
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
  locate(AT_FDCWD, file, vfs::Follow::yes, located);
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

bool LibrarySearch::run(const LibraryUser& user, const char* library_path, const char* preload) {
  Library& first = libraries_[0];
  vfs::PathBuffer absolute;
  if (!first.elf.open(user.file)) return false;
  first.real.assign(user.file);
  if (user.path != nullptr) {
    if (workspace.live_path(*user.path, absolute)) set_directory_of(absolute.text, first.directory);
  } else if (user.name != nullptr) {
    set_directory_of(user.name, first.directory);
  }
  count_ = 1;
  library_path_ = library_path;
  path_leads_into_tree_ = may_lead_into_tree(library_path, ":;");
  // Preloaded libraries are asked for first, by the program.
  if (preload != nullptr) find_preloaded(preload);
  for (unsigned i = 0; i < count_; ++i) {
    const char* name;
    for (unsigned n = 0; (name = libraries_[i].elf.needed(n)) != nullptr; ++n) find(name, i);
  }
  return true;
}

void LibrarySearch::close() {
  for (unsigned i = 0; i < count_; ++i) libraries_[i].elf.close();
}

}  // namespace shim
