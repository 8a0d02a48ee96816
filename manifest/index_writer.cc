#include "manifest/index_writer.h"

#include <sys/stat.h>

#include <algorithm>

#include "manifest/index_delta.h"
#include "manifest/index_image.h"
#include "manifest/nesting.h"

namespace vfs {
namespace {

struct Directory {
  uint32_t number;  // of its entry
  TreeId tree;
  size_t parent;    // which directory it is in
  size_t depth;
};

// A tree that is below itself would never end.
void check_ends(const std::vector<Directory>& directories, size_t at) {
  const TreeId tree = directories[at].tree;
  while (at != 0) {
    at = directories[at].parent;
    if (directories[at].tree == tree) fail_endless();
  }
}

// Breadth first, so that the children of a directory stand side by side.
IndexImage full_image(Manifest& manifest, const Snapshot& snapshot) {
  IndexImage image;
  // Files are most of it: growing from there on is rare. (But the number is the
  // database's word for it.)
  constexpr uint64_t kMost = 1 << 24;
  image.entries.reserve(std::min(snapshot.files + snapshot.files / 8 + 16, kMost));
  Entry root;
  root.metadata = snapshot.root;
  image.add(describe(root), "", "", 0);
  // An entry, twice while the vector grows, and its buckets.
  WalkGuard guard(manifest, {snapshot.tree},
                  {"index of snapshot " + digest_text(snapshot.id), 2 * sizeof(IndexEntry) + 8, false});
  std::vector<Directory> directories = {{0, snapshot.tree, 0, 0}};
  for (size_t i = 0; i < directories.size(); ++i) {
    const auto [at, tree, parent, depth] = directories[i];
    check_ends(directories, i);
    const std::vector<Entry> children = manifest.list(tree);
    guard.entered(tree, children.size(), depth);
    const uint32_t first = static_cast<uint32_t>(image.entries.size());
    uint32_t subdirectories = 0;
    for (const Entry& child : children) {
      const uint32_t number = image.add(describe(child), child.name, child.target, at);
      if (child.link_group != 0) image.join_group(child.link_group, number);
      if (!S_ISDIR(child.metadata.mode)) continue;
      directories.push_back({number, child.tree, i, depth + 1});
      ++subdirectories;
    }
    image.entries[at].children = {first, static_cast<uint32_t>(children.size()), subdirectories};
  }
  return image;
}

}  // namespace

std::filesystem::path index_path(const Store& store, const SnapshotId& id) {
  return store.indexes() / (digest_text(id) + ".index");
}

void write_index(const Store& store, Manifest& manifest, const Snapshot& snapshot,
                 const Snapshot* predecessor) {
  const std::filesystem::path path = index_path(store, snapshot.id);
  if (check_index_header(path, snapshot.id)) return;
  const Transaction one_state(manifest.database(), Transaction::read);
  if (predecessor != nullptr && write_delta(store, manifest, snapshot, *predecessor)) return;
  full_image(manifest, snapshot).write(store, path, snapshot.id, nullptr);
}

}  // namespace vfs
