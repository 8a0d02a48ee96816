// One index file in memory, full or delta, as it stands there: every offset is
// compared with what the header says before it is used.
#pragma once

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "vfs/core/index_format.h"

namespace vfs {

// Whether a header fits a file of this size. Nothing else is trusted later.
inline bool index_header_is_sound(const IndexHeader& header, uint64_t file_size) {
  const auto fits = [&](uint64_t offset, uint64_t count, uint64_t size) {
    return offset % 8 == 0 && offset >= sizeof(IndexHeader) && offset <= file_size &&
           count <= (file_size - offset) / size;
  };
  return memcmp(header.magic, kIndexMagic, sizeof(kIndexMagic)) == 0 &&
         header.version == kIndexVersion && header.header_size == sizeof(IndexHeader) &&
         header.header_checksum == header_checksum(header) && header.file_size == file_size &&
         header.entry_count > 0 && header.entry_count < kNoEntry &&
         header.bucket_count > header.entry_count &&
         (header.bucket_count & (header.bucket_count - 1)) == 0 &&
         fits(header.entries_offset, header.entry_count, sizeof(IndexEntry)) &&
         fits(header.buckets_offset, header.bucket_count, sizeof(uint32_t)) &&
         fits(header.groups_offset, header.group_count, sizeof(IndexGroup)) &&
         header.names_offset >= sizeof(IndexHeader) && header.names_offset <= file_size &&
         header.names_size <= file_size - header.names_offset &&
         (header.main_offset == 0 || header.main_offset == index_main_offset(file_size));
}

// Whether `main` is the index that `delta` was derived from.
inline bool is_main_of(const IndexHeader& main, const IndexHeader& delta) {
  return main.main_offset == 0 && main.body_checksum == delta.main_checksum &&
         memcmp(main.snapshot, delta.main_snapshot, sizeof(main.snapshot)) == 0;
}

class IndexLevel {
 public:
  IndexLevel() = default;
  explicit IndexLevel(const char* base) : base_(base) {}

  const IndexHeader& header() const { return *reinterpret_cast<const IndexHeader*>(base_); }
  const IndexEntry* root() const {
    return reinterpret_cast<const IndexEntry*>(base_ + header().entries_offset);
  }
  const uint32_t* buckets() const {
    return reinterpret_cast<const uint32_t*>(base_ + header().buckets_offset);
  }
  const IndexGroup* groups() const {
    return reinterpret_cast<const IndexGroup*>(base_ + header().groups_offset);
  }
  uint64_t entry_count() const { return header().entry_count; }

  const IndexEntry* entry(uint64_t number) const {
    return number < header().entry_count ? root() + number : nullptr;
  }
  uint32_t number(const IndexEntry& entry) const { return static_cast<uint32_t>(&entry - root()); }

  // Names and targets; null if the index is damaged there.
  const char* text(uint64_t offset, uint64_t length) const {
    const uint64_t size = header().names_size;
    if (offset >= size || length >= size - offset) return nullptr;
    const char* start = base_ + header().names_offset + offset;
    return start[length] == '\0' ? start : nullptr;
  }
  const char* name(const IndexEntry& entry) const {
    return entry.name_length <= NAME_MAX ? text(entry.name_offset, entry.name_length) : nullptr;
  }
  const char* target(const IndexEntry& entry) const {
    return text(entry.target.offset, entry.target.length);
  }

  // The children of a directory that stand in this file: null if there are
  // none or the index is damaged there. Sets `count`.
  const IndexEntry* run(const IndexEntry& directory, uint32_t& count) const {
    count = 0;
    if (!S_ISDIR(directory.mode)) return nullptr;
    const uint64_t first = directory.children.first_child;
    const uint64_t wanted = directory.children.count;
    if (wanted == 0 || first >= entry_count() || wanted > entry_count() - first) return nullptr;
    count = directory.children.count;
    return root() + first;
  }

  // One of them, by its name.
  const IndexEntry* child(const IndexEntry& directory, const char* name, uint32_t length) const {
    uint32_t count;
    const IndexEntry* from = run(directory, count);
    while (count > 0) {
      const IndexEntry& middle = from[count / 2];
      const char* other = this->name(middle);
      if (other == nullptr) return nullptr;
      const int order = compare_names(other, middle.name_length, name, length);
      if (order == 0) return &middle;
      if (order < 0) from += count / 2 + 1;
      count = order < 0 ? count - count / 2 - 1 : count / 2;
    }
    return nullptr;
  }

  // The order of children.
  static int compare_names(const char* a, uint32_t a_length, const char* b, uint32_t b_length) {
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order != 0 ? order : static_cast<int>(a_length) - static_cast<int>(b_length);
  }

 private:
  const char* base_ = nullptr;
};

}  // namespace vfs
