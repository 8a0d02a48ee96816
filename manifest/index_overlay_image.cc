// An overlay from a delta, and a delta from an overlay.
#include <sys/stat.h>

#include "manifest/index_overlay.h"

namespace vfs {

void IndexOverlay::load(IndexLevel delta) {
  const auto text = [](const char* start, uint32_t length) {
    if (start == nullptr) throw NoDelta();
    return std::string_view(start, length);
  };
  std::vector<Node*> nodes = {&root_};
  root_.data = *delta.root();
  for (uint32_t i = 1; i < delta.entry_count(); ++i) {
    const IndexEntry& entry = *delta.entry(i);
    if (entry.parent >= i) throw NoDelta();
    Node& node = add_child(*nodes[entry.parent], text(delta.name(entry), entry.name_length));
    node.data = entry;
    node.main = entry.main;
    if (S_ISLNK(entry.mode)) node.target = text(delta.target(entry), entry.target.length);
    nodes.push_back(&node);
  }
  const IndexGroup* groups = delta.groups();
  uint64_t names = 0;  // no entry is in two groups
  for (uint64_t i = 0; i < delta.header().group_count; ++i) {
    const IndexEntry* at = delta.entry(groups[i].first);
    for (uint32_t left = at != nullptr ? at->link_count : 0; left > 0; --left) {
      if (at == nullptr || ++names > delta.entry_count()) throw NoDelta();
      nodes[delta.number(*at)]->group = groups[i].group;
      at = delta.entry(at->link_next);
    }
  }
}

uint32_t IndexOverlay::count_subdirectories(const Node& directory) const {
  const auto in_main = [&](uint32_t number) -> const IndexEntry* {
    const IndexEntry* entry = main_.entry(number);
    return entry != nullptr && S_ISDIR(entry->mode) ? entry : nullptr;
  };
  const IndexEntry* main = in_main(directory.main);
  uint32_t count = main != nullptr ? main->children.subdirectories : 0;
  for (const auto& [name, child] : directory.children) {
    if (child->is_directory()) ++count;
    if (in_main(child->main) != nullptr) --count;
  }
  return count;
}

IndexImage IndexOverlay::image() {
  IndexImage image;
  std::vector<const Node*> nodes;  // by number
  const auto add = [&](const Node& node, std::string_view name, uint32_t parent) {
    const uint32_t number = image.add(node.data, name, node.target, parent);
    image.entries[number].main = node.main;
    if (node.group != 0) image.join_group(node.group, number);
    nodes.push_back(&node);
  };
  const auto add_children = [&](uint32_t at) {
    for (const auto& [name, child] : nodes[at]->children) add(*child, name, at);
  };
  add(root_, "", 0);
  for (uint32_t at = 0; at < nodes.size(); ++at) {
    const Node& node = *nodes[at];
    if (!node.is_directory()) continue;
    image.entries[at].children = {static_cast<uint32_t>(nodes.size()),
                                  static_cast<uint32_t>(node.children.size()),
                                  count_subdirectories(node)};
    add_children(at);
  }
  // Behind the tree: the tombstones below what is no directory any more.
  for (uint32_t at = 0; at < nodes.size(); ++at) {
    if (!nodes[at]->is_directory()) add_children(at);
  }
  return image;
}

}  // namespace vfs
