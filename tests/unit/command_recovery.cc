// What the next command makes of a workspace in which one was killed. (That a command can be killed at
// any call tests/faults shows; here are the states that this can leave.)
#include "tests/unit/workspace_fixture.h"
#include "vfs/command/commit.h"
#include "vfs/command/journal.h"
#include "vfs/command/links.h"

namespace vfs::test {
namespace {

std::string state_of(Bed& bed) { return bed.workspace().state(); }

// As a command does it that is started now.
void open_again(Bed& bed) { OpenWorkspace(bed.context, bed.root.string()); }

void set_journal(Bed& bed, const Journal& journal) { write_journal(bed.store, state_of(bed), journal); }

void change(Bed& bed) {
  REQUIRE(bed.tree().write("file", "changed") == 0);
  REQUIRE(bed.tree().make_directory("made") == 0);
  REQUIRE(bed.tree().write("made/inner", "inner") == 0);
  REQUIRE(bed.tree().rename("dir", "moved") == 0);
}

constexpr size_t kAll = 4;  // of what change() leaves at the top of upper

// The first part of a discard: `count` entries are laid aside.
void lay_aside(Bed& bed, size_t count) {
  const fs::path upper = state_of(bed) + "/upper";
  const fs::path undo = state_of(bed) + "/work/undo";
  fs::create_directories(undo / "upper");
  set_journal(bed, {.step = Step::undo});
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(upper)) entries.push_back(entry.path());
  REQUIRE(entries.size() == kAll);
  for (size_t i = 0; i < count; ++i) fs::rename(entries[i], undo / "upper" / entries[i].filename());
  if (count == kAll) fs::rename(state_of(bed) + "/moved", undo / "moved");
}

}  // namespace

TEST_CASE("the journal says what was written") {
  Bed bed(Base::snapshot, fill_small);
  CHECK(read_journal(state_of(bed)).step == Step::none);
  for (const Step step : {Step::undo, Step::discard, Step::move, Step::commit, Step::tidy}) {
    set_journal(bed, {.step = step, .snapshot = bed.base_id});
    const Journal journal = read_journal(state_of(bed));
    CHECK(journal.step == step);
    if (step >= Step::move) CHECK(journal.snapshot == bed.base_id);
  }
  for (const char* text : {"", "commit", "commit 12", "tidy xyz", "nothing", "commit "}) {
    fs::remove(state_of(bed) + "/journal");
    if (*text != '\0') fs::create_symlink(text, state_of(bed) + "/journal");
    CHECK(read_journal(state_of(bed)).step == Step::none);
  }
}

TEST_CASE("names that a tidy takes out are written and read") {
  Bed bed(Base::snapshot, fill_small);
  CHECK(read_tidy_names(state_of(bed)).empty());
  const TidyNames names = {"upper/a", "upper/with\nline", "upper/ "};
  write_tidy_names(bed.store, state_of(bed), names);
  CHECK(read_tidy_names(state_of(bed)) == names);
}

TEST_CASE("what a killed tidy took out is put back nowhere but in upper") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.tree().make_directory("made") == 0);
  REQUIRE(bed.tree().write("made/inner", "inner") == 0);
  const fs::path upper = state_of(bed) + "/upper";
  const fs::path outside = bed.scratch / "outside";
  fs::create_directory(outside);
  TidyNames names;
  const std::string up = "../../../outside";
  names = {up + "/a", "/" + outside.string() + "/b", "upper/../" + up + "/c", "upper/link/d", "upper/made/inner"};
  write_tidy_names(bed.store, state_of(bed), names);
  for (size_t i = 0; i < 4; ++i) write_file(tidy_path(state_of(bed), i), "hostile");
  fs::rename(upper / "made/inner", tidy_path(state_of(bed), 4));
  fs::create_symlink(outside, upper / "link");
  set_journal(bed, {.step = Step::tidy, .snapshot = bed.base_id});
  open_again(bed);
  CHECK(fs::is_empty(outside));
  CHECK(bed.tree().content("made/inner") == "inner");
  CHECK(read_journal(state_of(bed)).step == Step::none);
}

TEST_CASE("a discard that was killed before all was laid aside is undone") {
  for (size_t count = 0; count <= kAll; ++count) {
    Bed bed(Base::snapshot, fill_small);
    change(bed);
    const std::string before = described(bed);
    lay_aside(bed, count);
    open_again(bed);
    CHECK(described(bed) == before);
    CHECK(read_journal(state_of(bed)).step == Step::none);
    CHECK(!fs::exists(state_of(bed) + "/work/undo"));
  }
}

