#include "shim/dlopen_caller.h"

#include <dlfcn.h>
#include <link.h>

#include "shim/state.h"
#include "vfs/core/sys.h"

namespace shim {

// What was found for the program's start is loaded by a link among our state.
void LoadedFile::follow_link() {
  vfs::PathBuffer target;
  if (strncmp(real_.text, workspace.state.text, workspace.state.length) != 0) return;
  const long length = vfs::sys::readlink(real_.text, target.text, sizeof(target.text) - 1);
  if (length <= 0 || target.text[0] != '/') return;
  target.truncate(static_cast<uint32_t>(length));
  real_.assign(target);
}

void LoadedFile::take_real() {
  follow_link();
  in_tree_ = workspace.to_virtual(real_.text, real_.length, path_);
}

void LoadedFile::find_program() {
  const long length = vfs::sys::readlink("/proc/self/exe", real_.text, sizeof(real_.text) - 1);
  real_.truncate(length > 0 ? static_cast<uint32_t>(length) : 0);
  take_real();
}

bool LoadedFile::find_library_of(const void* code) {
  Dl_info info;
  link_map* map = nullptr;
  if (dladdr1(code, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0 ||
      map == nullptr || map->l_name[0] == '\0') {
    return false;
  }
  if (map->l_name[0] == '/') {
    real_.assign(map->l_name);
  } else {
    // Relative to a directory that may not be the current one any more.
    const char* slash = strrchr(map->l_name, '/');
    if (dlinfo(map, RTLD_DI_ORIGIN, real_.text) != 0) return false;
    real_.truncate(static_cast<uint32_t>(strlen(real_.text)));
    real_.append_character('/');
    real_.append(slash != nullptr ? slash + 1 : map->l_name);
  }
  take_real();
  return true;
}

LibraryUser LoadedFile::user() const {
  return {real_.text, in_tree_ ? &path_ : nullptr, in_tree_ ? nullptr : real_.text};
}

}  // namespace shim
