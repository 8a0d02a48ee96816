#include "manifest/nesting.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "cas/error.h"

namespace vfs {
namespace {

constexpr size_t kManyRepeated = 1 << 18;  // paths that were listed before

// Half of what there is, and of what this process may have.
double memory_for_one_thing() {
  double bytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  struct rlimit limit;
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    bytes = std::min(bytes, static_cast<double>(limit.rlim_cur));
  }
  return bytes / 2;
}

}  // namespace

void fail_endless() { throw Error("manifest", "a directory is below itself", kDamagedHint); }

void check_depth(size_t depth) {
  if (depth < kMostNested) return;
  throw Error("manifest", fmt::format("directories are nested more than {} deep", kMostNested), kDamagedHint);
}

void check_memory(const std::string& what, double bytes) {
  if (bytes <= memory_for_one_thing()) return;
  throw Error(what, fmt::format("it would take {:.0f} MiB, more than half of the memory there is", bytes / 0x100000),
              "split the tree into several workspaces; if it never was so large, the manifest is damaged:\n"
              "     restore manifest.db from a copy; objects are not affected");
}

// --- Extents -----------------------------------------------------------------------

struct Extents::Frame {
  TreeId tree;
  Extent extent;
  std::vector<std::pair<TreeId, double>> below;  // with the length of its name
};

Extents::Frame Extents::enter(TreeId tree) {
  const auto [place, fresh] = known_.try_emplace(tree);
  if (!fresh) fail_endless();
  Frame frame = {tree, {}, {}};
  Statement row = manifest_.database().prepare(
      "SELECT e.name, length(e.target), e.tree FROM tree_chunk c CROSS JOIN entry e ON e.chunk = c.chunk "
      "WHERE c.tree = ? ORDER BY c.position, e.name");
  row.bind(1, tree);
  std::string last;
  while (row.step()) {
    const std::string_view name = row.bytes(0);
    // One chunk again and again would be more than any number of rows.
    if (frame.extent.paths > 0 && last >= name) throw Error("manifest", "a directory is not in order", kDamagedHint);
    last = name;
    const double length = static_cast<double>(name.size());
    frame.extent.paths += 1;
    frame.extent.path_bytes += length;
    frame.extent.name_bytes += length + static_cast<double>(row.integer(1));
    if (!row.is_null(2)) frame.below.emplace_back(row.integer(2), length);
  }
  return frame;
}

const Extent& Extents::of(TreeId tree) {
  std::vector<Frame> way;
  const auto is_done = [&](TreeId one) {
    const auto found = known_.find(one);
    return found != known_.end() && found->second.has_value();
  };
  if (!is_done(tree)) way.push_back(enter(tree));
  while (!way.empty()) {
    Frame& frame = way.back();
    if (frame.below.empty()) {
      known_[frame.tree] = frame.extent;
      way.pop_back();
      continue;
    }
    const auto [below, name_length] = frame.below.back();
    if (!is_done(below)) {
      check_depth(way.size());
      way.push_back(enter(below));
      continue;
    }
    const Extent& extent = *known_[below];
    frame.below.pop_back();
    frame.extent.paths += extent.paths;
    frame.extent.name_bytes += extent.name_bytes;
    frame.extent.path_bytes += extent.path_bytes + extent.paths * (name_length + 1);
    frame.extent.height = std::max(frame.extent.height, extent.height + 1);
    check_depth(frame.extent.height - 1);
  }
  return *known_[tree];
}

// --- WalkGuard ---------------------------------------------------------------------

void WalkGuard::entered(TreeId tree, size_t names, size_t depth) {
  check_depth(depth);
  if (checked_ || seen_.insert(tree).second) return;
  repeated_ += names + 1;
  if (repeated_ > kManyRepeated) check();
}

void WalkGuard::check() {
  Extents extents(manifest_);
  double bytes = 0;
  for (const TreeId top : tops_) {
    const Extent& extent = extents.of(top);
    bytes += extent.paths * cost_.bytes_per_path + (cost_.keeps_paths ? extent.path_bytes : extent.name_bytes);
  }
  check_memory(cost_.what, bytes);
  checked_ = true;
  seen_.clear();
}

}  // namespace vfs
