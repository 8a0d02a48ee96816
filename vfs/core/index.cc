#include "vfs/core/index.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "vfs/core/sys.h"

namespace vfs {
namespace {

bool run_fits(uint64_t offset, uint64_t count, uint64_t size, uint64_t file_size) {
  return offset % 8 == 0 && offset >= sizeof(IndexHeader) && offset <= file_size &&
         count <= (file_size - offset) / size;
}

bool header_is_sound(const IndexHeader& header, uint64_t file_size) {
  return memcmp(header.magic, kIndexMagic, sizeof(kIndexMagic)) == 0 &&
         header.version == kIndexVersion && header.header_size == sizeof(IndexHeader) &&
         header.header_checksum == header_checksum(header) && header.file_size == file_size &&
         header.entry_count > 0 && header.entry_count < kNoEntry &&
         header.bucket_count > header.entry_count &&
         (header.bucket_count & (header.bucket_count - 1)) == 0 &&
         run_fits(header.entries_offset, header.entry_count, sizeof(IndexEntry), file_size) &&
         run_fits(header.buckets_offset, header.bucket_count, sizeof(uint32_t), file_size) &&
         header.names_offset >= sizeof(IndexHeader) && header.names_offset <= file_size &&
         header.names_size <= file_size - header.names_offset;
}

}  // namespace

int Index::open(const char* path) {
  const int fd = sys::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  struct stat status;
  int result = sys::fstat(fd, &status);
  if (result == 0 && static_cast<uint64_t>(status.st_size) < sizeof(IndexHeader)) result = -EUCLEAN;
  if (result == 0) {
    const uint64_t size = static_cast<uint64_t>(status.st_size);
    void* mapped = sys::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (sys::is_error(mapped)) {
      result = static_cast<int>(sys::as_argument(mapped));
    } else if (!header_is_sound(*static_cast<const IndexHeader*>(mapped), size)) {
      sys::munmap(mapped, size);
      result = -EUCLEAN;
    } else {
      base_ = static_cast<const char*>(mapped);
    }
  }
  sys::close(fd);
  return result;
}

const char* Index::text(uint64_t offset, uint64_t length) const {
  const uint64_t size = header().names_size;
  if (offset >= size || length >= size - offset) return nullptr;
  const char* start = base_ + header().names_offset + offset;
  return start[length] == '\0' ? start : nullptr;
}

// Equal hashes are not yet equal paths: compare every component, from the
// last one up to the root.
bool Index::spells(const IndexEntry* entry, const char* path, uint32_t length) const {
  uint32_t end = length;
  while (end > 0) {
    const char* text = name(*entry);
    const uint32_t count = entry->name_length;
    if (text == nullptr || count == 0 || count > end) return false;
    const uint32_t start = end - count;
    if (memcmp(path + start, text, count) != 0) return false;
    if (start > 0 && path[start - 1] != '/') return false;
    const IndexEntry* parent = this->entry(entry->parent);
    if (parent == nullptr) return false;
    entry = parent;
    end = start > 0 ? start - 1 : 0;
  }
  return entry == entries();
}

const IndexEntry* Index::find(const char* path, uint32_t length, uint64_t hash) const {
  const IndexHeader& head = header();
  const uint32_t* buckets = reinterpret_cast<const uint32_t*>(base_ + head.buckets_offset);
  const uint64_t mask = head.bucket_count - 1;
  // A damaged table may have no empty bucket: never probe more than all of it.
  for (uint64_t i = 0; i <= mask; ++i) {
    const uint32_t bucket = buckets[(hash + i) & mask];
    if (bucket == 0) return nullptr;
    const IndexEntry* candidate = entry(bucket - 1);
    if (candidate != nullptr && candidate->path_hash == hash && spells(candidate, path, length)) {
      return candidate;
    }
  }
  return nullptr;
}

const IndexEntry* Index::children(const IndexEntry& directory, uint32_t& count) const {
  count = 0;
  if (!S_ISDIR(directory.mode)) return nullptr;
  const uint64_t first = directory.children.first_child;
  const uint64_t wanted = directory.children.count;
  if (wanted == 0 || first >= header().entry_count || wanted > header().entry_count - first) {
    return nullptr;
  }
  count = directory.children.count;
  return entries() + first;
}

uint64_t Index::inode(const IndexEntry& entry) const {
  const IndexEntry* first = S_ISDIR(entry.mode) ? &entry : this->entry(entry.link_first);
  return base_inode(first != nullptr ? first->path_hash : entry.path_hash);
}

void Index::status(const IndexEntry& entry, struct stat& status) const {
  status = {};
  status.st_ino = inode(entry);
  status.st_mode = entry.mode;
  status.st_nlink = S_ISDIR(entry.mode) ? 2 + entry.children.subdirectories : entry.link_count;
  status.st_uid = entry.uid;
  status.st_gid = entry.gid;
  status.st_size = S_ISDIR(entry.mode) ? 4096 : static_cast<off_t>(entry.size);
  status.st_blksize = 4096;
  status.st_blocks = S_ISDIR(entry.mode)   ? 8
                     : S_ISREG(entry.mode) ? (status.st_size + 4095) / 4096 * 8
                                           : 0;
  if (S_ISCHR(entry.mode) || S_ISBLK(entry.mode)) {
    status.st_rdev = makedev(entry.device.major, entry.device.minor);
  }
  status.st_mtim = {entry.mtime_seconds, static_cast<long>(entry.mtime_nanoseconds)};
  status.st_atim = status.st_mtim;
  status.st_ctim = status.st_mtim;
}

const char* Index::path_of(const IndexEntry& entry, char* buffer, uint32_t size) const {
  if (size == 0) return nullptr;
  uint32_t start = size - 1;
  buffer[start] = '\0';
  const IndexEntry* at = &entry;
  while (at != entries()) {
    const char* text = name(*at);
    const uint32_t count = at->name_length;
    if (text == nullptr || count == 0 || count + 1 > start) return nullptr;
    if (at != &entry) buffer[--start] = '/';
    start -= count;
    memcpy(buffer + start, text, count);
    at = this->entry(at->parent);
    if (at == nullptr) return nullptr;
  }
  return buffer + start;
}

}  // namespace vfs
