#include "shim/library_path.h"

#include <string.h>
#include <sys/auxv.h>

#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

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

}  // namespace

bool expand_library_path(const char* text, size_t length, const vfs::PathBuffer& origin,
                         vfs::PathBuffer& out) {
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

void set_directory_of(const char* absolute, vfs::PathBuffer& directory) {
  const char* slash = strrchr(absolute, '/');
  if (slash == nullptr) return;
  directory.assign(absolute, slash == absolute ? 1 : static_cast<size_t>(slash - absolute));
}

}  // namespace shim
