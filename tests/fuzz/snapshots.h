// A store with three snapshots, and what a hostile index file is made of.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "manifest/index_check.h"
#include "manifest/index_delta.h"
#include "manifest/index_writer.h"
#include "manifest/manifest.h"
#include "tests/fuzz/harness.h"
#include "vfs/core/index.h"
#include "vfs/core/path_hash.h"

namespace vfs::fuzz {

inline TreeNode node(std::string name, uint32_t mode, uint8_t content = 0) {
  TreeNode node;
  node.entry.name = std::move(name);
  node.entry.metadata = {mode, 7, 8, 1'700'000'000 + content, 42};
  if (S_ISREG(mode)) node.entry.digest.bytes[0] = content;
  if (S_ISREG(mode)) node.entry.size = content;
  if (S_ISLNK(mode)) node.entry.target = "target";
  return node;
}

inline TreeNode directory(std::string name, std::vector<TreeNode> children) {
  TreeNode directory = node(std::move(name), S_IFDIR | 0755);
  directory.children = std::move(children);
  return directory;
}

inline TreeNode hard_link(std::string name) {
  TreeNode link = node(std::move(name), S_IFREG | 0644, 9);
  link.entry.link_group = 77;
  return link;
}

// The second is compiled as a delta of the first.
struct Snapshots {
  Scratch scratch;
  Store store = scratch.store();
  Manifest manifest{store};
  Snapshot first = add({directory("dir", {node("a", S_IFREG | 0644, 1), hard_link("one"),
                                          directory("sub", {node("x", S_IFREG | 0600, 2)})}),
                        directory("gone", {directory("deep", {node("y", S_IFREG | 0600, 3)})}),
                        hard_link("two"), node("link", S_IFLNK | 0777),
                        node("file", S_IFREG | 0644, 4), node("null", S_IFCHR | 0666)});
  Snapshot second = add({directory("dir", {node("a", S_IFREG | 0755, 5), hard_link("one"),
                                           directory("sub", {node("x", S_IFREG | 0600, 2)})}),
                         node("gone", S_IFREG | 0644, 6), hard_link("two"), hard_link("three"),
                         directory("new", {node("link", S_IFLNK | 0777)}),
                         node("link", S_IFLNK | 0777), node("null", S_IFCHR | 0666)}, first.id);
  Snapshot third = add({directory("dir", {node("b", S_IFREG | 0755, 5), hard_link("one")}),
                        directory("gone", {node("z", S_IFREG | 0644, 1)}), hard_link("two"),
                        node("new", S_IFREG | 0644, 6)}, second.id);

  Snapshots() {
    write_index(store, manifest, first);
    write_index(store, manifest, second, &first);
    require(main_of_index(path(second)) == first.id, "the second index is a delta of the first");
  }

  fs::path path(const Snapshot& snapshot) const { return index_path(store, snapshot.id); }
  std::string bytes(const Snapshot& snapshot) const { return test::read_file(path(snapshot)); }

  Snapshot add(std::vector<TreeNode> children, std::optional<SnapshotId> parent = {}) {
    TreeNode root = directory("", std::move(children));
    return manifest.add_snapshot(root, parent, "");
  }
};

// Makes bytes a file whose header says that all is well with it: what lies
// behind is what the reader has to be on its guard against. `main`: of whom it
// is to be a delta.
inline void repair_header(std::string& bytes, const SnapshotId& id, const IndexHeader* main) {
  if (bytes.size() < sizeof(IndexHeader)) bytes.resize(sizeof(IndexHeader));
  IndexHeader header;
  memcpy(&header, bytes.data(), sizeof(header));
  memcpy(header.magic, kIndexMagic, sizeof(kIndexMagic));
  header.version = kIndexVersion;
  header.header_size = sizeof(header);
  header.file_size = bytes.size();
  memcpy(header.snapshot, id.bytes, Digest::kSize);
  header.body_checksum = XXH3_64bits(bytes.data() + sizeof(header), bytes.size() - sizeof(header));
  header.main_offset = main != nullptr ? index_main_offset(bytes.size()) : 0;
  if (main != nullptr) {
    header.main_checksum = main->body_checksum;
    memcpy(header.main_snapshot, main->snapshot, Digest::kSize);
  }
  header.header_checksum = header_checksum(header);
  memcpy(bytes.data(), &header, sizeof(header));
}

inline IndexHeader header_of(const std::string& bytes) {
  IndexHeader header;
  memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

}  // namespace vfs::fuzz
