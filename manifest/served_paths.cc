// Which paths an object serves. Asked for a few objects, in a store where
// something is wrong anyway: so nothing here trusts the manifest.
#include <sys/stat.h>

#include "cas/error.h"
#include "manifest/manifest.h"
#include "manifest/nesting.h"

namespace vfs {
namespace {

using Digests = std::unordered_set<Digest, DigestHash>;

constexpr size_t kMostServed = 1'000'000;  // paths told of, all together

// Goes only where one of the objects is, from each snapshot's root on.
class ServedPaths {
 public:
  ServedPaths(Manifest& manifest, const Digests& digests,
              const std::function<void(const Digest&, const ServedPath&)>& visit)
      : manifest_(manifest), digests_(digests), visit_(visit) {}

  bool run() {
    find_trees();
    for (const Snapshot& snapshot : manifest_.all_snapshots()) {
      if (!trees_.contains(snapshot.tree)) continue;
      served_.snapshot = snapshot.id;
      served_.origin = snapshot.parent ? "" : snapshot.message;
      served_.path.clear();
      try {
        visit(snapshot.tree, 0);
      } catch (const Error&) {
        complete_ = false;
      }
    }
    return complete_;
  }

 private:
  // Those that have one of the objects in them, and all above them.
  void find_trees() {
    std::vector<TreeId> found;
    const auto add = [&](TreeId tree) {
      if (trees_.insert(tree).second) found.push_back(tree);
    };
    Statement row = manifest_.database().prepare(
        "SELECT e.digest, c.tree FROM entry e JOIN tree_chunk c ON c.chunk = e.chunk WHERE e.digest IS NOT NULL");
    while (row.step()) {
      if (digests_.contains(row.digest(0))) add(row.integer(1));
    }
    Statement above = manifest_.database().prepare(
        "SELECT c.tree FROM entry e JOIN tree_chunk c ON c.chunk = e.chunk WHERE e.tree = ?");
    while (!found.empty()) {
      above.bind(1, found.back());
      found.pop_back();
      while (above.step()) add(above.integer(0));
      above.reset();
    }
  }

  void visit(TreeId tree, size_t depth) {
    check_depth(depth);
    const size_t length = served_.path.size();
    for (const Entry& entry : manifest_.list(tree)) {
      if (told_ >= kMostServed) complete_ = false;
      if (!complete_) return;
      served_.path.resize(length);
      if (length > 0) served_.path += '/';
      served_.path += entry.name;
      if (entry.tree != 0 && trees_.contains(entry.tree)) visit(entry.tree, depth + 1);
      if (!S_ISREG(entry.metadata.mode) || !digests_.contains(entry.digest)) continue;
      ++told_;
      visit_(entry.digest, served_);
    }
    served_.path.resize(length);
  }

  Manifest& manifest_;
  const Digests& digests_;
  const std::function<void(const Digest&, const ServedPath&)>& visit_;
  std::unordered_set<TreeId> trees_;
  ServedPath served_;
  size_t told_ = 0;
  bool complete_ = true;
};

}  // namespace

bool Manifest::for_each_path(const Digests& digests,
                             const std::function<void(const Digest&, const ServedPath&)>& visit) {
  return ServedPaths(*this, digests, visit).run();
}

}  // namespace vfs
