#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "cas/error.h"
#include "cas/object_store.h"
#include "manifest/manifest.h"
#include "tests/unit/cas_fixture.h"

namespace vfs::test {
namespace {

TreeNode file_node(const std::string& name, const std::string& content) {
  TreeNode node;
  node.entry.name = name;
  node.entry.metadata = {S_IFREG | 0644, 1000, 100, 1'600'000'000, 123'456'789};
  node.entry.size = content.size();
  node.entry.digest = digest_of(content.data(), content.size());
  return node;
}

TreeNode directory_node(const std::string& name, std::vector<TreeNode> children) {
  TreeNode node;
  node.entry.name = name;
  node.entry.metadata = {S_IFDIR | 0755, 1000, 100, 1'500'000'000, 1};
  node.children = std::move(children);
  return node;
}

int64_t count(Manifest& manifest, const std::string& table) {
  Statement row = manifest.database().prepare("SELECT count(*) FROM " + table);
  row.step();
  return row.integer(0);
}

int64_t all_rows(Manifest& manifest) {
  return count(manifest, "entry") + count(manifest, "chunk") + count(manifest, "tree_chunk") +
         count(manifest, "tree") + count(manifest, "snapshot");
}

TreeNode flat(size_t files, const std::string& changed) {
  std::vector<TreeNode> nodes;
  for (size_t i = 0; i < files; ++i) {
    const bool change = i % (files / 10) == 5;
    nodes.push_back(file_node("file" + std::to_string(i), change ? changed : "same"));
  }
  return directory_node("", std::move(nodes));
}

}  // namespace

TEST_CASE("an empty directory is a snapshot") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode root = directory_node("", {});
  const Snapshot snapshot = manifest.add_snapshot(root, {}, "nothing");
  CHECK(snapshot.files == 0);
  CHECK(snapshot.bytes == 0);
  CHECK(manifest.list(snapshot.tree).empty());
  CHECK(manifest.find(snapshot, "")->metadata == snapshot.root);
  CHECK_FALSE(manifest.find(snapshot, "x"));
}

TEST_CASE("every kind of entry comes back as it was") {
  Scratch scratch;
  const std::string longest(255, 'n');
  const std::string newline = "two\nlines\t\"quoted\" \xff\x01";
  TreeNode link;
  link.entry.name = newline;
  link.entry.metadata = {S_IFLNK | 0777, 0, 0, -5, 999'999'999};  // before 1970
  link.entry.target = "../some where\n\xfe";
  TreeNode fifo;
  fifo.entry.name = "fifo";
  fifo.entry.metadata = {S_IFIFO | 01600, 0xfffffffeu, 0xfffffffdu, int64_t{1} << 40, 0};
  TreeNode device;
  device.entry.name = "null";
  device.entry.metadata = {S_IFCHR | 0666, 0, 0, 0, 0};
  device.entry.device = 0x103;
  TreeNode linked = file_node("one", "shared");
  linked.entry.link_group = 77;
  TreeNode root = directory_node(
      "", {file_node(longest, ""), link, fifo, device, linked,
           directory_node("empty", {}), directory_node("sub", {file_node("deep", "content")})});
  SnapshotId id;
  {
    Manifest manifest(scratch.store());
    id = manifest.add_snapshot(root, {}, "message with ' and \n").id;
  }
  Manifest manifest(scratch.store());  // from the disk
  const Snapshot snapshot = manifest.snapshot(id);
  CHECK(snapshot.message == "message with ' and \n");
  CHECK(snapshot.files == 3);
  CHECK(snapshot.bytes == 6 + 7);
  CHECK_FALSE(snapshot.parent);

  const std::vector<Entry> entries = manifest.list(snapshot.tree);
  REQUIRE(entries.size() == 7);
  for (size_t i = 1; i < entries.size(); ++i) CHECK(entries[i - 1].name < entries[i].name);
  CHECK(manifest.find(snapshot, longest)->size == 0);
  CHECK(manifest.find(snapshot, newline)->target == link.entry.target);
  CHECK(manifest.find(snapshot, newline)->metadata == link.entry.metadata);
  CHECK(manifest.find(snapshot, "fifo")->metadata == fifo.entry.metadata);
  CHECK(manifest.find(snapshot, "null")->device == 0x103);
  CHECK(manifest.find(snapshot, "one")->link_group == 77);
  CHECK(manifest.find(snapshot, "one")->metadata == linked.entry.metadata);
  CHECK(manifest.find(snapshot, "/sub//./deep")->digest == digest_of("content", 7));
  CHECK_FALSE(manifest.find(snapshot, "one/below"));
  CHECK_FALSE(manifest.find(snapshot, "sub/none"));
  CHECK(manifest.check().empty());
}

TEST_CASE("names that no directory can have write nothing") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"),
        std::string("nul\0inside", 10), std::string(256, 'x')}) {
    TreeNode root = directory_node("", {file_node("good", "g"), file_node(name, "x")});
    CHECK_THROWS_AS(manifest.add_snapshot(root, {}, ""), Error);
  }
  TreeNode twice = directory_node("", {file_node("same", "1"), file_node("same", "2")});
  CHECK_THROWS_WITH(manifest.add_snapshot(twice, {}, ""), Catch::Contains("twice"));
  CHECK(all_rows(manifest) == 0);
}

