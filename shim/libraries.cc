#include "shim/libraries.h"

#include "shim/library_search.h"
#include "shim/locate.h"
#include "shim/scratch.h"
#include "shim/startable.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

constexpr char kDirectories[] = "/run-libraries/";

void append_hexadecimal(uint64_t value, vfs::PathBuffer& out) {
  for (int shift = 60; shift >= 0; shift -= 4) {
    out.append_character("0123456789abcdef"[(value >> shift) & 15]);
  }
}

// The directory's name says what is in it, so one that exists is right.
bool name_directory(const LibrarySearch& search, vfs::PathBuffer& directory) {
  uint64_t first = vfs::kRootPathHash;
  uint64_t second = ~vfs::kRootPathHash;
  for (unsigned i = 1; i < search.count(); ++i) {
    const Library& library = search[i];
    if (!library.from_tree) continue;
    for (const char* part : {library.name, library.real.text}) {
      const uint32_t length = static_cast<uint32_t>(strlen(part));
      first = vfs::path_hash_append(first, part, length);
      second = vfs::path_hash_append(second, part, length);
    }
  }
  if (!directory.assign(workspace.state) || !directory.append(kDirectories) ||
      directory.length + 33 >= sizeof(directory.text)) {
    return false;
  }
  append_hexadecimal(first, directory);
  append_hexadecimal(second, directory);
  return true;
}

// One link of a directory; with no `target`, takes it away again.
bool change_link(const vfs::PathBuffer& directory, const char* name, const char* target) {
  vfs::PathBuffer link;
  if (!link.assign(directory) || !link.append_character('/') || !link.append(name)) return false;
  return (target != nullptr ? sys::symlink(target, link.text) : sys::unlink(link.text)) == 0;
}

bool fill_directory(const LibrarySearch& search, const vfs::PathBuffer& directory, bool make) {
  bool done = true;
  for (unsigned i = 1; i < search.count(); ++i) {
    if (!search[i].from_tree) continue;
    done = change_link(directory, search[i].name, make ? search[i].real.text : nullptr) && done;
  }
  return done;
}

// Made aside and renamed: whoever sees the directory sees all of it.
bool make_directory(const LibrarySearch& search, const vfs::PathBuffer& directory) {
  struct stat status;
  if (sys::lstat(directory.text, &status) == 0) return true;
  vfs::PathBuffer temporary;
  if (!workspace.temporary_path(temporary) || sys::mkdir(temporary.text, 0777) != 0 ||
      make_directories(directory, workspace.state.length) != 0) {
    return false;
  }
  if (fill_directory(search, temporary, true) &&
      sys::rename(temporary.text, directory.text) == 0) {
    return true;
  }
  fill_directory(search, temporary, false);
  sys::rmdir(temporary.text);
  return sys::lstat(directory.text, &status) == 0;  // another process was faster
}

// ld.so asks a DT_RPATH before LD_LIBRARY_PATH, and may find there what the
// tree has replaced. What is loaded already it does not search: so these are
// preloaded. (They come before the others in symbol look-up then.)
bool preload_by_rpath(const LibrarySearch& search, const vfs::PathBuffer& directory,
                      vfs::PathBuffer& preload) {
  bool any = false;
  for (unsigned i = 1; i < search.count(); ++i) {
    if (!search[i].from_tree || !search[i].by_rpath) continue;
    const uint32_t before = preload.length;
    if ((before == 0 || preload.append_character(':')) && preload.append(directory.text) &&
        preload.append_character('/') && preload.append(search[i].name)) {
      any = true;
    } else {
      preload.truncate(before);
    }
  }
  return any;
}

