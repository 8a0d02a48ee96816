#include <sys/sysmacros.h>
#include <xxhash.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "cas/error.h"
#include "manifest/index_writer.h"
#include "tests/unit/cas_fixture.h"
#include "vfs/core/index.h"
#include "vfs/core/path_hash.h"

namespace vfs::test {
namespace {

TreeNode node_of(const std::string& name, uint32_t mode) {
  TreeNode node;
  node.entry.name = name;
  node.entry.metadata = {mode, 7, 8, 1'700'000'000, 42};
  return node;
}

// Every path of a snapshot, by the manifest.
void collect_paths(Manifest& manifest, TreeId tree, const std::string& above,
                   std::map<std::string, Entry>& paths) {
  for (const Entry& entry : manifest.list(tree)) {
    const std::string path = above.empty() ? entry.name : above + "/" + entry.name;
    paths[path] = entry;
    if (entry.tree != 0) collect_paths(manifest, entry.tree, path, paths);
  }
}

// Looks a path up as the format says, without the reader of vfs/core.
const IndexEntry* probe(const std::string& bytes, const std::string& path) {
  IndexHeader header;
  memcpy(&header, bytes.data(), sizeof(header));
  const auto* entries = reinterpret_cast<const IndexEntry*>(bytes.data() + header.entries_offset);
  const auto* buckets = reinterpret_cast<const uint32_t*>(bytes.data() + header.buckets_offset);
  const uint64_t hash = path_hash(path.data(), static_cast<uint32_t>(path.size()));
  for (uint64_t slot = hash;; ++slot) {
    const uint32_t at = buckets[slot & (header.bucket_count - 1)];
    if (at == 0) return nullptr;
    if (entries[at - 1].path_hash == hash) return &entries[at - 1];
  }
}

TreeNode large_tree() {
  TreeNode root = node_of("", S_IFDIR | 0755);
  for (int d = 0; d < 50; ++d) {
    TreeNode& directory = root.children.emplace_back(node_of("d" + std::to_string(d), S_IFDIR | 0700));
    for (int f = 0; f < 40; ++f) {
      TreeNode& file =
          directory.children.emplace_back(node_of("f" + std::to_string(f), S_IFREG | 0644));
      const std::string content = std::to_string(d * f);
      file.entry.digest = digest_of(content.data(), content.size());
      file.entry.size = content.size();
    }
    directory.children.push_back(node_of("empty", S_IFDIR | 0711));
  }
  TreeNode& link = root.children.emplace_back(node_of("line\nbreak", S_IFLNK | 0777));
  link.entry.target = std::string(4095, 't');
  root.children.push_back(node_of(std::string(255, 'x'), S_IFREG | 0644));
  root.children.push_back(node_of("device", S_IFBLK | 0660));
  root.children.back().entry.device = makedev(8, 17);
  return root;
}

}  // namespace

TEST_CASE("every path of a snapshot is in its index, by hash, with all it is") {
  Scratch scratch;
  const Store store = scratch.store();
  Manifest manifest(store);
  TreeNode root = large_tree();
  const Snapshot snapshot = manifest.add_snapshot(root, {}, "");
  write_index(store, manifest, snapshot);
  const fs::path path = index_path(store, snapshot.id);
  CHECK(path == store.path() / "indexes" / (digest_text(snapshot.id) + ".index"));
  CHECK(check_index(path).empty());
  CHECK(check_index_header(path, snapshot.id));
  CHECK_FALSE(check_index_header(path, digest_of("another", 7)));
  CHECK((status_of(path).st_mode & 07777) == 0400);
  CHECK(fs::is_empty(store.temporary()));

  std::map<std::string, Entry> expected;
  collect_paths(manifest, snapshot.tree, "", expected);
  REQUIRE(expected.size() == 50 * 42 + 3);
  const std::string bytes = read_file(path);
  Index index;
  REQUIRE(index.open(path.c_str(), "") == 0);
  CHECK(index.top().entry_count() == expected.size() + 1);
  CHECK(memcmp(index.snapshot(), snapshot.id.bytes, 16) == 0);
  for (const auto& [name, entry] : expected) {
    const uint32_t length = static_cast<uint32_t>(name.size());
    const IndexEntry* found = index.find(name.c_str(), length, path_hash(name.data(), length));
    REQUIRE(found != nullptr);
    const IndexEntry* probed = probe(bytes, name);
    REQUIRE(probed != nullptr);
    REQUIRE(memcmp(probed, found, sizeof(IndexEntry)) == 0);
    REQUIRE(index.name(*found) == entry.name);
    REQUIRE(found->mode == entry.metadata.mode);
    REQUIRE(found->uid == 7);
    REQUIRE(found->gid == 8);
    REQUIRE(found->mtime_seconds == 1'700'000'000);
    REQUIRE(found->mtime_nanoseconds == 42);
    if (S_ISREG(found->mode)) REQUIRE(memcmp(found->digest, entry.digest.bytes, 16) == 0);
    REQUIRE(found->size == entry.size);
  }
  CHECK(index.find("d1/none", 7, path_hash("d1/none", 7)) == nullptr);
  const IndexEntry* link = index.find("line\nbreak", 10, path_hash("line\nbreak", 10));
  CHECK(index.target(*link) == std::string(4095, 't'));
  const IndexEntry* device = index.find("device", 6, path_hash("device", 6));
  CHECK(device->device.major == 8);
  CHECK(device->device.minor == 17);
  const IndexEntry* top = index.find("", 0, kRootPathHash);
  REQUIRE(top != nullptr);
  CHECK(top->children.subdirectories == 50);
  uint32_t count = 0;
  for (IndexChildren children = index.children(*top); children.next() != nullptr;) ++count;
  CHECK(count == 53);
}

TEST_CASE("the index of an empty tree") {
  Scratch scratch;
  const Store store = scratch.store();
  Manifest manifest(store);
  TreeNode root = node_of("", S_IFDIR | 0755);
  const Snapshot snapshot = manifest.add_snapshot(root, {}, "");
  write_index(store, manifest, snapshot);
  CHECK(check_index(index_path(store, snapshot.id)).empty());
  Index index;
  REQUIRE(index.open(index_path(store, snapshot.id).c_str(), "") == 0);
  CHECK(index.top().entry_count() == 1);
  CHECK(index.find("x", 1, path_hash("x", 1)) == nullptr);
}

TEST_CASE("names of one inode form a ring, counted and numbered by the first") {
  Scratch scratch;
  const Store store = scratch.store();
  Manifest manifest(store);
  TreeNode root = node_of("", S_IFDIR | 0755);
  TreeNode& sub = root.children.emplace_back(node_of("sub", S_IFDIR | 0755));
  for (int i = 0; i < 3000; ++i) {
    sub.children.push_back(node_of("name" + std::to_string(i), S_IFREG | 0644));
    sub.children.back().entry.link_group = i % 3 == 0 ? 5 : 0;
  }
  root.children.push_back(node_of("top", S_IFREG | 0644));
  root.children.back().entry.link_group = 5;
  root.children.push_back(node_of("widow", S_IFREG | 0644));  // its other names are gone
  root.children.back().entry.link_group = 6;
  const Snapshot snapshot = manifest.add_snapshot(root, {}, "");
  write_index(store, manifest, snapshot);
  CHECK(check_index(index_path(store, snapshot.id)).empty());
  Index index;
  REQUIRE(index.open(index_path(store, snapshot.id).c_str(), "") == 0);
  const auto find = [&](const std::string& path) {
    const uint32_t length = static_cast<uint32_t>(path.size());
    return index.find(path.c_str(), length, path_hash(path.data(), length));
  };
  const IndexEntry* top = find("top");
  CHECK(top->link_count == 1001);
  CHECK(index.top().entry(top->link_first) == top);  // the smallest number: nearest to the root
  CHECK(find("sub/name3")->link_first == top->link_first);
  CHECK(find("sub/name3")->link_count == 1001);
  CHECK(find("sub/name4")->link_count == 1);
  CHECK(find("widow")->link_count == 1);
  CHECK(index.top().entry(find("widow")->link_next) == find("widow"));
  uint32_t length = 1;
  for (const IndexEntry* at = index.top().entry(top->link_next); at != top; ++length) {
    REQUIRE(length <= 1001);
    at = index.top().entry(at->link_next);
  }
  CHECK(length == 1001);
}

TEST_CASE("a damaged or half index is noticed and written again") {
  Scratch scratch;
  const Store store = scratch.store();
  Manifest manifest(store);
  TreeNode root = large_tree();
  const Snapshot snapshot = manifest.add_snapshot(root, {}, "");
  write_index(store, manifest, snapshot);
  const fs::path path = index_path(store, snapshot.id);
  const std::string sound = read_file(path);
  const auto replace = [&](const std::string& bytes) {
    fs::remove(path);
    write_file(path, bytes);
  };
  // Any single byte, anywhere.
  for (size_t at = 0; at < sound.size(); at += 1 + at / 50) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    replace(damaged);
    REQUIRE_FALSE(check_index(path).empty());
  }
  for (const size_t size : {size_t{0}, size_t{50}, sizeof(IndexHeader), sound.size() - 1}) {
    replace(sound.substr(0, size));
    CHECK_FALSE(check_index(path).empty());
    write_index(store, manifest, snapshot);
    CHECK(read_file(path) == sound);
  }
  fs::remove(path);
  CHECK(check_index(path) == "No such file or directory");
}

TEST_CASE("an index that lies with right checksums is noticed") {
  Scratch scratch;
  const Store store = scratch.store();
  Manifest manifest(store);
  TreeNode root = large_tree();
  const Snapshot snapshot = manifest.add_snapshot(root, {}, "");
  write_index(store, manifest, snapshot);
  const fs::path path = index_path(store, snapshot.id);
  const std::string sound = read_file(path);
  const auto with = [&](auto change) {
    std::string bytes = sound;
    IndexHeader header;
    memcpy(&header, bytes.data(), sizeof(header));
    change(reinterpret_cast<IndexEntry*>(bytes.data() + header.entries_offset),
           reinterpret_cast<uint32_t*>(bytes.data() + header.buckets_offset), header.bucket_count);
    header.body_checksum =
        XXH3_64bits(bytes.data() + sizeof(header), bytes.size() - sizeof(header));
    header.header_checksum = header_checksum(header);
    memcpy(bytes.data(), &header, sizeof(header));
    fs::remove(path);
    write_file(path, bytes);
    return check_index(path);
  };
  CHECK(with([](IndexEntry*, uint32_t*, uint64_t) {}).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { e[5].path_hash ^= 1; }).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { e[5].parent = 5; }).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { e[5].name_offset = 1u << 31; }).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { e[5].link_next = 6; }).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { e[5].link_count = 2; }).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { ++e[0].children.count; }).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { ++e[0].children.first_child; }).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { --e[0].children.subdirectories; }).empty());
  CHECK_FALSE(with([](IndexEntry* e, uint32_t*, uint64_t) { std::swap(e[1].name_offset, e[2].name_offset); }).empty());
  CHECK_FALSE(with([](IndexEntry*, uint32_t* b, uint64_t n) { std::fill(b, b + n, 0u); }).empty());
}

}  // namespace vfs::test