TEST_CASE("ten changes in a flat directory of 20,000 share most rows") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode before = flat(20'000, "before");
  const Snapshot first = manifest.add_snapshot(before, {}, "");
  CHECK(count(manifest, "entry") == 20'000);
  const int64_t rows = all_rows(manifest);
  TreeNode after = flat(20'000, "after");
  const Snapshot second = manifest.add_snapshot(after, first.id, "");
  CHECK(all_rows(manifest) - rows < 3000);
  CHECK(count(manifest, "entry") - 20'000 >= 10);
  CHECK(manifest.list(second.tree).size() == 20'000);
  CHECK(manifest.find(second, "file5")->digest == digest_of("after", 5));
  CHECK(manifest.find(first, "file5")->digest == digest_of("before", 6));
  CHECK(manifest.find(second, "file6")->digest == digest_of("same", 4));

  // A name more in the middle moves no boundary of the others.
  TreeNode more = flat(20'000, "after");
  more.children.push_back(file_node("file10000x", "new"));
  const int64_t rows_before = all_rows(manifest);
  manifest.add_snapshot(more, second.id, "");
  CHECK(all_rows(manifest) - rows_before < 2000);
}

TEST_CASE("equal directories are one tree, wherever they are, and in every store") {
  Scratch scratch;
  Scratch other;
  Manifest manifest(scratch.store());
  const auto sub = [](const std::string& name) {
    return directory_node(name, {directory_node("deeper", {file_node("f", "x")})});
  };
  TreeNode root = directory_node("", {sub("a"), sub("b")});
  const Snapshot snapshot = manifest.add_snapshot(root, {}, "");
  CHECK(manifest.find(snapshot, "a")->tree == manifest.find(snapshot, "b")->tree);
  CHECK(count(manifest, "tree") == 3);
  CHECK(snapshot.files == 2);  // paths, not rows

  // The other store numbers its rows otherwise.
  Manifest elsewhere(other.store());
  TreeNode noise = directory_node("", {directory_node("noise", {file_node("n", "n")})});
  elsewhere.add_snapshot(noise, {}, "");
  TreeNode again = directory_node("", {sub("a"), sub("b")});
  elsewhere.add_snapshot(again, {}, "");
  const auto digests = [](Manifest& from) {
    std::vector<std::string> result;
    Statement row = from.database().prepare("SELECT digest FROM tree");
    while (row.step()) result.push_back(digest_text(row.digest(0)));
    return result;
  };
  const std::vector<std::string> there = digests(elsewhere);
  for (const std::string& digest : digests(manifest)) {
    CHECK(std::find(there.begin(), there.end(), digest) != there.end());
  }
}

TEST_CASE("a directory may be taken over from an earlier snapshot") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode root = directory_node("", {directory_node("kept", {file_node("f", "12345")})});
  const Snapshot first = manifest.add_snapshot(root, {}, "");
  TreeNode next = directory_node("", {file_node("new", "1")});
  next.children.emplace_back().entry = *manifest.find(first, "kept");
  const Snapshot second = manifest.add_snapshot(next, first.id, "");
  CHECK(second.parent == first.id);
  CHECK(second.files == 2);
  CHECK(second.bytes == 6);
  CHECK(manifest.find(second, "kept/f")->size == 5);
  CHECK(count(manifest, "tree") == 3);

  TreeNode wrong = directory_node("", {});
  wrong.children.emplace_back().entry = *manifest.find(first, "kept");
  wrong.children[0].entry.tree = 12345;
  CHECK_THROWS_AS(manifest.add_snapshot(wrong, {}, ""), Error);
}

TEST_CASE("different chunks with one digest are refused") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode root = directory_node("", {file_node("f", "x")});
  manifest.add_snapshot(root, {}, "");
  manifest.database().execute("UPDATE entry SET size = 999");
  TreeNode again = directory_node("", {file_node("f", "x")});
  CHECK_THROWS_WITH(manifest.add_snapshot(again, {}, ""), Catch::Contains("same digest"));
}

TEST_CASE("refs: names, and what a spec may be") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode root = directory_node("", {});
  const Snapshot one = manifest.add_snapshot(root, {}, "one");
  const Snapshot two = manifest.add_snapshot(root, one.id, "two");
  const std::string id = digest_text(one.id);

  manifest.set_ref("main", one.id);
  manifest.set_ref("v1.0_x-y", two.id);
  CHECK(manifest.resolve("main").id == one.id);
  manifest.set_ref("main", two.id);
  CHECK(manifest.resolve("main").id == two.id);
  CHECK(manifest.refs().size() == 2);
  CHECK(manifest.resolve(id).id == one.id);
  CHECK(manifest.resolve(id.substr(0, 12)).id == one.id);
  CHECK_THROWS_AS(manifest.resolve(id.substr(0, 3)), Error);
  CHECK_THROWS_AS(manifest.resolve("unknown"), Error);
  CHECK_THROWS_AS(manifest.resolve(""), Error);
  CHECK_THROWS_AS(manifest.resolve(std::string(32, '0')), Error);
  CHECK_THROWS_AS(manifest.resolve("****"), Error);
  CHECK(manifest.remove_ref("main"));
  CHECK_FALSE(manifest.remove_ref("main"));
  CHECK_THROWS_AS(manifest.resolve("main"), Error);

  for (const char* bad : {"", "a/b", "-x", ".hidden", "a b", "new\nline", "\x7f", id.c_str()}) {
    CHECK_THROWS_AS(manifest.set_ref(bad, one.id), Error);
  }
  CHECK_THROWS_AS(manifest.set_ref("nowhere", digest_of("no snapshot", 11)), Error);
  CHECK(manifest.all_snapshots().front().id == two.id);
}

TEST_CASE("a prefix that two ids share is ambiguous") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode root = directory_node("", {});
  const Snapshot one = manifest.add_snapshot(root, {}, "one");
  Statement copy = manifest.database().prepare(
      "INSERT INTO snapshot (id, time_ns, message, tree, mode, uid, gid, mtime, mtime_ns) "
      "SELECT ?, time_ns, message, tree, mode, uid, gid, mtime, mtime_ns FROM snapshot");
  SnapshotId sibling = one.id;
  sibling.bytes[15] ^= 1;
  copy.bind(1, sibling).run();
  const std::string id = digest_text(one.id);
  CHECK_THROWS_WITH(manifest.resolve(id.substr(0, 8)), Catch::Contains("more than one"));
  CHECK(manifest.resolve(id).id == one.id);
}

TEST_CASE("collecting drops what nothing leads to, and only that") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  const auto add = [&](const std::string& content, std::optional<SnapshotId> parent) {
    TreeNode root = directory_node("", {directory_node("all", {file_node("same", "same")}),
                                        directory_node("own", {file_node("f", content)})});
    return manifest.add_snapshot(root, parent, content);
  };
  const Snapshot grandparent = add("grandparent", {});
  const Snapshot parent = add("parent", grandparent.id);
  const Snapshot named = add("named", parent.id);
  const Snapshot dead = add("dead", named.id);
  const Snapshot dead_child = add("dead child", dead.id);
  const Snapshot head = add("head", {});
  manifest.set_ref("name", named.id);
  manifest.remember_file(FileStamp{}, digest_of("dead", 4));

  std::vector<SnapshotId> would;
  std::vector<SnapshotId> removed;
  const auto would_live = manifest.collect({head.id}, would, Manifest::Collect::look);
  CHECK(manifest.find(manifest.snapshot(dead_child.id), "all/same"));
  CHECK(count(manifest, "tree") == 6 + 6 + 1);
  const auto live = manifest.collect({head.id}, removed);
  CHECK(removed.size() == 2);
  CHECK(would == removed);
  CHECK(would_live == live);
  CHECK(live.size() == 5);
  for (const std::string content : {"same", "grandparent", "parent", "named", "head"}) {
    CHECK(live.contains(digest_of(content.data(), content.size())));
  }
  for (const Snapshot& kept : {grandparent, parent, named, head}) {
    CHECK(manifest.find(manifest.snapshot(kept.id), "all/same"));
  }
  CHECK_THROWS_AS(manifest.snapshot(dead_child.id), Error);
  CHECK_FALSE(manifest.seen_file(FileStamp{}));
  CHECK(count(manifest, "tree") == 4 + 4 + 1);
  CHECK(count(manifest, "chunk") == 4 + 4 + 1);
  CHECK(manifest.check().empty());
  removed.clear();
  manifest.collect({}, removed);
  CHECK(removed == std::vector<SnapshotId>{head.id});
  manifest.remove_ref("name");
  CHECK(manifest.collect({}, removed).empty());
  CHECK(all_rows(manifest) == 0);
}

