// One place where a library may be, as the tree has it and as ld.so would see it.
#include <string.h>

#include "shim/library_path.h"
#include "shim/library_search.h"
#include "shim/locate.h"
#include "shim/startable.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

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
  const vfs::KeptPath& state = workspace.state;
  return strncmp(path.text, state.text, state.length) == 0 &&
         strncmp(path.text + state.length, "/run/", 5) == 0;
}

}  // namespace

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
  locate(AT_FDCWD, path.text, vfs::Follow::yes, located, {.needs = kNeedsNothing});
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

// A path as dlopen was given it. Found is also what is no library: ld.so is to
// say so.
bool LibrarySearch::find_path(const char* name, unsigned asker) {
  vfs::PathBuffer path;
  if (!expand_library_path(name, strlen(name), libraries_[asker].directory, path)) return false;
  LocatedPath located;
  locate(AT_FDCWD, path.text, vfs::Follow::yes, located, {.needs = kNeedsNothing});
  vfs::PathBuffer& real = libraries_[count_].real;
  if (located.where == Where::untouched) return false;
  if (located.where == Where::outside) {
    real.assign(located.found.path);
    return true;
  }
  vfs::PathBuffer absolute;
  vfs::PathBuffer origin;
  if (located.where == Where::failed || !located.found.is_regular() ||
      startable_path(located.found, real) != 0 ||
      !workspace.live_path(located.found.path, absolute)) {
    note_hidden(path, false);
    misses_hidden_ = hidden_;
    return false;
  }
  set_directory_of(absolute.text, origin);
  add(nullptr, origin, asker, false, true);
  return true;
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
  if (expand_library_path(text, length, directory, path) && path.append_character('/') && path.append(name) &&
      take_dots_out(path) && is_below_run(path)) {
    sys::unlink(path.text);
  }
}

}  // namespace shim
