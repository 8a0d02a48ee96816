#include "manifest/index_image.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <xxhash.h>

#include <algorithm>

#include "cas/error.h"
#include "cas/file_io.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

// A look-up in a delta mostly misses: the more buckets are empty, the more
// often one of them is all that it touches.
std::vector<uint32_t> build_buckets(const std::vector<IndexEntry>& entries, size_t room) {
  size_t count = 16;
  while (count < entries.size() * room) count *= 2;
  std::vector<uint32_t> buckets(count, 0);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    uint64_t slot = entries[i].path_hash;
    while (buckets[slot & (count - 1)] != 0) ++slot;
    buckets[slot & (count - 1)] = i + 1;
  }
  return buckets;
}

template <typename Item>
std::string_view bytes_of(const std::vector<Item>& items) {
  return {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(Item)};
}

uint64_t checksum_of(std::initializer_list<std::string_view> parts) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  for (const std::string_view part : parts) XXH3_64bits_update(state, part.data(), part.size());
  const uint64_t sum = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return sum;
}

}  // namespace

IndexEntry describe(const Entry& entry) {
  IndexEntry out = {};
  const uint32_t mode = entry.metadata.mode;
  out.size = S_ISLNK(mode) ? entry.target.size() : entry.size;
  out.mtime_seconds = entry.metadata.mtime_seconds;
  out.mtime_nanoseconds = entry.metadata.mtime_nanoseconds;
  out.mode = mode;
  out.uid = entry.metadata.uid;
  out.gid = entry.metadata.gid;
  out.main = kNoEntry;
  if (S_ISREG(mode)) memcpy(out.digest, entry.digest.bytes, Digest::kSize);
  if (S_ISCHR(mode) || S_ISBLK(mode)) {
    out.device.major = major(entry.device);
    out.device.minor = minor(entry.device);
  }
  return out;
}

uint32_t IndexImage::add_text(std::string_view text) {
  const uint32_t offset = static_cast<uint32_t>(names_.size());
  names_.append(text);
  names_.push_back('\0');
  if (names_.size() > 0xffff0000u) {
    throw Error("index", "the names of this snapshot are more than 4 GiB",
                "split the tree into several workspaces");
  }
  return offset;
}

uint32_t IndexImage::add(const IndexEntry& entry, std::string_view name, std::string_view target,
                         uint32_t parent) {
  if (entries.size() >= kNoEntry - 1) {
    throw Error("index", "there are more than four billion paths in this snapshot",
                "split the tree into several workspaces");
  }
  const uint32_t number = static_cast<uint32_t>(entries.size());
  const uint32_t length = static_cast<uint32_t>(name.size());
  const uint64_t hash = number == 0 ? kRootPathHash
                                    : path_hash_append(entries[parent].path_hash, name.data(), length);
  IndexEntry& out = entries.emplace_back(entry);
  out.path_hash = hash;
  out.parent = parent;
  out.name_offset = add_text(name);
  out.name_length = static_cast<uint16_t>(length);
  out.link_count = 1;
  out.link_next = number;
  out.link_first = number;
  if (S_ISLNK(out.mode)) {
    out.target.offset = add_text(target);
    out.target.length = static_cast<uint32_t>(target.size());
  }
  return number;
}

void IndexImage::join_group(uint64_t group, uint32_t number) {
  IndexEntry& added = entries[number];
  const auto [place, fresh] = rings_.try_emplace(group, Ring{number, number});
  if (fresh) return;
  IndexEntry& last = entries[place->second.last];
  added.link_first = last.link_first;
  added.link_next = last.link_next;
  last.link_next = number;
  place->second.last = number;
  ++entries[added.link_first].link_count;
}

// The first name of each group has counted; the others take over its number.
std::vector<IndexGroup> IndexImage::finish_groups() {
  for (IndexEntry& entry : entries) entry.link_count = entries[entry.link_first].link_count;
  std::vector<IndexGroup> groups;
  groups.reserve(rings_.size());
  for (const auto& [group, ring] : rings_) groups.push_back({group, ring.first, 0});
  std::sort(groups.begin(), groups.end(),
            [](const IndexGroup& a, const IndexGroup& b) { return a.group < b.group; });
  return groups;
}

void IndexImage::write(const Store& store, const std::filesystem::path& path, const SnapshotId& id,
                       const IndexHeader* main) {
  const std::vector<IndexGroup> groups = finish_groups();
  const std::vector<uint32_t> buckets = build_buckets(entries, main == nullptr ? 2 : 4);
  IndexHeader header = {};
  memcpy(header.magic, kIndexMagic, sizeof(kIndexMagic));
  header.version = kIndexVersion;
  header.header_size = sizeof(header);
  memcpy(header.snapshot, id.bytes, Digest::kSize);
  header.entry_count = entries.size();
  header.entries_offset = sizeof(header);
  header.bucket_count = buckets.size();
  header.buckets_offset = header.entries_offset + bytes_of(entries).size();
  header.group_count = groups.size();
  header.groups_offset = header.buckets_offset + bytes_of(buckets).size();
  header.names_offset = header.groups_offset + bytes_of(groups).size();
  header.names_size = names_.size();
  header.file_size = header.names_offset + header.names_size;
  header.body_checksum = checksum_of({bytes_of(entries), bytes_of(buckets), bytes_of(groups), names_});
  if (main != nullptr) {
    header.main_offset = index_main_offset(header.file_size);
    header.main_checksum = main->body_checksum;
    memcpy(header.main_snapshot, main->snapshot, Digest::kSize);
  }
  header.header_checksum = header_checksum(header);

  TemporaryFile file(store.temporary_name());
  file.write({reinterpret_cast<const char*>(&header), sizeof(header)});
  file.write(bytes_of(entries));
  file.write(bytes_of(buckets));
  file.write(bytes_of(groups));
  file.write(names_);
  file.finish(0400);
  file.replace(path);
}

}  // namespace vfs
