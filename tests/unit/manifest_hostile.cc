// Rows that no constraint ever saw, as another program may write them: an Error,
// and above all no name that leads out of the directory it is in.
#include <cmath>
#include <functional>

#include "manifest/index_check.h"
#include "manifest/nesting.h"
#include "tests/unit/index_fixture.h"
#include "vfs/command/changes.h"

namespace vfs::test {
namespace {

// A small snapshot whose rows were changed by `sql`.
struct Hostile : Snapshots {
  Snapshot snapshot;

  explicit Hostile(const std::string& sql) {
    Paths paths;
    paths["dir"] = paths["dir/sub"] = plain_entry(S_IFDIR | 0755);
    paths["dir/file"] = paths["file"] = plain_entry(S_IFREG | 0644, 1);
    paths["link"] = plain_entry(S_IFLNK | 0777, 1);
    snapshot = add(paths);
    manifest.database().execute("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF");
    manifest.database().execute(sql.c_str());
    CHECK(manifest.database().changes() > 0);
  }
};

void refused(const std::function<void()>& action) {
  try {
    action();
    FAIL("it was taken");
  } catch (const Error& error) {
    CHECK_FALSE(error.hint.empty());
  }
}

}  // namespace

TEST_CASE("an entry that no directory can have is an error wherever it is read") {
  const std::string entry = "UPDATE entry SET ";
  for (const std::string& change : {
           entry + "name = x'2e2e' WHERE name = CAST('file' AS BLOB)",
           entry + "name = CAST('../../out' AS BLOB) WHERE name = CAST('file' AS BLOB)",
           entry + "name = x'61006200' WHERE name = CAST('file' AS BLOB)",
           entry + "name = zeroblob(0) WHERE name = CAST('file' AS BLOB)",
           entry + "name = randomblob(300) WHERE name = CAST('file' AS BLOB)",
           entry + "type = 'nothing' WHERE type = 'file'",
           entry + "mode = 61440 WHERE type = 'file'",
           entry + "mtime_ns = 1000000000 WHERE type = 'file'",
           entry + "size = -1 WHERE type = 'file'",
           entry + "uid = -1 WHERE type = 'file'",
           entry + "gid = 4294967296 WHERE type = 'file'",
           entry + "digest = NULL WHERE type = 'file'",
           entry + "target = NULL WHERE type = 'link'",
           entry + "target = x'6100' WHERE type = 'link'",
           entry + "target = zeroblob(5000) WHERE type = 'link'",
           entry + "tree = NULL WHERE type = 'directory'",
           entry + "tree = 1 WHERE type = 'file'"}) {
    Hostile hostile(change);
    INFO(change);
    refused([&] { write_index(hostile.store, hostile.manifest, hostile.snapshot); });
    CHECK_FALSE(fs::exists(hostile.path(hostile.snapshot)));
  }
}

TEST_CASE("a directory whose chunks are not in order is an error") {
  Hostile hostile("INSERT INTO tree_chunk SELECT tree, position + 1, chunk FROM tree_chunk");
  refused([&] { hostile.manifest.list(hostile.snapshot.tree); });
}

TEST_CASE("a directory that is below itself is an error and not endless") {
  Hostile hostile("UPDATE entry SET tree = (SELECT tree FROM snapshot) WHERE tree IS NOT NULL");
  refused([&] { write_index(hostile.store, hostile.manifest, hostile.snapshot); });
  CHECK_FALSE(hostile.manifest.for_each_path({plain_entry(S_IFREG, 1).digest}, [](const Digest&, const ServedPath&) {}));
  refused([&] { changes_between(hostile.manifest, Snapshot(), hostile.snapshot); });
  CHECK_FALSE(hostile.manifest.check().empty());
}

TEST_CASE("a tree of more paths than memory holds is refused before it is held") {
  Hostile hostile("WITH RECURSIVE level (id) AS (SELECT 1000 UNION ALL SELECT id + 1 FROM level WHERE id < 1060) "
                  "INSERT INTO tree SELECT id, randomblob(16), 1, 1 FROM level");
  std::string sql;
  for (int level = 1000; level < 1060; ++level) {
    sql += fmt::format("INSERT INTO chunk VALUES ({0}, randomblob(16)); INSERT INTO tree_chunk VALUES ({0}, 0, {0});", level);
    for (const char* name : {"a", "b"}) {
      sql += fmt::format("INSERT INTO entry SELECT {}, CAST('{}' AS BLOB), type, mode, uid, gid, mtime, mtime_ns, size, digest, "
                         "target, {}, device, link_group FROM entry WHERE name = CAST('sub' AS BLOB);", level, name, level + 1);
    }
  }
  hostile.manifest.database().execute(sql.c_str());
  hostile.manifest.database().execute("UPDATE entry SET tree = 1000 WHERE name = CAST('dir' AS BLOB)");
  refused([&] { write_index(hostile.store, hostile.manifest, hostile.manifest.snapshot(hostile.snapshot.id)); });
  CHECK(Extents(hostile.manifest).of(1000).paths == std::pow(2.0, 61) - 2);
  CHECK(Extents(hostile.manifest).of(1000).height == 61);
  CHECK_FALSE(hostile.manifest.check().empty());
}

TEST_CASE("the number of files that a manifest gives is not what memory is taken for") {
  Hostile hostile("UPDATE tree SET files = 4611686018427387904");
  const Snapshot snapshot = hostile.manifest.snapshot(hostile.snapshot.id);
  write_index(hostile.store, hostile.manifest, snapshot);
  CHECK(check_index(hostile.path(snapshot)) == "");
}

TEST_CASE("names that no directory can have are not given out by an index") {
  Snapshots snapshots;
  Paths paths;
  for (const char* name : {"aa", "bbbb", "d"}) paths[name] = plain_entry(S_IFREG | 0644, 1);
  const Snapshot snapshot = snapshots.add(paths);
  write_index(snapshots.store, snapshots.manifest, snapshot);
  const fs::path path = snapshots.path(snapshot);
  const std::string sound = read_file(path);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = sound;
    const size_t at = bytes.rfind(from + '\0');
    REQUIRE(at != std::string::npos);
    bytes.replace(at, to.size(), to);
    fs::remove(path);
    write_file(path, bytes);
    const Index index = snapshots.open(path);
    IndexChildren children = index.children(*find_path(index, ""));
    size_t given = 0;
    while (const IndexEntry* child = children.next()) given += index.name(*child) != nullptr;
    CHECK_FALSE(check_index(path).empty());
    return given;
  };
  CHECK(with("aa", "..") == 2);
  CHECK(with("bbbb", "../x") == 2);
  CHECK(with("bbbb", std::string("b\0bb", 4)) == 2);
  CHECK(with("d", ".") == 2);
  CHECK(with("bbbb", "bb.b") == 3);
}

}  // namespace vfs::test
