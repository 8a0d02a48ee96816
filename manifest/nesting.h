// How far directories of the manifest are nested, and how much a tree is when
// every path in it counts.
//
// Equal directories share their rows: a database of a few pages can say a tree
// that no memory holds, and one that somebody has made up can lead in circles.
// Who goes down all of a tree asks here.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "manifest/manifest.h"

namespace vfs {

// Directories below each other: no path that is deeper fits into PATH_MAX.
constexpr size_t kMostNested = 2048;

// Of all that is below a directory. Numbers that were made up are soon beyond
// any integer; a double only gets less exact, and infinite in the end.
struct Extent {
  double paths = 0;
  double name_bytes = 0;  // of their names, and of what links lead to
  double path_bytes = 0;  // of their paths, as seen from the directory
  size_t height = 1;      // directories below each other, with itself
};

// Throws Error: there is a directory below itself.
[[noreturn]] void fail_endless();
// Throws Error if a directory has so many above it.
void check_depth(size_t depth);
// Throws Error if so much would not fit into this machine beside other things.
// `what` is what takes it: "the index of ...".
void check_memory(const std::string& what, double bytes);

// Looks at each directory once, however often it is there, and remembers.
class Extents {
 public:
  explicit Extents(Manifest& manifest) : manifest_(manifest) {}

  // Throws Error: a directory is below itself, or nested too deep, or not in order.
  const Extent& of(TreeId tree);

 private:
  struct Frame;

  Frame enter(TreeId tree);

  Manifest& manifest_;
  std::unordered_map<TreeId, std::optional<Extent>> known_;  // without: in the midst of it
};

// Keeps a walk through whole trees from filling memory with paths that are there
// again and again. As long as few are, it costs one look into a set for each
// directory.
class WalkGuard {
 public:
  struct Cost {
    std::string what;       // as check_memory() wants it
    double bytes_per_path;  // that the walk keeps
    bool keeps_paths;       // whole ones, or names alone
  };

  WalkGuard(Manifest& manifest, std::vector<TreeId> tops, Cost cost)
      : manifest_(manifest), tops_(std::move(tops)), cost_(std::move(cost)) {}

  // To be called for each directory that the walk lists, with how many names are
  // in it and how many directories above. Throws Error: nested too deep, below
  // itself, too much for the memory of this machine.
  void entered(TreeId tree, size_t names, size_t depth);

 private:
  void check();

  Manifest& manifest_;
  const std::vector<TreeId> tops_;
  const Cost cost_;
  std::unordered_set<TreeId> seen_;
  size_t repeated_ = 0;
  bool checked_ = false;
};

}  // namespace vfs
