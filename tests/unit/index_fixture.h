// Snapshots made of a list of paths, and two indexes compared through the
// reader that programs use.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "cas/error.h"
#include "manifest/index_file.h"
#include "manifest/index_writer.h"
#include "tests/unit/cas_fixture.h"
#include "vfs/core/index.h"
#include "vfs/core/path_hash.h"

namespace vfs::test {

// A tree by its paths, without the root. A directory comes before what is in it.
using Paths = std::map<std::string, Entry>;

inline Entry plain_entry(uint32_t mode, uint64_t content = 0) {
  Entry entry;
  entry.metadata = {mode, 7, 8, static_cast<int64_t>(1'700'000'000 + content), 42};
  if (S_ISREG(mode)) {
    entry.digest = digest_of(&content, sizeof(content));
    entry.size = content;
  }
  if (S_ISLNK(mode)) entry.target = "target" + std::to_string(content);
  return entry;
}

inline std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// What is below `path`, and itself.
inline std::vector<std::string> subtree(const Paths& paths, const std::string& path) {
  std::vector<std::string> result;
  for (auto at = paths.lower_bound(path); at != paths.end() && at->first.starts_with(path); ++at) {
    if (at->first.size() == path.size() || at->first[path.size()] == '/') result.push_back(at->first);
  }
  return result;
}

inline void fill_node(const std::map<std::string, std::vector<const Paths::value_type*>>& below,
                      const std::string& path, TreeNode& node) {
  const auto children = below.find(path);
  if (children == below.end()) return;
  for (const auto* item : children->second) {
    TreeNode& child = node.children.emplace_back();
    child.entry = item->second;
    child.entry.name = item->first.substr(path.empty() ? 0 : path.size() + 1);
    if (S_ISDIR(child.entry.metadata.mode)) fill_node(below, item->first, child);
  }
}

struct Snapshots {
  Scratch scratch;
  Store store = scratch.store();
  Manifest manifest{store};

  Snapshot add(const Paths& paths, uint32_t root_mode = S_IFDIR | 0755,
               std::optional<SnapshotId> parent = {}) {
    std::map<std::string, std::vector<const Paths::value_type*>> below;
    for (const auto& item : paths) below[directory_of(item.first)].push_back(&item);
    TreeNode root;
    root.entry = plain_entry(root_mode);
    fill_node(below, "", root);
    return manifest.add_snapshot(root, parent, "");
  }

  fs::path path(const Snapshot& snapshot) const { return index_path(store, snapshot.id); }

  // Its index in full, wherever the one in the store is derived from.
  fs::path full(const Snapshot& snapshot) {
    const fs::path place = path(snapshot);
    const fs::path aside = scratch / "aside.index";
    const fs::path full = scratch / "full.index";
    fs::rename(place, aside);
    write_index(store, manifest, snapshot);
    fs::rename(place, full);
    fs::rename(aside, place);
    return full;
  }

  Index open(const fs::path& path) {
    Index index;
    REQUIRE(index.open(path.c_str(), store.indexes().c_str()) == 0);
    return index;
  }
};

inline const IndexEntry* find_path(const Index& index, const std::string& path) {
  const uint32_t length = static_cast<uint32_t>(path.size());
  return index.find(path.data(), length, path_hash(path.data(), length));
}

// All that a reader can tell of a path, as text.
inline std::string tell(const Index& index, const std::string& path) {
  const IndexEntry* entry = find_path(index, path);
  if (entry == nullptr) return "nothing";
  struct stat status;
  index.status(*entry, status);
  char buffer[PATH_MAX];
  const auto path_of = [&](const IndexEntry* at) {
    const char* text = at != nullptr ? index.path_of(*at, buffer, sizeof(buffer)) : nullptr;
    return text != nullptr ? std::string(text) : "damaged";
  };
  std::string text = fmt::format(
      "{} ino {:x} mode {:o} nlink {} uid {} gid {} size {} mtime {}.{}", path_of(entry),
      status.st_ino, status.st_mode, status.st_nlink, status.st_uid, status.st_gid, status.st_size,
      status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  if (S_ISREG(entry->mode)) {
    Digest digest;
    memcpy(digest.bytes, entry->digest, Digest::kSize);
    text += " digest " + digest_text(digest);
  }
  if (S_ISLNK(entry->mode)) text += std::string(" target ") + index.target(*entry);
  if (!S_ISDIR(entry->mode)) {
    const IndexEntry* at = entry;
    for (uint32_t i = 0; at != nullptr && i < entry->link_count; ++i) {
      at = index.next_link(*at);
      text += " ring " + path_of(at);
    }
  }
  IndexChildren children = index.children(*entry);
  while (const IndexEntry* child = children.next()) {
    text += fmt::format(" child {} {:x} {:o}", index.name(*child), index.inode(*child), child->mode);
  }
  if (index.is_root(*entry)) return text + " root";
  const IndexEntry* parent = index.parent(*entry);
  return text + fmt::format(" parent {} {:o}", path_of(parent), parent->mode);
}

}  // namespace vfs::test