TEST_CASE("the views are readable in the sqlite3 shell") {
  Scratch scratch;
  const Store store = scratch.store();
  Manifest manifest(store);
  TreeNode root = directory_node("", {directory_node("d", {file_node("f", "x")})});
  const Snapshot snapshot = manifest.add_snapshot(root, {}, "hello");
  // With a connection of its own: in a manifest's, views are turned off.
  sqlite3* shell = nullptr;
  REQUIRE(sqlite3_open(store.manifest().c_str(), &shell) == SQLITE_OK);
  const auto ask = [&](const char* sql) {
    std::string rows;
    const auto add = [](void* to, int columns, char** values, char**) {
      for (int i = 0; i < columns; ++i) *static_cast<std::string*>(to) += std::string(values[i]) + (i + 1 < columns ? "|" : "\n");
      return 0;
    };
    CHECK(sqlite3_exec(shell, sql, add, &rows, nullptr) == SQLITE_OK);
    return rows;
  };
  CHECK(ask("SELECT path, type, mode, mtime_ns, digest FROM paths WHERE type = 'directory'").starts_with("d|directory|"));
  CHECK(ask("SELECT path, type, mode, mtime_ns, digest FROM paths WHERE type = 'file'") ==
        "d/f|file|0644|123456789|" + digest_text(digest_of("x", 1)) + "\n");
  CHECK(ask("SELECT id, message, files FROM snapshots") == digest_text(snapshot.id) + "|hello|1\n");
  sqlite3_close(shell);
}

