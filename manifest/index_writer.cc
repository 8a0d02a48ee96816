#include "manifest/index_writer.h"

#include <sys/stat.h>

#include <deque>

#include "manifest/index_delta.h"
#include "manifest/index_image.h"

namespace vfs {
namespace {

// Breadth first, so that the children of a directory stand side by side.
IndexImage full_image(Manifest& manifest, const Snapshot& snapshot) {
  IndexImage image;
  // Files are most of it: growing from there on is rare.
  image.entries.reserve(snapshot.files + snapshot.files / 8 + 16);
  Entry root;
  root.metadata = snapshot.root;
  image.add(describe(root), "", "", 0);
  std::deque<std::pair<uint32_t, TreeId>> directories = {{0, snapshot.tree}};
  for (; !directories.empty(); directories.pop_front()) {
    const auto [at, tree] = directories.front();
    const std::vector<Entry> children = manifest.list(tree);
    const uint32_t first = static_cast<uint32_t>(image.entries.size());
    uint32_t subdirectories = 0;
    for (const Entry& child : children) {
      const uint32_t number = image.add(describe(child), child.name, child.target, at);
      if (child.link_group != 0) image.join_group(child.link_group, number);
      if (!S_ISDIR(child.metadata.mode)) continue;
      directories.emplace_back(number, child.tree);
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