TEST_CASE("what programs wrote after a discard was killed stays") {
  Bed bed(Base::snapshot, fill_small);
  change(bed);
  lay_aside(bed, kAll);
  bed.core().control->rename_generation.fetch_add(1);
  REQUIRE(bed.tree().write("file", "later") == 0);
  REQUIRE(bed.tree().make_directory("made") == 0);
  REQUIRE(bed.tree().write("made/new", "new") == 0);
  open_again(bed);
  CHECK(bed.tree().content("file") == "later");
  CHECK(bed.tree().content("made/new") == "new");
  CHECK(bed.tree().content("made/inner") == "inner");
}

TEST_CASE("a discard that was killed after that is finished") {
  Bed bed(Base::snapshot, fill_small);
  const std::string base = described(bed);
  change(bed);
  lay_aside(bed, kAll);
  set_journal(bed, {.step = Step::discard});
  open_again(bed);
  CHECK(described(bed) == base);
  CHECK(!fs::exists(state_of(bed) + "/work/undo"));
}

TEST_CASE("a switch that was killed on its way is finished") {
  Bed bed(Base::snapshot, fill_small);
  const std::string first = described(bed);
  change(bed);
  const Snapshot second = commit(bed.workspace(), "second").snapshot;
  const std::string changed = described(bed);
  REQUIRE(bed.tree().write("file", "lost by the switch") == 0);
  switch_base(bed.workspace(), bed.workspace().manifest().snapshot(bed.base_id));
  CHECK(described(bed) == first);
  set_journal(bed, {.step = Step::move, .snapshot = second.id});
  open_again(bed);
  CHECK(described(bed) == changed);
  CHECK(bed.workspace().head_id() == second.id);
}

TEST_CASE("a commit that was killed before the base moved has not happened") {
  Bed bed(Base::snapshot, fill_small);
  change(bed);
  const std::string before = described(bed);
  set_journal(bed, {.step = Step::commit, .snapshot = Digest{{1, 2, 3}}});
  open_again(bed);
  CHECK(described(bed) == before);
  CHECK(read_journal(state_of(bed)).step == Step::none);
  CHECK(commit(bed.workspace(), "again").changed);
  CHECK(described(bed) == before);
}

TEST_CASE("a commit that was killed when the base had moved goes on") {
  Bed bed(Base::snapshot, fill_small);
  change(bed);
  REQUIRE(bed.tree().write("gone", "removed by a program that did not know of the new base") == 0);
  const std::string state = state_of(bed);
  // Upper as the commit found it, the base as it left it; the head is yet the old one.
  const fs::path copy = bed.scratch / "upper";
  copy_tree(state + "/upper", copy);
  const std::string old_head = fs::read_symlink(state + "/head");
  const Snapshot second = commit(bed.workspace(), "second").snapshot;
  fs::remove_all(state + "/upper");
  copy_tree(copy, state + "/upper");
  bed.core().control->rename_generation.fetch_add(1);
  replace_link(bed.store, old_head, state + "/head");
  fs::remove(state + "/upper/gone");
  const TidyNames names = {"upper/file", "upper/made/inner", "upper/gone"};
  write_tidy_names(bed.store, state, names);
  set_journal(bed, {.step = Step::commit, .snapshot = second.id});
  open_again(bed);
  CHECK(bed.workspace().head_id() == second.id);
  CHECK(bed.tree().content("gone") == "<ENOENT>");
  CHECK(bed.tree().content("file") == "changed");
  CHECK(bed.tree().content("made/inner") == "inner");
}

TEST_CASE("what a killed commit was taking out of upper goes back") {
  Bed bed(Base::snapshot, fill_small);
  change(bed);
  const std::string state = state_of(bed);
  const std::string before = described(bed);
  const TidyNames names = {"upper/file", "upper/made/inner"};
  write_tidy_names(bed.store, state, names);
  {
    const KeepTimes top((state + "/upper").c_str());
    const KeepTimes made((state + "/upper/made").c_str());
    fs::rename(state + "/upper/file", tidy_path(state, 0));
    fs::rename(state + "/upper/made/inner", tidy_path(state, 1));
  }
  set_journal(bed, {.step = Step::tidy, .snapshot = bed.base_id});
  SECTION("to its name") {
    open_again(bed);
    CHECK(described(bed) == before);
  }
  SECTION("but not over what was made since") {
    bed.core().control->rename_generation.fetch_add(1);
    REQUIRE(bed.tree().write("made/inner", "newer") == 0);
    open_again(bed);
    CHECK(bed.tree().content("made/inner") == "newer");
    CHECK(bed.tree().content("file") == "changed");
  }
  CHECK(!fs::exists(tidy_path(state, 0)));
  CHECK(!fs::exists(tidy_path(state, 1)));
}

TEST_CASE("recovery leaves a workspace alone while its command is at work") {
  Bed bed(Base::snapshot, fill_small);
  change(bed);
  const BaseLock at_work(bed.workspace());
  lay_aside(bed, 1);
  open_again(bed);
  CHECK(read_journal(state_of(bed)).step == Step::undo);
  CHECK(!BaseLock(bed.workspace(), StateLock::if_free).held());
}

}  // namespace vfs::test
