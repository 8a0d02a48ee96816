// getdents64 and getdirentries by their names in libc.
//
// The position is the kernel's file offset, so that it is shared by duplicates
// and moved by lseek; it counts bytes of our listing. A listing that was begun
// is kept, as the kernel keeps its place: a program may remove what it has read
// and then read on.
#include <dirent.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/table.h"
#include "vfs/core/listing.h"

namespace {

using shim::workspace;
namespace sys = vfs::sys;

struct Kept {
  std::atomic<bool> busy;
  int fd;          // -1: nothing is kept
  uint32_t round;  // when it was used last
  uint32_t next;   // the position that was left in the descriptor
  vfs::PathBuffer path;
  vfs::Listing listing;
};
constexpr unsigned kMost = 4;
// All zeros, and never destroyed: the end of a process would be a page fault or
// two longer in those that list nothing.
alignas(Kept) constinit unsigned char storage[kMost * sizeof(Kept)] = {};
std::atomic<uint32_t> rounds;

// The one that was used longest ago, or that is of this descriptor; taken for
// the caller. Null: all are in use by other threads.
Kept* take(int fd, const vfs::PathBuffer& path) {
  Kept* oldest = nullptr;
  Kept* const all = reinterpret_cast<Kept*>(storage);
  for (Kept* at = all; at != all + kMost; ++at) {
    Kept& kept = *at;
    if (kept.busy.exchange(true, std::memory_order_acquire)) continue;
    const bool same = kept.fd == fd + 1 && strcmp(kept.path.text, path.text) == 0;
    if (same || oldest == nullptr || kept.round < oldest->round) {
      if (oldest != nullptr) oldest->busy.store(false, std::memory_order_release);
      oldest = &kept;
      if (same) return oldest;
    } else {
      kept.busy.store(false, std::memory_order_release);
    }
  }
  return oldest;
}

// Bytes written to `out`, or a negative errno.
long read_entries(int fd, const vfs::PathBuffer& path, char* out, size_t size) {
  const off_t start = sys::lseek(fd, 0, SEEK_CUR);
  if (start < 0) return start;
  Kept* kept = take(fd, path);
  if (kept == nullptr) return -ENOMEM;
  long result = 0;
  const bool same = kept->fd == fd + 1 && strcmp(kept->path.text, path.text) == 0;
  if (start == 0 || !same) {
    vfs::Lookup found;
    kept->listing.reset();
    kept->fd = fd + 1;  // zero is "nothing"
    kept->path.assign(path);
    result = vfs::look_up_canonical(workspace, path, found);
    if (result == 0 && !found.exists()) result = -ENOENT;
    if (result == 0) result = kept->listing.read(workspace, found);
  }
  kept->round = rounds.fetch_add(1, std::memory_order_relaxed) + 1;
  // A position that is not ours may lie inside of an entry.
  uint32_t position = same && start == kept->next
                          ? kept->next
                          : kept->listing.entry_behind(static_cast<uint64_t>(start));
  size_t used = 0;
  while (result == 0) {
    const struct dirent64* entry = kept->listing.at(position);
    if (entry == nullptr) break;
    if (entry->d_reclen > size - used) {
      if (used == 0) result = -EINVAL;
      break;
    }
    memcpy(out + used, entry, entry->d_reclen);
    used += entry->d_reclen;
    position = static_cast<uint32_t>(entry->d_off);
  }
  kept->next = position;
  kept->busy.store(false, std::memory_order_release);
  if (result != 0) return result;
  sys::lseek(fd, position, SEEK_SET);
  return static_cast<long>(used);
}

}  // namespace

VFS_INTERPOSE(ssize_t, getdents64, (int fd, void* buffer, size_t size)) {
  shim::Directory directory;
  struct stat status;
  if (!shim::engaged() || shim::activity != shim::Activity::active || buffer == nullptr ||
      fd < 0 || sys::fstat(fd, &status) != 0 || !S_ISDIR(status.st_mode) ||
      (sys::fcntl(fd, F_GETFL) & O_PATH) != 0 ||
      shim::locate_directory(fd, directory) != 0 || !directory.inside) {
    return VFS_NEXT(getdents64)(fd, buffer, size);
  }
  return shim::answer<ssize_t>(
      read_entries(fd, directory.path, static_cast<char*>(buffer), size));
}

VFS_INTERPOSE(ssize_t, getdirentries, (int fd, char* buffer, size_t size, off_t* base)) {
  if (!shim::engaged()) return VFS_NEXT(getdirentries)(fd, buffer, size, base);
  const off_t start = lseek(fd, 0, SEEK_CUR);
  const ssize_t result = interposed_getdents64(fd, buffer, size);
  if (result >= 0) *base = start;
  return result;
}

#define VFS_TABLE_RAW_LISTING
#include "shim/entry_points.def"
