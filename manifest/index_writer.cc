#include "manifest/index_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xxhash.h>

#include <unordered_map>

#include "cas/error.h"
#include "cas/file_io.h"
#include "manifest/index_check.h"
#include "vfs/core/index_format.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

struct Image {
  std::vector<IndexEntry> entries;
  std::string names;
  std::unordered_map<uint64_t, uint32_t> group_last;  // hard-link group -> newest name

  uint32_t add_text(std::string_view text) {
    const uint32_t offset = static_cast<uint32_t>(names.size());
    names.append(text);
    names.push_back('\0');
    if (names.size() > 0xffff0000u) {
      throw Error("index", "the names of this snapshot are more than 4 GiB",
                  "split the tree into several workspaces");
    }
    return offset;
  }
  void add(const Entry& entry, uint32_t parent);
  void join_group(uint64_t group, uint32_t number);
  void finish_groups();
};

void Image::join_group(uint64_t group, uint32_t number) {
  IndexEntry& added = entries[number];
  const auto [place, fresh] = group_last.try_emplace(group, number);
  if (fresh) return;
  IndexEntry& last = entries[place->second];
  added.link_first = last.link_first;
  added.link_next = last.link_next;
  last.link_next = number;
  place->second = number;
  ++entries[added.link_first].link_count;
}

// The first name of each group has counted; the others take over its number.
void Image::finish_groups() {
  for (IndexEntry& entry : entries) entry.link_count = entries[entry.link_first].link_count;
}

void Image::add(const Entry& entry, uint32_t parent) {
  IndexEntry out = {};
  const uint32_t number = static_cast<uint32_t>(entries.size());
  const uint32_t mode = entry.metadata.mode;
  out.path_hash = entries.empty()
                      ? kRootPathHash
                      : path_hash_append(entries[parent].path_hash, entry.name.data(),
                                         static_cast<uint32_t>(entry.name.size()));
  out.size = S_ISLNK(mode) ? entry.target.size() : entry.size;
  out.mtime_seconds = entry.metadata.mtime_seconds;
  out.mtime_nanoseconds = entry.metadata.mtime_nanoseconds;
  out.mode = mode;
  out.uid = entry.metadata.uid;
  out.gid = entry.metadata.gid;
  out.parent = parent;
  out.name_offset = add_text(entry.name);
  out.name_length = static_cast<uint16_t>(entry.name.size());
  out.link_count = 1;
  out.link_next = number;
  out.link_first = number;
  if (S_ISREG(mode)) memcpy(out.digest, entry.digest.bytes, Digest::kSize);
  if (S_ISLNK(mode)) {
    out.target.offset = add_text(entry.target);
    out.target.length = static_cast<uint32_t>(entry.target.size());
  }
  if (S_ISCHR(mode) || S_ISBLK(mode)) {
    out.device.major = major(entry.device);
    out.device.minor = minor(entry.device);
  }
  entries.push_back(out);
  if (entry.link_group != 0) join_group(entry.link_group, number);
}

// Breadth first, so that the children of a directory stand side by side.
Image build_image(Manifest& manifest, const Snapshot& snapshot) {
  Image image;
  Entry root;
  root.metadata = snapshot.root;
  image.add(root, 0);
  std::vector<TreeId> trees = {snapshot.tree};  // by entry number; 0: not a directory
  for (uint32_t at = 0; at < image.entries.size(); ++at) {
    if (trees[at] == 0) continue;
    const std::vector<Entry> children = manifest.list(trees[at]);
    const uint32_t first = static_cast<uint32_t>(image.entries.size());
    uint32_t directories = 0;
    for (const Entry& child : children) {
      image.add(child, at);
      trees.push_back(child.tree);
      if (S_ISDIR(child.metadata.mode)) ++directories;
    }
    image.entries[at].children = {first, static_cast<uint32_t>(children.size()), directories};
  }
  image.finish_groups();
  return image;
}

std::vector<uint32_t> build_buckets(const std::vector<IndexEntry>& entries) {
  size_t count = 16;
  while (count < entries.size() * 2) count *= 2;
  std::vector<uint32_t> buckets(count, 0);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    uint64_t slot = entries[i].path_hash;
    while (buckets[slot & (count - 1)] != 0) ++slot;
    buckets[slot & (count - 1)] = i + 1;
  }
  return buckets;
}

uint64_t body_checksum(const Image& image, const std::vector<uint32_t>& buckets) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  XXH3_64bits_update(state, image.entries.data(), image.entries.size() * sizeof(IndexEntry));
  XXH3_64bits_update(state, buckets.data(), buckets.size() * sizeof(uint32_t));
  XXH3_64bits_update(state, image.names.data(), image.names.size());
  const uint64_t sum = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return sum;
}

IndexHeader build_header(const Image& image, const std::vector<uint32_t>& buckets,
                         const SnapshotId& id) {
  IndexHeader header = {};
  memcpy(header.magic, kIndexMagic, sizeof(kIndexMagic));
  header.version = kIndexVersion;
  header.header_size = sizeof(header);
  memcpy(header.snapshot, id.bytes, Digest::kSize);
  header.entry_count = image.entries.size();
  header.entries_offset = sizeof(header);
  header.bucket_count = buckets.size();
  header.buckets_offset = header.entries_offset + image.entries.size() * sizeof(IndexEntry);
  header.names_offset = header.buckets_offset + buckets.size() * sizeof(uint32_t);
  header.names_size = image.names.size();
  header.file_size = header.names_offset + header.names_size;
  header.body_checksum = body_checksum(image, buckets);
  header.header_checksum = header_checksum(header);
  return header;
}

template <typename Item>
std::string_view bytes_of(const Item* items, size_t count) {
  return {reinterpret_cast<const char*>(items), count * sizeof(Item)};
}

}  // namespace

std::filesystem::path index_path(const Store& store, const SnapshotId& id) {
  return store.indexes() / (digest_text(id) + ".index");
}

void write_index(const Store& store, Manifest& manifest, const Snapshot& snapshot) {
  const std::filesystem::path path = index_path(store, snapshot.id);
  if (check_index_header(path, snapshot.id)) return;
  const Transaction one_state(manifest.database(), Transaction::read);
  const Image image = build_image(manifest, snapshot);
  const std::vector<uint32_t> buckets = build_buckets(image.entries);
  const IndexHeader header = build_header(image, buckets, snapshot.id);

  TemporaryFile file(store.temporary_name());
  file.write(bytes_of(&header, 1));
  file.write(bytes_of(image.entries.data(), image.entries.size()));
  file.write(bytes_of(buckets.data(), buckets.size()));
  file.write(image.names);
  file.finish(0444);
  file.replace(path);
}

}  // namespace vfs
