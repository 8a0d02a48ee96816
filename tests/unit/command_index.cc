// Derived indexes where they are used: commits one after the other, what is
// collected, verified and written again.
#include <map>

#include "manifest/index_writer.h"
#include "tests/unit/workspace_fixture.h"
#include "vfs/command/commit.h"

namespace vfs::test {
namespace {

// Enough that small commits are worth a delta.
void fill_many(const fs::path& top) {
  fill_small(top);
  for (int d = 0; d < 20; ++d) {
    const fs::path directory = top / ("many" + std::to_string(d));
    fs::create_directory(directory);
    for (int f = 0; f < 30; ++f) write_file(directory / ("f" + std::to_string(f)), "x");
  }
}

std::map<std::string, ino_t> inodes_of(Tree& tree, const std::string& path) {
  std::map<std::string, ino_t> result;
  std::vector<std::string> names;
  tree.names(path, names);
  for (const std::string& name : names) {
    const std::string child = path == "." ? name : path + "/" + name;
    struct stat status;
    REQUIRE(tree.status(child, false, status) == 0);
    result[child] = status.st_ino;
    if (S_ISDIR(status.st_mode)) result.merge(inodes_of(tree, child));
  }
  return result;
}

struct DeltaBed : Bed {
  DeltaBed() : Bed(Base::snapshot, fill_many) {}

