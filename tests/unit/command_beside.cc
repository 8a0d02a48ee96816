// What programs do between a commit's look at the tree and its new base: it is what
// the tree shows afterwards.
#include <atomic>
#include <thread>

#include "tests/unit/workspace_fixture.h"
#include "vfs/command/commit.h"

namespace vfs::test {
namespace {

void fill(const fs::path& top) {
  for (const char* directory : {"base/low", "other", "emptied"}) fs::create_directories(top / directory);
  for (const char* file : {"base/low/file", "base/file", "other/file", "emptied/file", "file"}) {
    write_file(top / file, file);
  }
}

// Of all kinds, above what the base has.
void change(Tree& tree) {
  REQUIRE(tree.write("new", "new") == 0);
  REQUIRE(tree.write("file", "changed") == 0);
  REQUIRE(tree.write("base/low/added", "added") == 0);
  REQUIRE(tree.make_directory("made") == 0);
  REQUIRE(tree.make_directory("made/below") == 0);
  REQUIRE(tree.write("made/below/file", "file") == 0);
  REQUIRE(tree.make_link("new", "made/link") == 0);
  REQUIRE(tree.make_link("new", "link") == 0);
  REQUIRE(tree.hard_link("new", "twin") == 0);
  REQUIRE(tree.remove_file("emptied/file") == 0);
}

struct Step {
  const char* name;
  std::function<int(Tree&)> run;
};

int remove_made(Tree& tree) {
  int result = tree.remove_file("made/below/file");
  if (result == 0) result = tree.remove_directory("made/below");
  if (result == 0) result = tree.remove_file("made/link");
  return result == 0 ? tree.remove_directory("made") : result;
}

int remove_emptied(Tree& tree) { return tree.remove_directory("emptied"); }

const Step kSteps[] = {
    {"a new file is removed", [](Tree& tree) { return tree.remove_file("new"); }},
    {"a changed file is removed", [](Tree& tree) { return tree.remove_file("file"); }},
    {"a changed file becomes a directory",
     [](Tree& tree) { return tree.remove_file("file") + tree.make_directory("file"); }},
    {"a new file becomes a link", [](Tree& tree) { return tree.remove_file("new") + tree.make_link("x", "new"); }},
    {"a file is changed again", [](Tree& tree) { return tree.write("file", "again"); }},
    {"a link is removed", [](Tree& tree) { return tree.remove_file("link"); }},
    {"new directories are removed", remove_made},
    {"new directories are removed and made",
     [](Tree& tree) { return remove_made(tree) + tree.make_directory("made"); }},
    {"a directory of the base is removed", remove_emptied},
    {"a directory of the base is removed and made",
     [](Tree& tree) { return remove_emptied(tree) + tree.make_directory("emptied"); }},
    {"a new file gets another name", [](Tree& tree) { return tree.rename("new", "moved"); }},
    {"a changed file goes to another directory", [](Tree& tree) { return tree.rename("file", "made/moved"); }},
    {"a new directory gets another name", [](Tree& tree) { return tree.rename("made", "moved"); }},
    {"a directory of the base gets another name", [](Tree& tree) { return tree.rename("base", "moved"); }},
    {"a directory of the base moves into a new one", [](Tree& tree) { return tree.rename("base/low", "made/low"); }},
    {"a directory takes the place of one that was removed",
     [](Tree& tree) { return remove_emptied(tree) + tree.rename("base", "emptied"); }},
    {"directories change places", [](Tree& tree) { return tree.rename("base", "other", RENAME_EXCHANGE); }},
};

}  // namespace

TEST_CASE("what programs do while a commit is recorded is what they see when its base is there") {
  for (const Step& step : kSteps) {
    INFO(step.name);
    Bed bed(Base::snapshot, fill);
    change(bed.tree());
    std::string expected;
    const auto once = [&] {
      if (!expected.empty()) return;
      REQUIRE(step.run(bed.tree()) == 0);
      expected = described(bed);
    };
    CHECK(commit(bed.workspace(), "beside", once).changed);
    CHECK(described(bed) == expected);
    commit(bed.workspace(), "after");
    CHECK(described(bed) == expected);
  }
}

TEST_CASE("a commit under which directories move all the time makes them wait, the fifth time") {
  Bed bed(Base::snapshot, fill);
  change(bed.tree());
  int calls = 0;
  std::atomic<bool> moved = false;
  std::thread waits;
  const auto move = [&] {
    const bool is_base = ++calls % 2 == 1;
    if (calls < 5) {
      REQUIRE(bed.tree().rename(is_base ? "base" : "other/base", is_base ? "other/base" : "base") == 0);
      return;
    }
    waits = std::thread([&] {
      OpenWorkspace other(bed.context, bed.root.string());
      if (VirtualTree(other.core()).rename("base", "moved", 0) == 0) moved = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(!moved);
  };
  const CommitResult result = commit(bed.workspace(), "beside", move);
  waits.join();
  CHECK(calls == 5);
  CHECK(result.changed);
  CHECK(moved);
  CHECK(bed.tree().content("moved/low/file") == "base/low/file");
  CHECK(bed.tree().content("moved/low/added") == "added");
  CHECK(bed.tree().content("base/file") == "<ENOENT>");
  CHECK(commit(bed.workspace(), "after").changed);
  CHECK(bed.tree().content("moved/low/added") == "added");
}

}  // namespace vfs::test
