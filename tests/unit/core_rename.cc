// rename(2) of files and directories, base and upper, and where they went.
#include <linux/fs.h>

#include <random>

#include "tests/unit/workspace_fixture.h"
#include "vfs/core/moved.h"

using namespace vfs;
using namespace vfs::test;

TEST_CASE("rename answers as the kernel's for every pair of paths") {
  const std::string paths[] = {"file",  "file/", "dir",     "dir/",     "dir/sub", "dir_link",
                               "link",  "link/", "missing", "missing/", "empty",   "full",
                               "dir/.", "dir/..", "file/x", "missing/x", "one",    "two", "."};
  for (const Base base : {Base::live, Base::snapshot}) {
    // One bed for each `from`, so that a rename that succeeds does not empty the rest.
    for (const std::string& from : paths) {
      Bed bed(base, fill_small);
      for (const std::string& to : paths) {
        for (const unsigned flags : {unsigned{RENAME_NOREPLACE}, 0u}) {
          bed.both("rename " + from + " " + to + " " + std::to_string(flags),
                   [&](Tree& t) { return t.rename(from, to, flags); });
        }
      }
      bed.compare("after renames of " + from);
    }
  }
}

TEST_CASE("files are renamed without moving bytes") {
  for_both(fill_small, [](Bed& bed) {
    struct stat before;
    struct stat after;
    REQUIRE(bed.tree().status("file", false, before) == 0);
    bed.both("rename", [](Tree& t) { return t.rename("file", "dir/renamed"); });
    REQUIRE(bed.tree().status("dir/renamed", false, after) == 0);
    CHECK(after.st_ino == before.st_ino);
    if (bed.kind == Base::snapshot) CHECK(bed.look("dir/renamed").source == Source::record);
    bed.both("back", [](Tree& t) { return t.rename("dir/renamed", "file"); });
    bed.compare("there and back");
    bed.both("over another", [](Tree& t) { return t.rename("file", "other"); });
    bed.both("over a third", [](Tree& t) { return t.rename("other", "script"); });
    bed.both("a link", [](Tree& t) { return t.rename("link", "file"); });
    bed.compare("replaced");
    bed.both("two names of one inode", [](Tree& t) { return t.rename("one", "dir/three"); });
    bed.compare("nothing done");
  });
}

TEST_CASE("a populated directory of the base moves with all below it") {
  for_both(fill_small, [](Bed& bed) {
    bed.both("unlink in it first", [](Tree& t) { return t.remove_file("dir/sub/low"); });
    bed.both("rename", [](Tree& t) { return t.rename("dir", "full/moved"); });
    bed.compare("moved");
    bed.both("write below", [](Tree& t) { return t.write("full/moved/sub/deep/lowest", "x", O_APPEND); });
    bed.both("create below", [](Tree& t) { return t.write("full/moved/sub/deep/new", "new"); });
    bed.both("rename its parent", [](Tree& t) { return t.rename("full", "outer"); });
    bed.compare("moved twice");
    bed.both("rename inside", [](Tree& t) { return t.rename("outer/moved/sub", "outer/sub"); });
    bed.both("a new one in the old place", [](Tree& t) { return t.make_directory("dir"); });
    bed.both("back into it", [](Tree& t) { return t.rename("outer/sub", "dir/sub"); });
    bed.compare("moved apart");
    bed.both("not empty", [](Tree& t) { return t.remove_directory("dir/sub"); });
    bed.both("over a populated one", [](Tree& t) { return t.rename("outer", "dir"); });
    bed.both("over an empty one", [](Tree& t) { return t.rename("outer", "empty"); });
    bed.compare("in place of an empty one");
    bed.reopen();
    bed.compare("seen by another process");
  });
}

TEST_CASE("directories come back to where they were") {
  for_both(fill_small, [](Bed& bed) {
    struct stat before;
    struct stat after;
    REQUIRE(bed.tree().status("dir", false, before) == 0);
    for (int i = 0; i < 3; ++i) {
      bed.both("away", [](Tree& t) { return t.rename("dir", "away"); });
      bed.both("back", [](Tree& t) { return t.rename("away", "dir"); });
    }
    bed.compare("there and back");
    REQUIRE(bed.tree().status("dir", false, after) == 0);
    CHECK(after.st_ino == before.st_ino);
    bed.both("swap by three", [](Tree& t) { return t.rename("dir", "x"); });
    bed.both("swap by three", [](Tree& t) { return t.rename("full", "dir"); });
    bed.both("swap by three", [](Tree& t) { return t.rename("x", "full"); });
    bed.compare("swapped");
  });
}

TEST_CASE("names change places") {
  const std::pair<std::string, std::string> pairs[] = {
      {"file", "other"}, {"file", "dir"}, {"dir", "full"}, {"link", "dir/inner"},
      {"empty", "dir/sub"}, {"one", "two"}, {"file", "missing"}, {"dir", "dir/sub"}, {"dir/sub", "dir"}};
  for (const auto& [from, to] : pairs) {
    for_both(fill_small, [&, f = from, t = to](Bed& bed) {
      bed.both("exchange " + f + " " + t, [&](Tree& tree) { return tree.rename(f, t, RENAME_EXCHANGE); });
      bed.compare("exchanged " + f + " " + t);
      bed.both("exchange back", [&](Tree& tree) { return tree.rename(t, f, RENAME_EXCHANGE); });
      bed.compare("exchanged back " + f + " " + t);
    });
  }
}

