// Directory streams.
//
// opendir on a directory of the tree gives a stream of our own: programs only
// ever hold the pointer, so its type is ours to choose. The first word tells
// it from a stream of libc, whose first word is a descriptor and a lock.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <new>

#include "shim/interpose.h"
#include "shim/open.h"
#include "vfs/core/listing.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

namespace {

using shim::workspace;

constexpr uint64_t kMagic = 0xd1ec7047fe57a3a1ull;

// A directory of a live base that upper does not know yet is libc's to read.
// Only after rewinddir, when it may be known, the stream turns to a listing.
struct Stream {
  uint64_t magic = kMagic;
  DIR* native = nullptr;      // owns `fd`
  bool reads_native = false;
  int fd = -1;                // -1 until the program asks for it
  bool listed = false;
  uint32_t position = 0;      // offset into the listing, in bytes
  vfs::PathBuffer path;
  alignas(8) char memory[8192];
  vfs::Listing listing{memory, sizeof(memory)};
};

Stream* ours(DIR* directory) {
  auto* stream = reinterpret_cast<Stream*>(directory);
  return stream != nullptr && stream->magic == kMagic ? stream : nullptr;
}

Stream* make_stream(const vfs::PathBuffer& path, int fd) {
  void* memory = malloc(sizeof(Stream));
  if (memory == nullptr) return nullptr;
  Stream* stream = ::new (memory) Stream;
  stream->fd = fd;
  stream->path.assign(path);
  return stream;
}

// Null: errno.
Stream* make_native_stream(const vfs::PathBuffer& path, DIR* native) {
  if (native == nullptr) return nullptr;
  const int fd = VFS_NEXT(dirfd)(native);
  Stream* stream = make_stream(path, fd);
  if (stream == nullptr) {
    VFS_NEXT(closedir)(native);
    errno = ENOMEM;
    return nullptr;
  }
  stream->native = native;
  stream->reads_native = true;
  shim::note_directory(fd, path, true);
  return stream;
}

// Streams of libc do not know that the marker is hidden.
bool is_native(const vfs::Lookup& found) {
  return found.source == vfs::Source::live && found.path.length != 0;
}

// The listing is made when the first entry is asked for, and made again after
// rewinddir: what POSIX asks for.
int list(Stream& stream) {
  if (stream.listed) return 0;
  // The directory may have another name by now: the descriptor knows.
  shim::Directory now;
  if (stream.fd >= 0 && shim::locate_directory(stream.fd, now) == 0 && now.inside) {
    stream.path.assign(now.path);
  }
  vfs::Lookup found;
  int result = vfs::look_up_canonical(workspace, stream.path, found);
  if (result == 0 && !found.exists()) result = -ENOENT;
  if (result == 0) result = stream.listing.read(workspace, found);
  stream.listed = result == 0;
  // A directory that was removed while open reads as empty.
  return result == -ENOENT ? 0 : result;
}

struct dirent64* next_entry(Stream& stream) {
  if (stream.reads_native) return VFS_NEXT(readdir64)(stream.native);
  const int result = list(stream);
  if (result != 0) {
    errno = -result;
    return nullptr;
  }
  const struct dirent64* entry = stream.listing.at(stream.position);
  if (entry != nullptr) stream.position = static_cast<uint32_t>(entry->d_off);
  return const_cast<struct dirent64*>(entry);
}

Stream* open_native(const vfs::Lookup& found) {
  vfs::PathBuffer real;
  if (found.near.path != nullptr && found.near.directory == AT_FDCWD) {
    return make_native_stream(found.path, VFS_NEXT(opendir)(found.near.path));
  }
  if (!workspace.live_path(found.base_path(), real)) {
    errno = ENAMETOOLONG;
    return nullptr;
  }
  return make_native_stream(found.path, VFS_NEXT(opendir)(real.text));
}

}  // namespace