TEST_CASE("an object's paths are found, in every snapshot") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode root = directory_node("", {directory_node("d", {file_node("f", "x")}), file_node("g", "y")});
  const Snapshot first = manifest.add_snapshot(root, {}, "ingest /some/where");
  root = directory_node("", {file_node("moved", "x"), file_node("z", "")});
  const Snapshot second = manifest.add_snapshot(root, first.id, "ingest /else/where");
  std::vector<std::string> served;
  CHECK(manifest.for_each_path({digest_of("x", 1)}, [&](const Digest& digest, const ServedPath& path) {
    CHECK(digest == digest_of("x", 1));
    served.push_back(digest_text(path.snapshot) + ":" + path.path + " " + path.origin);
  }));
  std::sort(served.begin(), served.end());
  std::vector<std::string> expected = {digest_text(first.id) + ":d/f ingest /some/where",
                                       digest_text(second.id) + ":moved "};
  std::sort(expected.begin(), expected.end());
  CHECK(served == expected);
}

TEST_CASE("refs and parents that lead nowhere are named, and can be dropped") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode root = directory_node("", {file_node("f", "x")});
  const Snapshot first = manifest.add_snapshot(root, {}, "first");
  root = directory_node("", {file_node("f", "y")});
  const Snapshot second = manifest.add_snapshot(root, first.id, "second");
  manifest.set_ref("old", first.id);
  manifest.set_ref("new", second.id);
  CHECK(manifest.lost_links().empty());
  manifest.database().execute("PRAGMA foreign_keys = OFF");
  manifest.database().prepare("DELETE FROM snapshot WHERE id = ?").bind(1, first.id).run();
  manifest.database().execute("PRAGMA foreign_keys = ON");
  const std::vector<LostLink> lost = manifest.lost_links();
  REQUIRE(lost.size() == 2);
  CHECK(lost[0].ref == "old");
  CHECK(lost[0].to == first.id);
  REQUIRE(lost[1].child);
  CHECK(*lost[1].child == second.id);
  CHECK(lost[1].to == first.id);
  for (const LostLink& link : lost) manifest.drop_link(link);
  CHECK(manifest.lost_links().empty());
  CHECK(manifest.refs() == std::vector<std::pair<std::string, SnapshotId>>{{"new", second.id}});
  CHECK_FALSE(manifest.snapshot(second.id).parent);
}

}  // namespace vfs::test
