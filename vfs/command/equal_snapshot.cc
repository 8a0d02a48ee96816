#include "vfs/command/equal_snapshot.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <unordered_map>

#include "manifest/index_writer.h"
#include "vfs/core/index.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

class IndexComparison {
 public:
  explicit IndexComparison(const Index& index) : index_(index) {}

  bool same(const TreeNode& node, const IndexEntry& entry) {
    const Metadata& metadata = node.entry.metadata;
    if (metadata.mode != entry.mode || metadata.uid != entry.uid || metadata.gid != entry.gid ||
        metadata.mtime_seconds != entry.mtime_seconds ||
        metadata.mtime_nanoseconds != entry.mtime_nanoseconds) {
      return false;
    }
    if (S_ISDIR(entry.mode)) return same_children(node, entry);
    return same_content(node.entry, entry) && same_group(node.entry.link_group, entry);
  }

 private:
  bool same_children(const TreeNode& node, const IndexEntry& entry) {
    IndexChildren children = index_.children(entry);
    for (const TreeNode& wanted : node.children) {
      const IndexEntry* child = children.next();
      const char* name = child != nullptr ? index_.name(*child) : nullptr;
      if (name == nullptr || wanted.entry.name != std::string_view(name, child->name_length) ||
          !same(wanted, *child)) {
        return false;
      }
    }
    return children.next() == nullptr;
  }

  bool same_content(const Entry& entry, const IndexEntry& other) const {
    if (S_ISREG(other.mode)) {
      return entry.size == other.size && memcmp(entry.digest.bytes, other.digest, Digest::kSize) == 0;
    }
    if (S_ISLNK(other.mode)) {
      const char* target = index_.target(other);
      return target != nullptr && entry.target == std::string_view(target, other.target.length);
    }
    const bool device = S_ISCHR(other.mode) || S_ISBLK(other.mode);
    return !device || entry.device == makedev(other.device.major, other.device.minor);
  }

  // Groups may have other numbers; the same names must be together.
  bool same_group(uint64_t group, const IndexEntry& entry) {
    if ((group != 0) != (entry.link_count > 1)) return false;
    if (group == 0) return true;
    const uint64_t inode = index_.inode(entry);
    return inode_.try_emplace(group, inode).first->second == inode &&
           group_.try_emplace(inode, group).first->second == group;
  }

  const Index& index_;
  std::unordered_map<uint64_t, uint64_t> inode_;  // by group of the nodes
  std::unordered_map<uint64_t, uint64_t> group_;  // by inode of the index
};

}  // namespace

std::optional<Snapshot> equal_snapshot(const Store& store, Manifest& manifest,
                                       std::string_view message, const TreeNode& top) {
  std::optional<Snapshot> last = manifest.find_by_message(message);
  Index index;
  if (!last ||
      index.open(index_path(store, last->id).c_str(), store.indexes().c_str()) != 0 ||
      memcmp(index.snapshot(), last->id.bytes, Digest::kSize) != 0) {
    return std::nullopt;
  }
  const IndexEntry* root = index.find("", 0, kRootPathHash);
  return root != nullptr && IndexComparison(index).same(top, *root) ? last : std::nullopt;
}

}  // namespace vfs