VFS_INTERPOSE(DIR*, opendir, (const char* path)) {
  if (!shim::engaged() || !shim::is_string(path)) return VFS_NEXT(opendir)(path);
  shim::LocatedPath located;
  shim::locate(AT_FDCWD, path, vfs::Follow::yes, located, {.reads = true, .needs = vfs::kMayRead});
  if (located.where == shim::Where::untouched || located.where == shim::Where::outside) {
    return VFS_NEXT(opendir)(shim::pass_on(located, AT_FDCWD, path).path);
  }
  const vfs::Lookup& found = located.found;
  long error = located.error;
  if (error == 0 && !found.exists()) error = -ENOENT;
  if (error == 0 && !found.is_directory()) error = -ENOTDIR;
  if (error == 0) error = vfs::check_access(found.status, R_OK, true);
  shim::log("opendir", path, "tree", error);
  if (error != 0) {
    errno = static_cast<int>(-error);
    return nullptr;
  }
  if (is_native(found)) return reinterpret_cast<DIR*>(open_native(found));
  return reinterpret_cast<DIR*>(make_stream(found.path, -1));
}

VFS_INTERPOSE(DIR*, fdopendir, (int fd)) {
  shim::Directory directory;
  struct stat status;
  if (!shim::engaged() || shim::activity == shim::Activity::broken || fd < 0 ||
      vfs::sys::fstat(fd, &status) != 0 || !S_ISDIR(status.st_mode) ||
      shim::locate_directory(fd, directory) != 0 || !directory.inside) {
    return VFS_NEXT(fdopendir)(fd);
  }
  const int flags = vfs::sys::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0) {
    errno = EBADF;
    return nullptr;
  }
  vfs::Lookup found;
  if (directory.live && vfs::look_up_canonical(workspace, directory.path, found) == 0 &&
      is_native(found) && found.status.st_ino == status.st_ino) {
    return reinterpret_cast<DIR*>(make_native_stream(directory.path, VFS_NEXT(fdopendir)(fd)));
  }
  vfs::sys::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return reinterpret_cast<DIR*>(make_stream(directory.path, fd));
}

VFS_INTERPOSE(int, closedir, (DIR* directory)) {
  Stream* stream = ours(directory);
  if (stream == nullptr) {
    if (shim::started() && directory != nullptr) {
      shim::forget_descriptor(VFS_NEXT(dirfd)(directory));
    }
    return VFS_NEXT(closedir)(directory);
  }
  int result = 0;
  if (stream->fd >= 0) {
    shim::forget_descriptor(stream->fd);
    if (stream->native != nullptr) {
      result = VFS_NEXT(closedir)(stream->native);
    } else {
      vfs::sys::close(stream->fd);
    }
  }
  stream->magic = 0;
  stream->listing.reset();
  free(stream);
  return result;
}

