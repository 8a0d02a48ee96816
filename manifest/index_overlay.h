// What a snapshot has otherwise than a full index, its main, as a tree that
// can be changed: a delta index is read into one, and written from one.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "manifest/index_image.h"
#include "vfs/core/index_level.h"

namespace vfs {

// Thrown when a delta cannot be had, or is not worth while: the index is then
// written in full.
struct NoDelta {};

class IndexOverlay {
 public:
  // Throws NoDelta as soon as there are more than `limit` nodes.
  IndexOverlay(Manifest& manifest, IndexLevel main, uint64_t limit);

  // What the delta says. Only in the beginning.
  void load(IndexLevel delta);

  // Goes from one snapshot to another: what was loaded (or main, if nothing
  // was) has to be the index of `from`.
  void apply(const Snapshot& from, const Snapshot& to);

  IndexImage image();

 private:
  // A path for which main does not count. Of a directory that main has too,
  // `children` are those that differ. Of what is no directory, `children` are
  // tombstones for all that main has below.
  struct Node {
    IndexEntry data = {};      // without names and numbers
    std::string target;
    uint64_t group = 0;
    uint32_t main = kNoEntry;  // main's entry for the same path
    uint32_t depth = 0;
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;

    bool is_directory() const { return S_ISDIR(data.mode); }
  };

  Node& add_child(Node& directory, std::string_view name);
  Node& adopt(Node& directory, uint32_t number);
  Node& child(Node& directory, std::string_view name);
  Node& adopt_path(uint32_t number, bool& fresh);

  void set(Node& node, const Entry& entry);
  void put(Node& node, const Entry& entry);
  void replace(Node& node, const Entry& old, const Entry& entry);
  void remove(Node& directory, std::string_view name);
  void bury(Node& node);
  void compare(Node& directory, TreeId from, TreeId to);

  void adopt_ring(uint32_t first, uint64_t group);
  void complete_rings();

  uint32_t count_subdirectories(const Node& directory) const;
  std::string_view main_name(const IndexEntry& entry) const;

  Manifest& manifest_;
  IndexLevel main_;
  uint64_t limit_;
  uint64_t count_ = 1;
  uint64_t adopted_ = 0;  // names of groups
  Node root_;
  std::set<uint32_t> touched_rings_;   // of main, by their first name
  std::set<uint64_t> touched_groups_;  // of new names
};

}  // namespace vfs
