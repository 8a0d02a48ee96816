// stdio streams and temporary files: glibc opens them past our open().
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/interpose.h"
#include "shim/open.h"
#include "vfs/core/names.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

namespace {

using shim::workspace;

// The open(2) flags of an fopen mode; -1 if it is none.
int flags_of_mode(const char* mode) {
  int flags;
  switch (*mode) {
    case 'r': flags = O_RDONLY; break;
    case 'w': flags = O_WRONLY | O_CREAT | O_TRUNC; break;
    case 'a': flags = O_WRONLY | O_CREAT | O_APPEND; break;
    default: return -1;
  }
  for (const char* c = mode + 1; *c != '\0' && *c != ','; ++c) {
    if (*c == '+') flags = (flags & ~O_ACCMODE) | O_RDWR;
    if (*c == 'x') flags |= O_EXCL;
    if (*c == 'e') flags |= O_CLOEXEC;
  }
  return flags;
}

// A mode that names a character set: only glibc's own fopen knows those.
bool converts(const char* mode) { return strstr(mode, ",ccs=") != nullptr; }

FILE* stream_error(long error) {
  errno = static_cast<int>(-error);
  return nullptr;
}

// The template ends in XXXXXX, `suffix` characters before its end. Gives the
// place of the Xs, or null.
char* template_letters(char* name, int suffix) {
  const size_t length = strlen(name);
  if (suffix < 0 || length < 6 + static_cast<size_t>(suffix)) return nullptr;
  char* letters = name + length - static_cast<size_t>(suffix) - 6;
  return memcmp(letters, "XXXXXX", 6) == 0 ? letters : nullptr;
}

void fill_letters(char* letters) {
  constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  unsigned char random[6];
  if (getrandom(random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
    struct timespec now;
    vfs::sys::call(SYS_clock_gettime, CLOCK_MONOTONIC, vfs::sys::as_argument(&now));
    for (unsigned i = 0; i < 6; ++i) {
      random[i] = static_cast<unsigned char>(now.tv_nsec >> (i * 4)) ^ letters[i];
    }
  }
  for (unsigned i = 0; i < 6; ++i) letters[i] = kAlphabet[random[i] % 62];
}

bool is_in_tree(const char* path) {
  if (!shim::engaged()) return false;
  shim::LocatedPath located;
  shim::locate(AT_FDCWD, path, vfs::Follow::no, located, {.needs = shim::kNeedsNothing});
  return located.where == shim::Where::inside || located.where == shim::Where::failed;
}

// Tries names until `attempt` (-1 and errno on failure) says other than EEXIST.
template <typename Attempt>
int with_fresh_name(char* name, int suffix, Attempt attempt) {
  char* letters = template_letters(name, suffix);
  if (letters == nullptr) {
    errno = EINVAL;
    return -1;
  }
  const int saved = errno;
  for (int i = 0; i < TMP_MAX; ++i) {
    fill_letters(letters);
    const int result = attempt();
    if (result >= 0) {
      errno = saved;
      return result;
    }
    if (errno != EEXIST) return -1;
  }
  return -1;
}

int make_temporary(char* name, int suffix, int flags) {
  return with_fresh_name(name, suffix, [&] {
    return open(name, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
  });
}

}  // namespace

namespace {

// A stream that glibc has to open by itself: the tree is made ready for that.
// `open(real)` does it; null and errno if the tree refuses.
template <typename Open>
FILE* open_by_libc(const char* path, int flags, Open open) {
  shim::LocatedPath located;
  vfs::PathBuffer real;
  const long error = shim::retry_while_stale([&]() -> long {
    shim::locate(AT_FDCWD, path, shim::follow_for_open(path, flags), located,
                 {.needs = shim::needs_to_open(flags)});
    if (located.where == shim::Where::failed) return located.error;
    if (located.where != shim::Where::inside) return 0;
    return vfs::prepare_open(workspace, located.found, flags, real);
  });
  if (error != 0) return stream_error(error);
  if (located.where != shim::Where::inside) {
    return open(shim::pass_on(located, AT_FDCWD, path).path);
  }
  FILE* stream = open(real.text);
  const bool sealed = located.found.is_sealed() && located.found.is_regular() &&
                      (flags & (O_CREAT | O_TRUNC)) == 0 && (flags & O_ACCMODE) == O_RDONLY;
  if (stream != nullptr && sealed) shim::note_sealed(fileno(stream), located.found);
  return stream;
}

}  // namespace

VFS_INTERPOSE(FILE*, fopen, (const char* path, const char* mode)) {
  const int flags = mode != nullptr ? flags_of_mode(mode) : -1;
  if (!shim::engaged() || flags < 0 || !shim::is_string(path)) return VFS_NEXT(fopen)(path, mode);
  if (converts(mode)) {
    return open_by_libc(path, flags, [&](const char* real) { return VFS_NEXT(fopen)(real, mode); });
  }
  long fd = -ESTALE;
  for (int i = 0; i < shim::kAttempts && fd == -ESTALE; ++i) {
    shim::LocatedPath located;
    shim::locate(AT_FDCWD, path, shim::follow_for_open(path, flags), located,
                 {.needs = shim::needs_to_open(flags)});
    if (located.where == shim::Where::untouched || located.where == shim::Where::outside) {
      FILE* stream = VFS_NEXT(fopen)(shim::pass_on(located, AT_FDCWD, path).path, mode);
      if (stream != nullptr) shim::forget_descriptor(fileno(stream));
      return stream;
    }
    fd = located.where == shim::Where::failed ? located.error
                                              : shim::open_found(located.found, flags, 0666);
  }
  shim::log("fopen", path, mode, fd);
  if (fd < 0) return stream_error(fd);
  FILE* stream = VFS_NEXT(fdopen)(static_cast<int>(fd), mode);
  if (stream == nullptr) vfs::sys::close(static_cast<int>(fd));
  return stream;
}
VFS_ALIAS(fopen64, fopen);

VFS_INTERPOSE(FILE*, setmntent, (const char* path, const char* mode)) {
  char more[16];
  const size_t length = strlen(mode);
  if (!shim::engaged() || length + 3 > sizeof(more)) return VFS_NEXT(setmntent)(path, mode);
  memcpy(more, mode, length);
  memcpy(more + length, "ce", 3);
  return interposed_fopen(path, more);
}

namespace {

// freopen without a path: glibc opens /proc/self/fd/N again, which for an
// unchanged file is the object, or the real file. The file is opened by the
// path it has; false if it has none, and may then not be written.
bool path_of_stream(FILE* stream, int flags, vfs::PathBuffer& path, bool& refused) {
  shim::Located held;
  shim::locate_descriptor(fileno(stream), held);
  if (held.place != shim::Place::sealed && held.place != shim::Place::live) return false;
  const bool known = held.path_known && workspace.live_path(held.path, path);
  refused = !known && (flags & (O_ACCMODE | O_TRUNC)) != O_RDONLY;
  return known;
}

}  // namespace

VFS_INTERPOSE(FILE*, freopen, (const char* path, const char* mode, FILE* stream)) {
  const int flags = mode != nullptr ? flags_of_mode(mode) : -1;
  vfs::PathBuffer own;
  if (shim::engaged() && path == nullptr && flags >= 0 && fileno(stream) >= 0) {
    bool refused = false;
    if (path_of_stream(stream, flags, own, refused)) path = own.text;
    if (refused) {
      VFS_NEXT(fclose)(stream);
      return stream_error(-EACCES);
    }
  }
  if (!shim::engaged() || flags < 0 || !shim::is_string(path)) {
    return VFS_NEXT(freopen)(path, mode, stream);
  }
  shim::forget_descriptor(fileno(stream));
  bool opened = false;
  FILE* result = open_by_libc(path, flags, [&](const char* real) {
    opened = true;
    return VFS_NEXT(freopen)(real, mode, stream);
  });
  // On failure the stream is closed.
  if (!opened) {
    const int error = errno;
    VFS_NEXT(fclose)(stream);
    errno = error;
  }
  return result;
}
VFS_ALIAS(freopen64, freopen);

VFS_INTERPOSE(int, mkostemps, (char* name, int suffix, int flags)) {
  return is_in_tree(name) ? make_temporary(name, suffix, flags)
                          : VFS_NEXT(mkostemps)(name, suffix, flags);
}
VFS_ALIAS(mkostemps64, mkostemps);
VFS_INTERPOSE(int, mkostemp, (char* name, int flags)) {
  return is_in_tree(name) ? make_temporary(name, 0, flags) : VFS_NEXT(mkostemp)(name, flags);
}
VFS_ALIAS(mkostemp64, mkostemp);
VFS_INTERPOSE(int, mkstemps, (char* name, int suffix)) {
  return is_in_tree(name) ? make_temporary(name, suffix, 0) : VFS_NEXT(mkstemps)(name, suffix);
}
VFS_ALIAS(mkstemps64, mkstemps);
VFS_INTERPOSE(int, mkstemp, (char* name)) {
  return is_in_tree(name) ? make_temporary(name, 0, 0) : VFS_NEXT(mkstemp)(name);
}
VFS_ALIAS(mkstemp64, mkstemp);

VFS_INTERPOSE(char*, mkdtemp, (char* name)) {
  if (!is_in_tree(name)) return VFS_NEXT(mkdtemp)(name);
  return with_fresh_name(name, 0, [&] { return mkdir(name, 0700); }) < 0 ? nullptr : name;
}

VFS_INTERPOSE(char*, mktemp, (char* name)) {
  if (!is_in_tree(name)) return VFS_NEXT(mktemp)(name);
  const int result = with_fresh_name(name, 0, [&] {
    struct stat status;
    if (lstat(name, &status) != 0) return errno == ENOENT ? 0 : -1;
    errno = EEXIST;
    return -1;
  });
  if (result < 0) *name = '\0';
  return name;
}