VFS_INTERPOSE(int, dirfd, (DIR* directory)) {
  Stream* stream = ours(directory);
  if (stream == nullptr) return VFS_NEXT(dirfd)(directory);
  if (stream->fd < 0) {
    vfs::Lookup found;
    long fd = vfs::look_up_canonical(workspace, stream->path, found);
    if (fd == 0) fd = shim::open_found(found, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return shim::answer(fd);
    stream->fd = static_cast<int>(fd);
  }
  return stream->fd;
}

static_assert(sizeof(struct dirent) == sizeof(struct dirent64));

VFS_INTERPOSE(struct dirent*, readdir, (DIR* directory)) {
  Stream* stream = ours(directory);
  if (stream == nullptr) return VFS_NEXT(readdir)(directory);
  return reinterpret_cast<struct dirent*>(next_entry(*stream));
}
VFS_ALIAS(readdir64, readdir);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
VFS_INTERPOSE(int, readdir_r, (DIR* directory, struct dirent* entry, struct dirent** result)) {
  Stream* stream = ours(directory);
  if (stream == nullptr) return VFS_NEXT(readdir_r)(directory, entry, result);
  const int saved = errno;
  errno = 0;
  const struct dirent64* next = next_entry(*stream);
  const int error = next == nullptr ? errno : 0;
  errno = saved;
  *result = next != nullptr ? entry : nullptr;
  if (next != nullptr) memcpy(entry, next, next->d_reclen);
  return error;
}
VFS_ALIAS(readdir64_r, readdir_r);
#pragma GCC diagnostic pop

VFS_INTERPOSE(void, rewinddir, (DIR* directory)) {
  Stream* stream = ours(directory);
  if (stream == nullptr) return VFS_NEXT(rewinddir)(directory);
  stream->position = 0;
  stream->reads_native = false;
  stream->listed = false;
  stream->listing.reset();
  // Copies of the descriptor share the position.
  if (stream->fd >= 0) vfs::sys::lseek(stream->fd, 0, SEEK_SET);
}

VFS_INTERPOSE(long, telldir, (DIR* directory)) {
  Stream* stream = ours(directory);
  if (stream == nullptr) return VFS_NEXT(telldir)(directory);
  return stream->reads_native ? VFS_NEXT(telldir)(stream->native)
                              : static_cast<long>(stream->position);
}

VFS_INTERPOSE(void, seekdir, (DIR* directory, long position)) {
  Stream* stream = ours(directory);
  if (stream == nullptr) return VFS_NEXT(seekdir)(directory, position);
  if (stream->reads_native) return VFS_NEXT(seekdir)(stream->native, position);
  if (list(*stream) == 0) {
    stream->position = stream->listing.entry_behind(static_cast<uint64_t>(position));
  }
}

// --- scandir, which glibc builds on its own, uninterposed opendir -------------

namespace {

using Filter = int (*)(const struct dirent*);
using Compare = int (*)(const struct dirent**, const struct dirent**);

// Copies of the entries that `filter` lets through; -1 with errno.
int collect(DIR* directory, struct dirent*** names, Filter filter) {
  struct dirent** entries = nullptr;
  int count = 0;
  int capacity = 0;
  for (;;) {
    errno = 0;
    const struct dirent* entry = interposed_readdir(directory);
    if (entry == nullptr) break;
    if (filter != nullptr && filter(entry) == 0) continue;
    if (count == capacity) {
      capacity = capacity == 0 ? 32 : capacity * 2;
      auto** grown = static_cast<struct dirent**>(
          realloc(entries, static_cast<size_t>(capacity) * sizeof(*entries)));
      if (grown == nullptr) break;
      entries = grown;
    }
    auto* copy = static_cast<struct dirent*>(malloc(entry->d_reclen));
    if (copy == nullptr) break;
    memcpy(copy, entry, entry->d_reclen);
    entries[count++] = copy;
  }
  if (errno != 0) {
    while (count > 0) free(entries[--count]);
    free(entries);
    return -1;
  }
  *names = entries;
  return count;
}

int scan(DIR* directory, struct dirent*** names, Filter filter, Compare compare) {
  if (directory == nullptr) return -1;
  const int saved = errno;
  const int count = collect(directory, names, filter);
  const int error = errno;
  interposed_closedir(directory);
  if (count < 0) {
    errno = error;
    return -1;
  }
  if (compare != nullptr && count > 1) {
    qsort(*names, static_cast<size_t>(count), sizeof(**names),
          reinterpret_cast<int (*)(const void*, const void*)>(
              reinterpret_cast<void*>(compare)));
  }
  errno = saved;
  return count;
}

}  // namespace

VFS_INTERPOSE(int, scandir,
              (const char* path, struct dirent*** names, Filter filter, Compare compare)) {
  if (!shim::engaged()) return VFS_NEXT(scandir)(path, names, filter, compare);
  return scan(interposed_opendir(path), names, filter, compare);
}
VFS_ALIAS(scandir64, scandir);

VFS_INTERPOSE(int, scandirat, (int dirfd, const char* path, struct dirent*** names, Filter filter,
                               Compare compare)) {
  if (!shim::engaged()) return VFS_NEXT(scandirat)(dirfd, path, names, filter, compare);
  const int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? -1 : scan(interposed_fdopendir(fd), names, filter, compare);
}
VFS_ALIAS(scandirat64, scandirat);
