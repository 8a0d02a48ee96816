#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <vector>

#include "cas/error.h"
#include "manifest/manifest.h"
#include "tests/unit/cas_fixture.h"

namespace vfs::test {

TEST_CASE("a database of a newer schema is refused and says what to do") {
  Scratch scratch;
  { Manifest(scratch.store()).database().execute("PRAGMA user_version = 999"); }
  try {
    Manifest manifest(scratch.store());
    FAIL("it was opened");
  } catch (const Error& error) {
    CHECK_THAT(error.why, Catch::Contains("schema 999"));
    CHECK_THAT(error.hint, Catch::Contains("newer libvfs"));
  }
}

TEST_CASE("a file that is no database is refused and left alone") {
  Scratch scratch;
  const Store store = scratch.store();
  const std::string text(5000, 'x');
  write_file(store.manifest(), text);
  try {
    Manifest manifest(store);
    FAIL("it was opened");
  } catch (const Error& error) {
    CHECK(error.what_failed == store.manifest().string());
    CHECK_THAT(error.why, Catch::Contains("not a database"));
    CHECK_FALSE(error.hint.empty());
  }
  CHECK(read_file(store.manifest()) == text);
}

TEST_CASE("a damaged database gives an error or is noticed by the check, never a crash") {
  Scratch scratch;
  const Store store = scratch.store();
  {
    Manifest manifest(store);
    TreeNode root;
    root.entry.metadata.mode = S_IFDIR | 0755;
    for (int i = 0; i < 3000; ++i) {
      TreeNode& node = root.children.emplace_back();
      node.entry.name = "name" + std::to_string(i);
      node.entry.metadata.mode = S_IFREG | 0644;
    }
    manifest.add_snapshot(root, {}, "");
    manifest.database().execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  const std::string sound = read_file(store.manifest());
  REQUIRE(sound.size() > 100'000);
  int noticed = 0;
  for (size_t page = 1; page < sound.size() / 4096; ++page) {
    std::string damaged = sound;
    damaged.replace(page * 4096, 4096, std::string(4096, '\xa5'));
    write_file(store.manifest(), damaged);
    try {
      Manifest manifest(store);
      if (!manifest.check().empty()) ++noticed;
      for (const Snapshot& snapshot : manifest.all_snapshots()) manifest.list(snapshot.tree);
    } catch (const Error& error) {
      CHECK_FALSE(error.hint.empty());
      ++noticed;
    }
  }
  CHECK(noticed == static_cast<int>(sound.size() / 4096 - 1));
}

TEST_CASE("a transaction that is not committed leaves nothing") {
  Scratch scratch;
  Database database(scratch / "db");
  database.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)");
  {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1)");
  }
  Statement row = database.prepare("SELECT count(*) FROM t");
  REQUIRE(row.step());
  CHECK(row.integer(0) == 0);
  row.reset();
  CHECK_THROWS_AS(database.execute("INSERT INTO nowhere VALUES (1)"), Error);
  CHECK_THROWS_AS(database.prepare("SELECT nonsense"), Error);
}

TEST_CASE("a statement that is used again remembers nothing") {
  Scratch scratch;
  Database database(scratch / "db");
  const char* text = "SELECT ?";
  {
    Statement one = database.prepare(text);
    one.bind(1, 5);
    REQUIRE(one.step());
    Statement other = database.prepare(text);  // the first is still in use
    REQUIRE(other.step());
    CHECK(other.is_null(0));
    CHECK(one.integer(0) == 5);
  }
  Statement again = database.prepare(text);
  REQUIRE(again.step());
  CHECK(again.is_null(0));
}

TEST_CASE("rows that are written unchecked are checked by a check") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  Database& database = manifest.database();
  constexpr char kShort[] = "INSERT INTO chunk (digest) VALUES (zeroblob(15))";
  {
    const UncheckedRows unchecked(database);
    database.execute(kShort);
  }
  CHECK(manifest.check().size() == 1);
  CHECK_THROWS_AS(database.execute(kShort), Error);
}

TEST_CASE("the checks of the schema hold") {
  Scratch scratch;
  Manifest manifest(scratch.store());
  TreeNode empty;
  manifest.add_snapshot(empty, std::nullopt, "leaves them on");
  Database& database = manifest.database();
  database.execute("INSERT INTO chunk (id, digest) VALUES (1, zeroblob(16))");
  const auto insert = [&](const std::string& values) {
    database.execute(("INSERT INTO entry (chunk, name, type, mode, uid, gid, mtime, mtime_ns, size, "
                      "digest, target, tree) VALUES (" + values + ")").c_str());
  };
  insert("1, x'61', 'file', 420, 0, 0, 0, 0, 0, zeroblob(16), NULL, NULL");
  for (const char* bad : {
           "2, x'62', 'file', 420, 0, 0, 0, 0, 0, zeroblob(16), NULL, NULL",          // no chunk
           "1, x'622f', 'file', 420, 0, 0, 0, 0, 0, zeroblob(16), NULL, NULL",        // slash
           "1, x'2e2e', 'file', 420, 0, 0, 0, 0, 0, zeroblob(16), NULL, NULL",        // ..
           "1, x'62', 'file', 420, 0, 0, 0, 0, 0, NULL, NULL, NULL",                  // no digest
           "1, x'62', 'file', 420, 0, 0, 0, 0, 0, zeroblob(15), NULL, NULL",          // short digest
           "1, x'62', 'link', 511, 0, 0, 0, 0, 0, NULL, NULL, NULL",                  // no target
           "1, x'62', 'directory', 493, 0, 0, 0, 0, 0, NULL, NULL, 7",                // no tree
           "1, x'62', 'door', 420, 0, 0, 0, 0, 0, zeroblob(16), NULL, NULL",          // no type
           "1, x'62', 'file', 4096, 0, 0, 0, 0, 0, zeroblob(16), NULL, NULL",         // mode
           "1, x'62', 'file', 420, 0, 0, 0, 1000000000, 0, zeroblob(16), NULL, NULL"  // time
       }) {
    CHECK_THROWS_AS(insert(bad), Error);
  }
}

TEST_CASE("many processes may make and fill one manifest at the same time") {
  Scratch scratch;
  const Store store = scratch.store();
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 0;
      try {
        Manifest manifest(store);
        for (int round = 0; round < 10; ++round) {
          TreeNode root;
          root.entry.metadata.mode = S_IFDIR | 0755;
          root.children.emplace_back().entry.name = "f" + std::to_string(i);
          root.children[0].entry.metadata.mode = S_IFREG | 0644;
          manifest.add_snapshot(root, {}, std::to_string(i) + "." + std::to_string(round));
        }
      } catch (const std::exception& error) {
        fprintf(stderr, "%s\n", error.what());
        code = 1;
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(Manifest(store).all_snapshots().size() == 60);
}

}  // namespace vfs::test
