// Indexes that are derived from others: whatever happens to a tree, a derived
// one has to say the same as one that is written in full.
#include <sys/sysmacros.h>

#include <algorithm>
#include <random>

#include "tests/unit/index_fixture.h"

namespace vfs::test {
namespace {

class RandomTree {
 public:
  explicit RandomTree(uint64_t seed) : random_(seed) {
    for (int d = 0; d < 64; ++d) {
      const std::string path = "d" + std::to_string(d);
      paths[path] = plain_entry(S_IFDIR | 0755);
      for (int s = 0; s < 4; ++s) {
        const std::string sub = path + "/s" + std::to_string(s);
        paths[sub] = plain_entry(S_IFDIR | 0755);
        for (int f = 0; f < 12; ++f) paths[sub + "/f" + std::to_string(f)] = file();
      }
      for (int f = 0; f < 8; ++f) paths[path + "/f" + std::to_string(f)] = file();
    }
    for (int i = 0; i < 60; ++i) link();
  }

  void change() {
    switch (below(15)) {
      case 0: case 1: paths[new_name()] = file(); break;
      case 2: paths[new_name()] = plain_entry(S_IFDIR | 0700, below(9)); break;
      case 3: paths[new_name()] = plain_entry(S_IFLNK | 0777, below(9)); break;
      case 4: remove(any()); break;
      case 5: case 6: modify(any()); break;
      case 7: to_file(any()); break;
      case 8: to_directory(any()); break;
      case 9: rename(any(), new_name()); break;
      case 10: link(); break;
      case 11: unlink_group(); break;
      case 12: root_mode = S_IFDIR | (below(2) ? 0755 : 0700); break;
      case 13: paths[new_name()] = special(); break;
      default: if (below(60) == 0) paths.clear();
    }
  }

  Paths paths;
  uint32_t root_mode = S_IFDIR | 0755;

 private:
  uint64_t below(uint64_t end) { return random_() % end; }
  Entry file() { return plain_entry(S_IFREG | 0644, below(1000)); }
  Entry special() {
    Entry entry = plain_entry(below(2) ? S_IFIFO | 0600 : S_IFCHR | 0600);
    if (S_ISCHR(entry.metadata.mode)) entry.device = makedev(1, static_cast<unsigned>(below(9)));
    return entry;
  }
  bool is_directory(const std::string& path) {
    return path.empty() || S_ISDIR(paths.at(path).metadata.mode);
  }
  std::string any() {
    if (paths.empty()) return "";
    auto at = paths.begin();
    std::advance(at, below(paths.size()));
    return at->first;
  }
  // Names that sort closely around each other and around what there is.
  std::string new_name() {
    std::string directory = any();
    while (!is_directory(directory)) directory = directory_of(directory);
    static const char* const kNames[] = {"a", "a.b", "a-", "ab", "s1", "s1.", "s", "f1", "f10", "f", "z", "A"};
    std::string name = kNames[below(std::size(kNames))];
    const std::string path = directory.empty() ? name : directory + "/" + name;
    remove(path);
    return path;
  }
  void remove(const std::string& path) {
    if (path.empty()) return;
    for (const std::string& gone : subtree(paths, path)) paths.erase(gone);
  }
  void modify(const std::string& path) {
    if (path.empty()) return;
    Entry& entry = paths[path];
    entry.metadata.mode ^= 0011;
    entry.metadata.mtime_seconds += 1;
  }
  void to_file(const std::string& path) {
    if (path.empty()) return;
    remove(path);
    paths[path] = file();
  }
  void to_directory(const std::string& path) {
    if (path.empty()) return;
    remove(path);
    paths[path] = plain_entry(S_IFDIR | 0711);
    for (const char* name : {"f1", "f2", "s1", "new"}) {
      if (below(2)) paths[path + "/" + name] = file();
    }
  }
  void rename(const std::string& from, const std::string& to) {
    if (from.empty() || (to + "/").starts_with(from + "/")) return;
    Paths moved;
    for (const std::string& path : subtree(paths, from)) {
      moved[to + path.substr(from.size())] = paths[path];
      paths.erase(path);
    }
    remove(to);
    if (!to.empty() && (directory_of(to).empty() || paths.contains(directory_of(to)))) paths.merge(moved);
  }
  void link() {
    const std::string from = any();
    if (from.empty() || is_directory(from)) return;
    Entry& entry = paths[from];
    if (entry.link_group == 0) entry.link_group = 1 + below(1'000'000);
    const Entry copy = entry;
    const std::string to = new_name();
    paths[to] = copy;
  }
  void unlink_group() {
    const std::string path = any();
    if (!path.empty()) paths[path].link_group = 0;
  }

  std::mt19937_64 random_;
};

void compare(Snapshots& snapshots, const Snapshot& snapshot, const std::set<std::string>& all) {
  const Index derived = snapshots.open(snapshots.path(snapshot));
  const Index full = snapshots.open(snapshots.full(snapshot));
  CHECK_FALSE(full.is_delta());
  for (const std::string& path : all) {
    const std::string expected = tell(full, path);
    if (tell(derived, path) == expected) continue;
    INFO(path);
    REQUIRE(tell(derived, path) == expected);
  }
}

}  // namespace

TEST_CASE("after any changes a derived index says what a full one says") {
  size_t deltas = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Snapshots snapshots;
    RandomTree tree(seed);
    std::mt19937_64 random(seed);
    Snapshot before = snapshots.add(tree.paths);
    write_index(snapshots.store, snapshots.manifest, before);
    std::set<std::string> all = {"", "no", "d1/no", "d1/f1/no"};
    for (const auto& [path, entry] : tree.paths) all.insert(path);
    for (int step = 0; step < 30; ++step) {
      INFO("seed " << seed << " step " << step);
      for (uint64_t n = random() % 8; n > 0; --n) tree.change();
      for (const auto& [path, entry] : tree.paths) all.insert(path);
      const Snapshot snapshot = snapshots.add(tree.paths, tree.root_mode, before.id);
      write_index(snapshots.store, snapshots.manifest, snapshot, &before);
      const fs::path path = snapshots.path(snapshot);
      REQUIRE(check_index(path) == "");
      REQUIRE(check_index_header(path, snapshot.id));
      if (main_of_index(path)) ++deltas;
      compare(snapshots, snapshot, all);
      before = snapshot;
    }
  }
  CHECK(deltas > 120);
}

}  // namespace vfs::test