TEST_CASE("flags that make no sense together are refused") {
  for_both(fill_small, [](Bed& bed) {
    bed.both("both flags", [](Tree& t) { return t.rename("file", "other", RENAME_EXCHANGE | RENAME_NOREPLACE); });
    bed.both("unknown flag", [](Tree& t) { return t.rename("file", "other", 1u << 20); });
    bed.compare("nothing done");
  });
}

TEST_CASE("renames over names that were removed") {
  for_both(fill_small, [](Bed& bed) {
    bed.both("unlink", [](Tree& t) { return t.remove_file("other"); });
    bed.both("a file over a whiteout", [](Tree& t) { return t.rename("file", "other", RENAME_NOREPLACE); });
    bed.both("unlink", [](Tree& t) { return t.remove_file("script"); });
    bed.both("a directory over a whiteout", [](Tree& t) { return t.rename("dir", "script"); });
    bed.compare("over whiteouts");
    bed.both("remove empty", [](Tree& t) { return t.remove_directory("empty"); });
    bed.both("a populated directory to its name", [](Tree& t) { return t.rename("full", "empty"); });
    bed.both("a new file", [](Tree& t) { return t.write("fresh", "fresh"); });
    bed.both("to a name that a directory had", [](Tree& t) { return t.rename("fresh", "full"); });
    bed.compare("over whiteouts of directories");
    bed.both("of upper only", [](Tree& t) { return t.make_directory("upper"); });
    bed.both("filled", [](Tree& t) { return t.write("upper/x", "x"); });
    bed.both("onto itself", [](Tree& t) { return t.rename("upper", "upper"); });
    bed.both("into a directory of the base", [](Tree& t) { return t.rename("upper", "empty/upper"); });
    bed.both("over an old name", [](Tree& t) { return t.rename("empty/upper", "dir"); });
    bed.compare("upper only");
  });
}

TEST_CASE("a directory of whiteouts counts as empty for rename") {
  for_both(fill_small, [](Bed& bed) {
    for (const char* name : {"full/a", "full/b", "full/c"}) {
      bed.both("unlink", [&](Tree& t) { return t.remove_file(name); });
    }
    bed.both("over it", [](Tree& t) { return t.rename("dir", "full"); });
    bed.compare("replaced");
    bed.both("nothing of the old shows", [](Tree& t) { return t.open("full/a", O_RDONLY); });
  });
}

TEST_CASE("where the directories of a live base have gone") {
  Bed bed(Base::live, fill_small);
  const auto now = [&](const char* path) {
    PathBuffer buffer = as_path(path);
    follow_moves(bed.core(), buffer);
    return std::string(buffer.text);
  };
  CHECK(now("dir/sub") == "dir/sub");
  REQUIRE(bed.tree().rename("dir/sub", "full/sub") == 0);
  CHECK(now("dir/sub") == "full/sub");
  CHECK(now("dir/sub/deep") == "full/sub/deep");
  CHECK(now("dir/inner") == "dir/inner");
  REQUIRE(bed.tree().rename("dir", "elsewhere") == 0);
  CHECK(now("dir") == "elsewhere");
  CHECK(now("dir/sub/deep") == "full/sub/deep");
  REQUIRE(bed.tree().rename("full/sub", "last") == 0);
  CHECK(now("dir/sub/deep") == "last/deep");
  CHECK(now("").empty());
}

TEST_CASE("2,000 random calls leave both trees alike") {
  for (const Base base : {Base::live, Base::snapshot}) {
    for (const unsigned seed : {1u, 2u, 3u, 4u}) {
      Bed bed(base, fill_small);
      INFO("seed " << seed);
      std::mt19937 random(seed);
      const std::vector<std::string> names = {"file", "dir", "sub", "full", "a", "b", "link", "new"};
      const auto path = [&] {
        std::string out = names[random() % names.size()];
        for (unsigned depth = static_cast<unsigned>(random() % 3); depth > 0; --depth) out += "/" + names[random() % names.size()];
        return out;
      };
      const std::string before = bed.real();
      for (int i = 0; i < 250; ++i) {
        const std::string one = path();
        const std::string two = path();
        const unsigned choice = static_cast<unsigned>(random() % 12);
        const std::string what = "seed " + std::to_string(seed) + " step " + std::to_string(i) + " call " +
                                 std::to_string(choice) + " " + one + " " + two;
        const int result = bed.both(what, [&](Tree& t) {
          switch (choice) {
            case 0: return t.write(one, "w" + std::to_string(i), O_CREAT | O_TRUNC);
            case 1: return t.write(one, "a" + std::to_string(i), O_CREAT | O_APPEND);
            case 2: return t.make_directory(one);
            case 3: return t.remove_file(one);
            case 4: return t.remove_directory(one);
            case 5: return t.make_link(two, one);
            case 6: return t.hard_link(one, two);
            case 7: return t.mode(one, 0700 | static_cast<mode_t>(i & 077));
            case 8: return t.rename(one, two, RENAME_EXCHANGE);
            default: return t.rename(one, two, choice == 9 ? RENAME_NOREPLACE : 0);
          }
        });
        if (result >= 0 || i % 25 == 0) bed.compare(what);
      }
      CHECK(bed.real() == before);
    }
  }
}