// A live base hides nothing from ld.so. If the tree lacks a library that ld.so
// would find there, ld.so is started itself, with the parts of its search that
// lead to the tree taken out: it then says what is missing in its own words.
void choose_loader(const LibrarySearch& search, const char* library_path, LibraryChoice& choice) {
  const char* interpreter = search[0].elf.interpreter();
  if (interpreter == nullptr) return;
  choice.loader.assign(interpreter);
  choice.search.assign(choice.directory);
  for (const char* at = library_path; at != nullptr && *at != '\0';) {
    const size_t length = strcspn(at, ":;");
    vfs::PathBuffer element;
    if (element.assign(at, length) && !may_lead_into_tree(element.text, "")) {
      if (choice.search.length != 0) choice.search.append_character(':');
      choice.search.append(element.text);
    }
    at += length;
    if (*at != '\0') ++at;
  }
  // ld.so's own name for the program is the empty one: nothing before the colon.
  for (unsigned i = 1; i < search.count(); ++i) {
    const Library& library = search[i];
    choice.inhibited.append_character(':');
    if (library.from_tree) {
      choice.inhibited.append(choice.directory.text);
      choice.inhibited.append_character('/');
      choice.inhibited.append(library.name);
    } else {
      choice.inhibited.append(library.real.text);
    }
  }
}

// A library can only be loaded after what it needs; the search goes from users
// to what they use, so mostly the last are the first. Rounds until nothing more
// comes of it are simpler than sorting, and end. False: nothing was to be done.
bool use_needed(const LibrarySearch& search, UseLibrary use, void* context) {
  bool used[LibrarySearch::kMost] = {};
  bool any = false;
  for (bool progress = true; progress;) {
    progress = false;
    for (unsigned i = search.count(); i-- > search.wanted() + 1;) {
      const Library& library = search[i];
      if (!library.from_tree || used[i]) continue;
      const char* said = library.elf.text(DT_SONAME);
      const bool same = said != nullptr && strcmp(said, library.name) == 0;
      used[i] = use(context, library.real.text, same ? nullptr : library.name);
      progress = progress || used[i];
    }
    any = any || progress;
  }
  return any;
}

}  // namespace

bool may_lead_into_tree(const char* list, const char* separators) {
  if (list == nullptr) return false;
  Directory here;
  for (const char* at = list;; ++at) {
    const size_t length = strcspn(at, separators);
    if (length == 0 || *at != '/') {
      // Relative, the working directory itself, or an unexpanded token.
      if (locate_directory(AT_FDCWD, here) == 0 && here.inside) return true;
      if (length != 0 && (memchr(at, '$', length) != nullptr ||
                          memchr(at, '/', length) != nullptr)) {
        return true;
      }
    } else {
      vfs::PathBuffer path;
      vfs::PathBuffer rest;
      if (path.assign(at, length) && vfs::enter_workspace(workspace, path.text, rest)) return true;
    }
    at += length;
    if (*at == '\0') return false;
  }
}

void choose_libraries(const LibraryUser& user, const char* library_path, const char* preload,
                      LibraryChoice& choice) {
  Scratch<LibrarySearch> search;
  if (!search) return;
  if (search->run(user, library_path, preload)) {
    bool changed = search->preload_changed();
    if (search->found_any() && name_directory(*search, choice.directory) &&
        make_directory(*search, choice.directory)) {
      choice.preload.assign(search->preload());
      changed = preload_by_rpath(*search, choice.directory, choice.preload) || changed;
    } else {
      choice.directory.truncate(0);
      choice.preload.assign(search->preload());
    }
    if (!changed) choice.preload.truncate(0);
    if (search->misses_hidden()) choose_loader(*search, library_path, choice);
  }
  search->close();
}

Answered find_library(const LibraryRequest& request, UseLibrary use, void* context,
                      vfs::PathBuffer& real) {
  Scratch<LibrarySearch> search;
  if (!search) return Answered::no;
  const bool found = search->run_for(request);
  Answered answered = Answered::missing;
  if (!search->misses_hidden()) {
    // A library of the system, too, is loaded by us if it needs one of the tree.
    const bool helped = use_needed(*search, use, context);
    answered = found || helped ? Answered::yes : Answered::no;
    if (answered == Answered::yes) real.assign((*search)[search->wanted()].real);
  }
  search->close();
  return answered;
}

}  // namespace shim
