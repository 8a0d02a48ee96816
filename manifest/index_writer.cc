#include "manifest/index_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xxhash.h>

#include <fstream>
#include <unordered_map>

#include "cas/descriptor.h"
#include "cas/error.h"
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
    if (names.size() > 0xffff0000u) throw Error("index", "too many names for one snapshot");
    return offset;
  }
  void add(const Entry& entry, uint32_t parent);
  void join_group(uint64_t group, uint32_t number);
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
  // Every name of the ring has the same count.
  const uint32_t count = entries[added.link_first].link_count + 1;
  uint32_t at = number;
  do {
    entries[at].link_count = count;
    at = entries[at].link_next;
  } while (at != number);
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

}  // namespace

std::filesystem::path index_path(const Store& store, const SnapshotId& id) {
  return store.indexes() / (digest_text(id) + ".index");
}

void write_index(const Store& store, Manifest& manifest, const Snapshot& snapshot) {
  const std::filesystem::path path = index_path(store, snapshot.id);
  if (::access(path.c_str(), F_OK) == 0) return;
  const Image image = build_image(manifest, snapshot);
  const std::vector<uint32_t> buckets = build_buckets(image.entries);

  IndexHeader header = {};
  memcpy(header.magic, kIndexMagic, sizeof(kIndexMagic));
  header.version = kIndexVersion;
  header.header_size = sizeof(header);
  memcpy(header.snapshot, snapshot.id.bytes, Digest::kSize);
  header.entry_count = image.entries.size();
  header.entries_offset = sizeof(header);
  header.bucket_count = buckets.size();
  header.buckets_offset = header.entries_offset + image.entries.size() * sizeof(IndexEntry);
  header.names_offset = header.buckets_offset + buckets.size() * sizeof(uint32_t);
  header.names_size = image.names.size();
  header.file_size = header.names_offset + header.names_size;
  header.body_checksum = body_checksum(image, buckets);
  header.header_checksum = header_checksum(header);

  const std::filesystem::path temporary = store.temporary_name();
  {
    std::ofstream out(temporary, std::ios::binary);
    out.write(reinterpret_cast<const char*>(&header), sizeof(header));
    out.write(reinterpret_cast<const char*>(image.entries.data()),
              static_cast<std::streamsize>(image.entries.size() * sizeof(IndexEntry)));
    out.write(reinterpret_cast<const char*>(buckets.data()),
              static_cast<std::streamsize>(buckets.size() * sizeof(uint32_t)));
    out.write(image.names.data(), static_cast<std::streamsize>(image.names.size()));
    out.close();
    if (!out) {
      const int error = errno;
      ::unlink(temporary.c_str());
      throw system_error(temporary.string(), error, "make room in the store's file system");
    }
  }
  ::chmod(temporary.c_str(), 0444);
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw system_error(path.string(), errno);
}

std::string check_index(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  IndexHeader header;
  if (!in && bytes.empty()) return "cannot be read";
  if (bytes.size() < sizeof(header)) return "too short";
  memcpy(&header, bytes.data(), sizeof(header));
  if (memcmp(header.magic, kIndexMagic, sizeof(kIndexMagic)) != 0) return "not an index";
  if (header.version != kIndexVersion) return "of another version";
  if (header.header_checksum != header_checksum(header)) return "the header is damaged";
  if (header.file_size != bytes.size()) return "of the wrong size";
  if (XXH3_64bits(bytes.data() + sizeof(header), bytes.size() - sizeof(header)) !=
      header.body_checksum) {
    return "the body is damaged";
  }
  return {};
}

}  // namespace vfs
