#include "vfs/core/index.h"

#include <string.h>
#include <sys/sysmacros.h>

namespace vfs {
namespace {

// Equal hashes are not yet equal paths: compare every component, from the
// last one up to the root.
bool spells(IndexLevel level, const IndexEntry* entry, const char* path, uint32_t length) {
  uint32_t end = length;
  while (end > 0) {
    const char* text = level.name(*entry);
    const uint32_t count = entry->name_length;
    if (text == nullptr || count == 0 || count > end) return false;
    const uint32_t start = end - count;
    if (memcmp(path + start, text, count) != 0) return false;
    if (start > 0 && path[start - 1] != '/') return false;
    const IndexEntry* parent = level.entry(entry->parent);
    if (parent == nullptr) return false;
    entry = parent;
    end = start > 0 ? start - 1 : 0;
  }
  return entry == level.root();
}

// The first entry of that hash which `is_it`.
template <typename IsIt>
const IndexEntry* probe(IndexLevel level, uint64_t hash, IsIt is_it) {
  const uint32_t* buckets = level.buckets();
  const uint64_t mask = level.header().bucket_count - 1;
  // A damaged table may have no empty bucket: never probe more than all of it.
  for (uint64_t i = 0; i <= mask; ++i) {
    const uint32_t bucket = buckets[(hash + i) & mask];
    if (bucket == 0) return nullptr;
    const IndexEntry* candidate = level.entry(bucket - 1);
    if (candidate != nullptr && candidate->path_hash == hash && is_it(*candidate)) return candidate;
  }
  return nullptr;
}

// A header that counts nothing, and one empty bucket.
struct Nothing {
  IndexHeader header = {};
  uint64_t bucket = 0;

  constexpr Nothing() {
    header.bucket_count = 1;
    header.buckets_offset = sizeof(IndexHeader);
  }
};
constexpr Nothing kNothing;

}  // namespace

Index Index::nothing() {
  Index index;
  index.base_ = reinterpret_cast<const char*>(&kNothing);
  return index;
}

const IndexEntry* Index::find(const char* path, uint32_t length, uint64_t hash) const {
  const IndexEntry* entry = probe(top(), hash, [&](const IndexEntry& candidate) {
    return spells(top(), &candidate, path, length);
  });
  if (!is_delta()) return entry;
  if (entry != nullptr) return entry->mode != 0 ? entry : nullptr;
  return probe(main(), hash, [&](const IndexEntry& candidate) {
    return spells(main(), &candidate, path, length);
  });
}

bool Index::has(const IndexEntry& entry) const {
  const uint64_t offset = static_cast<uint64_t>(reinterpret_cast<const char*>(&entry) - base_);
  return offset < top().header().main_offset + main().header().file_size;
}

IndexChildren Index::children(const IndexEntry& directory) const {
  IndexChildren children;
  if (!S_ISDIR(directory.mode)) return children;
  const IndexLevel level = level_of(directory);
  uint32_t count;
  children.kept_ = level.run(directory, count);
  children.kept_end_ = children.kept_ + count;
  if (!is_delta() || &directory < top().root() || &directory >= main().root()) return children;
  // What stands in the delta goes over what main has.
  children.delta_ = level;
  children.main_ = main();
  children.changed_ = children.kept_;
  children.changed_end_ = children.kept_end_;
  const IndexEntry* below = main().entry(directory.main);
  children.kept_ = below != nullptr ? main().run(*below, count) : nullptr;
  children.kept_end_ = below != nullptr ? children.kept_ + count : nullptr;
  return children;
}

const IndexEntry* IndexChildren::merge() {
  while (changed_ != changed_end_) {
    int order = 1;
    if (kept_ != kept_end_) {
      const char* kept = main_.name(*kept_);
      const char* changed = delta_.name(*changed_);
      if (kept == nullptr) return kept_++;
      if (changed == nullptr) return changed_++;
      order = IndexLevel::compare_names(kept, kept_->name_length, changed, changed_->name_length);
    }
    if (order < 0) return kept_++;
    if (order == 0) ++kept_;
    const IndexEntry* changed = changed_++;
    if (changed->mode != 0) return changed;
  }
  return kept_ != kept_end_ ? kept_++ : nullptr;
}

const IndexEntry* Index::parent(const IndexEntry& entry) const {
  const IndexLevel level = level_of(entry);
  const IndexEntry* parent = level.entry(entry.parent);
  if (parent == nullptr || !is_delta() || &entry < main().root()) return parent;
  // The delta may have that directory too, with another mode.
  const uint32_t number = level.number(*parent);
  const IndexEntry* newer = probe(top(), parent->path_hash, [&](const IndexEntry& candidate) {
    return candidate.main == number;
  });
  return newer != nullptr ? newer : parent;
}

uint64_t Index::inode(const IndexEntry& entry) const {
  if (S_ISDIR(entry.mode) || entry.link_count == 1) return base_inode(entry.path_hash);
  const IndexEntry* first = level_of(entry).entry(entry.link_first);
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
  const IndexLevel level = level_of(entry);
  uint32_t start = size - 1;
  buffer[start] = '\0';
  const IndexEntry* at = &entry;
  while (at != level.root()) {
    const char* text = level.name(*at);
    const uint32_t count = at->name_length;
    if (text == nullptr || count == 0 || count + 1 > start) return nullptr;
    if (at != &entry) buffer[--start] = '/';
    start -= count;
    memcpy(buffer + start, text, count);
    at = level.entry(at->parent);
    if (at == nullptr) return nullptr;
  }
  return buffer + start;
}

}  // namespace vfs