  SnapshotId commit_now() { return commit(workspace(), "").snapshot.id; }
  std::optional<Digest> main_of(const SnapshotId& id) { return main_of_index(index_path(store, id)); }
  // A small commit, whose index is derived.
  SnapshotId commit_change(const std::string& path) {
    both(path, [&](Tree& tree) { return tree.write(path, path); });
    const SnapshotId id = commit_now();
    REQUIRE(main_of(id));
    return id;
  }
};

}  // namespace

TEST_CASE("commit after commit the tree stays as it is, for who runs and for who comes") {
  DeltaBed bed;
  OpenWorkspace other(bed.context, bed.root.string());  // opened once, sees every base
  VirtualTree runs(other.core());
  const std::pair<const char*, std::function<int(Tree&)>> steps[] = {
      {"write", [](Tree& t) { return t.write("many3/f3", "changed"); }},
      {"new directory", [](Tree& t) { return t.make_directory("many3/f"); }},
      {"new file", [](Tree& t) { return t.write("many3/f/inner", "new"); }},
      {"remove", [](Tree& t) { return t.remove_file("many4/f0"); }},
      {"again", [](Tree& t) { return t.write("many4/f0", "again"); }},
      {"rename", [](Tree& t) { return t.rename("dir", "moved"); }},
      {"a file where a directory was", [](Tree& t) { return t.write("dir", "file now"); }},
      {"mode of a directory", [](Tree& t) { return t.mode("many5", 0711); }},
      {"write below it", [](Tree& t) { return t.write("many5/f7", "below"); }},
      {"hard link", [](Tree& t) { return t.hard_link("many6/f1", "many7/linked"); }},
      {"another", [](Tree& t) { return t.hard_link("one", "empty/four"); }},
      {"remove the first", [](Tree& t) { return t.remove_file("moved/three"); }},
      {"empty", [](Tree& t) { return t.remove_directory("many3/f"); }},
      {"link", [](Tree& t) { return t.make_link("many1", "to_many"); }},
      {"root", [](Tree& t) { return t.mode(".", 0750); }},
  };
  int deltas = 0;
  for (const auto& [what, action] : steps) {
    bed.both(what, action);
    const auto before = inodes_of(runs, ".");
    const SnapshotId id = bed.commit_now();
    deltas += bed.main_of(id).has_value();
    INFO(what);
    CHECK(check_index(index_path(bed.store, id)) == "");
    const auto after = inodes_of(runs, ".");
    CHECK(before.size() == after.size());
    // Also of those that changed: a commit seals what there is.
    size_t moved = 0;
    for (const auto& [path, inode] : after) moved += path.starts_with("many1") && before.at(path) != inode;
    CHECK(moved == 0);
    bed.compare("who committed");
    bed.reopen();
    bed.compare("who came later");
    std::string seen;
    std::string expected;
    describe_tree(runs, ".", 0x7fffffff, seen);
    describe_tree(bed.tree(), ".", 0x7fffffff, expected);
    CHECK(seen == expected);
  }
  CHECK(deltas >= 12);
}

TEST_CASE("the index that others are derived from is kept as long as one needs it") {
  DeltaBed bed;
  const SnapshotId first = bed.commit_change("many1/new");
  const SnapshotId second = bed.commit_change("many2/new");
  CHECK(*bed.main_of(first) == bed.base_id);
  CHECK(*bed.main_of(second) == bed.base_id);
  collect_garbage(bed.store, without_grace());
  CHECK(fs::exists(index_path(bed.store, bed.base_id)));
  CHECK(fs::exists(index_path(bed.store, second)));
  bed.reopen();
  bed.compare("after collecting");

  // The snapshots before are gone, but not the main: the head's index needs it.
  Manifest manifest(bed.store);
  manifest.database().execute("UPDATE snapshot SET parent = NULL");
  for (const auto& [name, id] : manifest.refs()) manifest.remove_ref(name);
  CHECK(collect_garbage(bed.store, without_grace()).snapshots >= 2);
  CHECK(fs::exists(index_path(bed.store, bed.base_id)));
  CHECK_FALSE(fs::exists(index_path(bed.store, first)));
  bed.reopen();
  bed.compare("without the snapshot of main");
  CHECK(verify_store(bed.store).problems.empty());
  const SnapshotId third = bed.commit_change("many3/new");
  CHECK(*bed.main_of(third) == bed.base_id);

  // A commit of much has an index of its own; then nothing needs it any more.
  for (int d = 0; d < 12; ++d) {
    const std::string directory = "many" + std::to_string(d);
    bed.both("rename", [&](Tree& tree) { return tree.rename(directory, "renamed" + std::to_string(d)); });
  }
  const SnapshotId fourth = bed.commit_now();
  CHECK_FALSE(bed.main_of(fourth));
  manifest.database().execute("UPDATE snapshot SET parent = NULL");
  collect_garbage(bed.store, without_grace());
  CHECK_FALSE(fs::exists(index_path(bed.store, bed.base_id)));
  CHECK(fs::exists(index_path(bed.store, fourth)));
  bed.reopen();
  bed.compare("in full again");
}

TEST_CASE("verify looks at derived indexes and at what they are derived from") {
  DeltaBed bed;
  const SnapshotId id = bed.commit_change("many1/new");
  const fs::path derived = index_path(bed.store, id);
  const fs::path main = index_path(bed.store, bed.base_id);
  const std::string sound_derived = read_file(derived);
  const std::string sound_main = read_file(main);
  const auto damage = [](const fs::path& path, std::string bytes) {
    bytes[bytes.size() - 1] ^= 1;
    fs::remove(path);
    write_file(path, bytes);
  };
  CHECK(verify_store(bed.store).problems.empty());

  damage(main, sound_main);
  REQUIRE(verify_store(bed.store).problems.size() == 1);
  CHECK((read_file(main) == sound_main));
  CHECK((read_file(derived) == sound_derived));

  damage(derived, sound_derived);
  REQUIRE(verify_store(bed.store).problems.size() == 1);
  CHECK_FALSE(main_of_index(derived));
  CHECK(verify_store(bed.store).problems.empty());
  bed.reopen();
  bed.compare("written again in full");

  // Main cannot be made again, since its snapshot is gone.
  fs::remove(derived);
  write_file(derived, sound_derived);
  Manifest manifest(bed.store);
  manifest.database().execute("UPDATE snapshot SET parent = NULL");
  for (const auto& [name, ref] : manifest.refs()) manifest.remove_ref(name);
  collect_garbage(bed.store, without_grace());
  damage(main, sound_main);
  REQUIRE(verify_store(bed.store).problems.size() == 2);
  CHECK_FALSE(fs::exists(main));
  CHECK_FALSE(main_of_index(derived));
  CHECK(verify_store(bed.store).problems.empty());
  bed.reopen();
  bed.compare("without main");
}

TEST_CASE("opening a workspace writes an index that is missing or of another version") {
  DeltaBed bed;
  const SnapshotId id = bed.commit_change("many1/new");
  const fs::path derived = index_path(bed.store, id);
  const fs::path main = index_path(bed.store, bed.base_id);
  std::string old = read_file(main);
  const std::string sound = old;
  const std::string sound_derived = read_file(derived);
  auto& header = *reinterpret_cast<IndexHeader*>(old.data());
  --header.version;
  header.header_checksum = header_checksum(header);
  for (const fs::path& path : {derived, main}) {
    for (const bool missing : {false, true}) {
      fs::remove(path);
      if (!missing) write_file(path, old);
      bed.reopen();
      bed.compare(path.string());
      CHECK(check_index(derived) == "");
      CHECK_FALSE(main_of_index(derived));
      fs::remove(derived);
      fs::remove(main);
      write_file(derived, sound_derived);
      write_file(main, sound);
    }
  }
  bed.reopen();
  CHECK(main_of_index(derived) == bed.base_id);
}

}  // namespace vfs::test
