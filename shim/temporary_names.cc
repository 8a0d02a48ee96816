// Names of temporary files that glibc makes up by itself: tmpfile, tmpnam,
// tempnam. It looks for free names, and for the directory, past our functions.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/table.h"

namespace {

constexpr size_t kNameSize = sizeof(P_tmpdir "/fileXXXXXX");
static_assert(kNameSize <= L_tmpnam);

bool is_directory(const char* path) {
  struct stat status;
  return path != nullptr && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// Fills in the Xs of a name that nothing has; false with errno.
bool make_free(char* name) { return *mktemp(name) != '\0'; }

#pragma GCC diagnostic pop

}  // namespace

VFS_INTERPOSE(FILE*, tmpfile, ()) {
  if (!shim::engaged()) return VFS_NEXT(tmpfile)();
  int fd = open(P_tmpdir, O_TMPFILE | O_RDWR | O_EXCL, 0600);
  if (fd < 0) {
    char name[] = P_tmpdir "/fileXXXXXX";
    fd = mkstemp(name);
    if (fd < 0) return nullptr;
    unlink(name);
  }
  FILE* stream = fdopen(fd, "w+");
  if (stream == nullptr) close(fd);
  return stream;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

VFS_INTERPOSE(char*, tmpnam_r, (char* name)) {
  if (!shim::engaged() || name == nullptr) return VFS_NEXT(tmpnam_r)(name);
  memcpy(name, P_tmpdir "/fileXXXXXX", kNameSize);
  return make_free(name) ? name : nullptr;
}
VFS_INTERPOSE(char*, tmpnam, (char* name)) {
  static char own[L_tmpnam];
  if (!shim::engaged()) return VFS_NEXT(tmpnam)(name);
  return interposed_tmpnam_r(name != nullptr ? name : own);
}

// The first that is a directory: $TMPDIR, the caller's, /tmp.
VFS_INTERPOSE(char*, tempnam, (const char* directory, const char* prefix)) {
  if (!shim::engaged()) return VFS_NEXT(tempnam)(directory, prefix);
  const char* const given = secure_getenv("TMPDIR");
  if (is_directory(given)) directory = given;
  if (!is_directory(directory)) directory = P_tmpdir;
  if (!is_directory(directory)) {
    errno = ENOENT;
    return nullptr;
  }
  size_t length = strlen(directory);
  while (length > 1 && directory[length - 1] == '/') --length;
  const size_t prefix_length = prefix != nullptr && *prefix != '\0' ? strnlen(prefix, 5) : 4;
  char* name = static_cast<char*>(malloc(length + prefix_length + 8));
  if (name == nullptr) return nullptr;
  memcpy(name, directory, length);
  name[length] = '/';
  memcpy(name + length + 1, prefix != nullptr && *prefix != '\0' ? prefix : "file", prefix_length);
  memcpy(name + length + 1 + prefix_length, "XXXXXX", 7);
  if (make_free(name)) return name;
  free(name);
  return nullptr;
}
#pragma GCC diagnostic pop

#define VFS_TABLE_TEMPORARY_NAMES
#include "shim/entry_points.def"
