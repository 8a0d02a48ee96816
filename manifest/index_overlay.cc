#include "manifest/index_overlay.h"

#include <limits.h>
#include <sys/stat.h>

#include <algorithm>

namespace vfs {
namespace {

// Deeper than any path that has a name: only a damaged main leads there.
constexpr uint32_t kDeepest = PATH_MAX;

const IndexEntry& checked(const IndexEntry* entry) {
  if (entry == nullptr) throw NoDelta();
  return *entry;
}

}  // namespace

IndexOverlay::IndexOverlay(Manifest& manifest, IndexLevel main, uint64_t limit)
    : manifest_(manifest), main_(main), limit_(limit) {
  root_.data = *main_.root();
  root_.main = 0;
}

// --- nodes ---------------------------------------------------------------------

std::string_view IndexOverlay::main_name(const IndexEntry& entry) const {
  const char* name = main_.name(entry);
  if (name == nullptr) throw NoDelta();
  return {name, entry.name_length};
}

IndexOverlay::Node& IndexOverlay::add_child(Node& directory, std::string_view name) {
  if (++count_ > limit_ || directory.depth >= kDeepest) throw NoDelta();
  std::unique_ptr<Node>& place = directory.children[std::string(name)];
  if (place != nullptr) throw NoDelta();  // twice in one directory
  place = std::make_unique<Node>();
  place->depth = directory.depth + 1;
  return *place;
}

// Makes a node of what main has in that directory, as it is there.
IndexOverlay::Node& IndexOverlay::adopt(Node& directory, uint32_t number) {
  const IndexEntry& entry = checked(main_.entry(number));
  if (entry.parent != directory.main || number <= directory.main) throw NoDelta();
  Node& node = add_child(directory, main_name(entry));
  node.data = entry;
  node.main = number;
  if (S_ISLNK(entry.mode)) {
    const char* target = main_.target(entry);
    if (target == nullptr) throw NoDelta();
    node.target = target;
  }
  if (!S_ISDIR(entry.mode) && entry.link_count > 1) touched_rings_.insert(entry.link_first);
  return node;
}

// The node of a name, made if there is none.
IndexOverlay::Node& IndexOverlay::child(Node& directory, std::string_view name) {
  const auto known = directory.children.find(name);
  if (known != directory.children.end()) return *known->second;
  if (directory.main != kNoEntry) {
    const IndexEntry& above = checked(main_.entry(directory.main));
    const IndexEntry* entry = main_.child(above, name.data(), static_cast<uint32_t>(name.size()));
    if (entry != nullptr) return adopt(directory, main_.number(*entry));
  }
  return add_child(directory, name);
}

// The node of an entry of main, and of every directory above it.
IndexOverlay::Node& IndexOverlay::adopt_path(uint32_t number, bool& fresh) {
  std::vector<uint32_t> way;
  for (uint32_t at = number; at != 0;) {
    way.push_back(at);
    const uint32_t above = checked(main_.entry(at)).parent;
    if (above >= at) throw NoDelta();
    at = above;
  }
  Node* node = &root_;
  fresh = false;
  for (; !way.empty(); way.pop_back()) {
    const auto known = node->children.find(main_name(*main_.entry(way.back())));
    fresh = known == node->children.end();
    node = fresh ? &adopt(*node, way.back()) : known->second.get();
  }
  return *node;
}

// --- changes -------------------------------------------------------------------

void IndexOverlay::set(Node& node, const Entry& entry) {
  node.data = describe(entry);
  node.target = entry.target;
  node.group = entry.link_group;
  if (node.group != 0) touched_groups_.insert(node.group);
}

// Something where nothing was, or no directory.
void IndexOverlay::put(Node& node, const Entry& entry) {
  set(node, entry);
  if (!node.is_directory()) return;
  for (const Entry& below : manifest_.list(entry.tree)) put(child(node, below.name), below);
}

// No directory any more: what main has below is gone, whatever was changed of it.
void IndexOverlay::bury(Node& node) {
  std::vector<const Node*> dropped = {&node};
  for (size_t i = 0; i < dropped.size(); ++i) {
    for (const auto& [name, below] : dropped[i]->children) dropped.push_back(below.get());
  }
  count_ -= dropped.size() - 1;
  node.children.clear();
  if (node.main == kNoEntry) return;
  const IndexEntry& main = checked(main_.entry(node.main));
  uint32_t count;
  const IndexEntry* entry = main_.run(main, count);
  if (S_ISDIR(main.mode) && main.children.count != count) throw NoDelta();
  for (uint32_t i = 0; i < count; ++i) {
    Node& below = adopt(node, main_.number(entry[i]));
    set(below, {});
    bury(below);
  }
}

void IndexOverlay::remove(Node& directory, std::string_view name) {
  Node& node = child(directory, name);
  set(node, {});
  bury(node);
  if (node.main != kNoEntry) return;
  --count_;
  directory.children.erase(directory.children.find(name));
}

void IndexOverlay::replace(Node& node, const Entry& old, const Entry& entry) {
  const bool was_directory = S_ISDIR(old.metadata.mode);
  if (was_directory && S_ISDIR(entry.metadata.mode)) {
    set(node, entry);
    if (old.tree != entry.tree) compare(node, old.tree, entry.tree);
    return;
  }
  if (was_directory) bury(node);
  put(node, entry);
}

void IndexOverlay::compare(Node& directory, TreeId from, TreeId to) {
  const std::vector<Entry> before = manifest_.list_without(from, to);
  const std::vector<Entry> after = manifest_.list_without(to, from);
  auto old = before.begin();
  for (const Entry& entry : after) {
    for (; old != before.end() && old->name < entry.name; ++old) remove(directory, old->name);
    if (old == before.end() || old->name != entry.name) {
      put(child(directory, entry.name), entry);
      continue;
    }
    if (!old->same_as(entry)) replace(child(directory, entry.name), *old, entry);
    ++old;
  }
  for (; old != before.end(); ++old) remove(directory, old->name);
}

void IndexOverlay::apply(const Snapshot& from, const Snapshot& to) {
  Entry root;
  root.metadata = to.root;
  set(root_, root);
  if (from.tree != to.tree) compare(root_, from.tree, to.tree);
  complete_rings();
}

// --- hard links ------------------------------------------------------------------

// Names that did not change themselves join the others here.
void IndexOverlay::adopt_ring(uint32_t first, uint64_t group) {
  uint32_t at = first;
  uint32_t left = checked(main_.entry(first)).link_count;
  do {
    // Each ring may be asked for by its group and by a name that was in it.
    if (++adopted_ > 2 * main_.entry_count()) throw NoDelta();
    bool fresh;
    Node& node = adopt_path(at, fresh);
    if (fresh) node.group = group;
    at = checked(main_.entry(at)).link_next;
  } while (at != first && --left > 0);
  if (at != first) throw NoDelta();
}

void IndexOverlay::complete_rings() {
  if (touched_rings_.empty() && touched_groups_.empty()) return;
  const IndexGroup* groups = main_.groups();
  const IndexGroup* end = groups + main_.header().group_count;
  for (const uint64_t group : std::set(touched_groups_)) {
    const IndexGroup* found = std::lower_bound(
        groups, end, group, [](const IndexGroup& a, uint64_t b) { return a.group < b; });
    if (found != end && found->group == group) adopt_ring(found->first, group);
  }
  std::map<uint32_t, uint64_t> group_of;
  for (const uint32_t first : touched_rings_) group_of[first] = 0;
  for (const IndexGroup* at = groups; at != end; ++at) {
    const auto place = group_of.find(at->first);
    if (place != group_of.end()) place->second = at->group;
  }
  for (const auto& [first, group] : group_of) {
    if (group == 0) throw NoDelta();
    adopt_ring(first, group);
  }
}

}  // namespace vfs
