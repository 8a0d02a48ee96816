// What the command does with a workspace: changes, commit, restore, switch, export.
#include "manifest/index_check.h"
#include "manifest/index_writer.h"
#include "tests/unit/workspace_fixture.h"
#include "vfs/command/changes.h"
#include "vfs/command/commit.h"
#include "vfs/command/export.h"
#include "vfs/command/upkeep.h"

using namespace vfs;
using namespace vfs::test;

namespace {

// "A path", sorted by path; a renamed one as "R old -> new".
std::vector<std::string> changes_in(Bed& bed) {
  std::vector<std::string> out;
  for (const Change& change : changes_of(bed.workspace())) {
    std::string line(1, static_cast<char>(change.kind));
    line += ' ';
    if (!change.old_path.empty()) line += change.old_path + " -> ";
    out.push_back(line + change.path);
  }
  return out;
}

using Lines = std::vector<std::string>;

// A bit of everything that a build does, on both sides.
void work(Bed& bed) {
  const auto all = [&](Tree& t) {
    int sum = t.write("file", "changed\n");
    sum += t.write("new/none", "", O_CREAT) == -ENOENT ? 0 : 1;
    sum += t.make_directory("new") + t.write("new/made", "made\n") + t.remove_file("other");
    sum += t.rename("dir", "full/dir") + t.write("full/dir/sub/low", "more", O_APPEND);
    sum += t.make_link("made", "new/link") + t.mode("script", 0755) + t.remove_directory("empty");
    sum += t.hard_link("new/made", "new/second") + t.write("two", "all three", O_TRUNC);
    return sum;
  };
  REQUIRE(bed.both("work", all) == 0);
}

}  // namespace

TEST_CASE("a fresh workspace has no changes, nor one that was only read") {
  for_both(fill_small, [](Bed& bed) {
    CHECK(changes_in(bed) == Lines{});
    CHECK(bed.tree().content("file") == "content of file\n");
    std::vector<std::string> names;
    CHECK(bed.tree().names("dir", names) == 0);
    REQUIRE(mirror_directory(bed.core(), as_path("dir/sub/deep")) == 0);
    CHECK(changes_in(bed) == Lines{});
    // Opened for writing and never written.
    REQUIRE(bed.tree().write("file", "", O_APPEND) == 0);
    CHECK(changes_in(bed) == Lines{});
  });
}

TEST_CASE("each kind of change is named") {
  for_both(fill_small, [](Bed& bed) {
    auto& t = bed.tree();
    REQUIRE(t.write("added", "new content") == 0);
    CHECK(changes_in(bed) == Lines{"A added"});
    REQUIRE(t.write("file", "modified") == 0);
    REQUIRE(t.remove_file("other") == 0);
    REQUIRE(t.mode("script", 0700) == 0);
    REQUIRE(t.remove_file("link") == 0);
    REQUIRE(t.write("link", "a file now") == 0);
    REQUIRE(t.make_directory("made") == 0);
    REQUIRE(t.remove_directory("empty") == 0);
    CHECK(changes_in(bed) == Lines{"A added", "D empty/", "M file", "T link", "A made/", "D other",
                                   "M script"});
    REQUIRE(t.remove_file("added") == 0);
    REQUIRE(t.remove_directory("made") == 0);
    CHECK(changes_in(bed) == Lines{"D empty/", "M file", "T link", "D other", "M script"});
  });
}

TEST_CASE("a renamed file is one change") {
  for_both(fill_small, [](Bed& bed) {
    REQUIRE(bed.tree().rename("file", "renamed") == 0);
    CHECK(changes_in(bed) == Lines{"R file -> renamed"});
    REQUIRE(bed.tree().rename("renamed", "file") == 0);
    CHECK(changes_in(bed) == Lines{});
  });
}

TEST_CASE("commit keeps the tree, cleans the status, and tidies upper") {
  for_both(fill_small, [](Bed& bed) {
    work(bed);
    const std::optional<Snapshot> before = bed.workspace().head();
    const CommitResult result = commit(bed.workspace(), "work");
    CHECK(result.changed);
    CHECK(result.in_use == 0);
    CHECK(result.snapshot.message == "work");
    CHECK(result.snapshot.parent.has_value() == before.has_value());
    if (before) CHECK(*result.snapshot.parent == before->id);
    bed.compare("after commit, the same process");
    CHECK(changes_in(bed) == Lines{});
    bed.reopen();
    bed.compare("after commit, another process");
    CHECK(changes_in(bed) == Lines{});
    REQUIRE(bed.workspace().head());
    CHECK(bed.workspace().head()->id == result.snapshot.id);
    if (bed.kind == Base::snapshot) {
      size_t files = 0;
      for (const auto& item : fs::recursive_directory_iterator(bed.upper(""))) files += !item.is_directory();
      CHECK(files == 0);
      CHECK(check_index(index_path(bed.store, result.snapshot.id)).empty());
    }
    Manifest manifest(bed.store);
    CHECK(manifest.check().empty());
  });
}

TEST_CASE("a commit without changes makes no snapshot") {
  Bed bed(Base::snapshot, fill_small);
  const uint64_t generation = bed.core().control->generation.load();
  const CommitResult none = commit(bed.workspace(), "nothing");
  CHECK_FALSE(none.changed);
  CHECK(none.snapshot.id == bed.base_id);
  CHECK(bed.core().control->generation.load() == generation);
  Manifest manifest(bed.store);
  CHECK(manifest.all_snapshots().size() == 1);

  REQUIRE(bed.tree().write("file", "x") == 0);
  const CommitResult some = commit(bed.workspace(), "something");
  CHECK(some.changed);
  CHECK(bed.core().control->generation.load() == generation + 1);
  CHECK_FALSE(commit(bed.workspace(), "again").changed);
  CHECK(manifest.all_snapshots().size() == 2);
}

TEST_CASE("a live base: only a tree that differs from the last commit is one") {
  Bed bed(Base::live, fill_small);
  CHECK(commit(bed.workspace(), "the first").changed);
  const CommitResult none = commit(bed.workspace(), "nothing");
  CHECK_FALSE(none.changed);
  CHECK(none.snapshot.message == "the first");
  Manifest manifest(bed.store);
  CHECK(manifest.all_snapshots().size() == 1);

  // A name that came and went leaves only the directory's time.
  write_file(bed.root / "dir/passing", "");
  fs::remove(bed.root / "dir/passing");
  CHECK_FALSE(commit(bed.workspace(), "nothing").changed);

  write_file(bed.root / "dir/beside", "by someone outside");
  CHECK(commit(bed.workspace(), "outside").changed);
  CHECK_FALSE(commit(bed.workspace(), "nothing").changed);
  REQUIRE(bed.tree().write("file", "inside") == 0);
  CHECK(commit(bed.workspace(), "inside").changed);
  CHECK_FALSE(commit(bed.workspace(), "nothing").changed);
  REQUIRE(bed.tree().mode("dir/sub", 0700) == 0);
  CHECK(commit(bed.workspace(), "a mode").changed);
  REQUIRE(bed.tree().rename("dir", "moved") == 0);
  CHECK(commit(bed.workspace(), "a rename").changed);
  CHECK_FALSE(commit(bed.workspace(), "nothing").changed);
  REQUIRE(bed.tree().remove_file("two") == 0);
  CHECK(commit(bed.workspace(), "a removal").changed);
  CHECK(manifest.all_snapshots().size() == 6);
}

TEST_CASE("what verify finds damaged is stored again from its source") {
  Bed bed(Base::snapshot, fill_small);
  const ObjectStore objects(bed.store);
  const Digest digest = bed.look("file").digest;
  const Digest other = bed.look("other").digest;
  CHECK(verify_store(bed.store).problems.empty());
  fs::remove(objects.path(digest));
  write_file(objects.path(digest), "content of flie\n");
  fs::remove(objects.path(other));
  const Verified found = verify_store(bed.store);
  REQUIRE(found.problems.size() == 2);
  CHECK_THAT(found.problems[0], Catch::Contains("damaged") && Catch::Contains(":file"));
  CHECK_THAT(found.problems[1], Catch::Contains("missing") && Catch::Contains(":other"));
  Manifest manifest(bed.store);
  ingest(bed.store, manifest, bed.scratch / "native", {});
  CHECK(verify_store(bed.store).problems.empty());
  CHECK(objects.read(digest) == "content of file\n");
}

TEST_CASE("an index that is damaged or missing is written again") {
  Bed bed(Base::snapshot, fill_small);
  const fs::path index = index_path(bed.store, bed.base_id);
  const std::string sound = read_file(index);
  for (const bool missing : {false, true}) {
    fs::remove(index);
    std::string noise = sound;
    noise[noise.size() - 1] ^= 1;
    if (!missing) write_file(index, noise);
    const Verified found = verify_store(bed.store);
    REQUIRE(found.problems.size() == 1);
    CHECK_THAT(found.problems[0], Catch::Contains("written again"));
    CHECK((read_file(index) == sound));
    CHECK(verify_store(bed.store).problems.empty());
  }
}

TEST_CASE("work goes on after a commit, and can be committed again") {
  for_both(fill_small, [](Bed& bed) {
    work(bed);
    commit(bed.workspace(), "first");
    const auto more = [](Tree& t) {
      return t.write("file", "again\n", O_APPEND) + t.remove_file("new/made") +
             t.rename("full/dir", "dir") + t.rename("full", "empty") + t.write("dir/new", "n") +
             t.write("new/second", "s", O_APPEND) + t.mode("dir/sub", 0755);
    };
    REQUIRE(bed.both("more work", more) == 0);
    bed.compare("more work");
    CHECK(changes_in(bed) != Lines{});
    commit(bed.workspace(), "second");
    bed.compare("second commit");
    CHECK(changes_in(bed) == Lines{});
    Manifest manifest(bed.store);
    CHECK(manifest.check().empty());
  });
}

TEST_CASE("a draft that is open for writing stays a draft") {
  Bed bed(Base::snapshot, fill_small);
  const int fd = bed.tree().open("file", O_WRONLY | O_APPEND);
  REQUIRE(fd >= 0);
  REQUIRE(bed.tree().write("other", "closed") == 0);
  CHECK(commit(bed.workspace(), "while open").in_use == 1);
  CHECK(bed.look("file").source == Source::upper);
  CHECK(bed.look("other").source == Source::snapshot);
  REQUIRE(::write(fd, "late", 4) == 4);
  ::close(fd);
  CHECK(bed.tree().content("file") == "content of file\nlate");
  CHECK(changes_in(bed) == Lines{"M file"});
  CHECK(commit(bed.workspace(), "closed").in_use == 0);
  CHECK(bed.look("file").source == Source::snapshot);
  CHECK(bed.tree().content("file") == "content of file\nlate");
}

TEST_CASE("one path is restored, the rest stays changed") {
  for_both(fill_small, [](Bed& bed) {
    auto& t = bed.tree();
    REQUIRE(t.write("file", "x") == 0);
    REQUIRE(t.remove_file("other") == 0);
    REQUIRE(t.write("dir/sub/low", "x") == 0);
    REQUIRE(t.write("dir/sub/new", "x") == 0);
    REQUIRE(t.remove_file("dir/inner") == 0);
    REQUIRE(t.mode("script", 0600) == 0);
    restore_path(bed.workspace(), as_path("dir/sub"));
    CHECK(changes_in(bed) == Lines{"D dir/inner", "M file", "D other", "M script"});
    restore_path(bed.workspace(), as_path("other"));
    restore_path(bed.workspace(), as_path("script"));
    restore_path(bed.workspace(), as_path("dir/inner"));
    restore_path(bed.workspace(), as_path("never_there"));
    CHECK(changes_in(bed) == Lines{"M file"});
    restore_path(bed.workspace(), PathBuffer());
    CHECK(changes_in(bed) == Lines{});
    bed.compare("all restored");
  });
}

TEST_CASE("a path below a renamed directory cannot be restored by itself") {
  for_both(fill_small, [](Bed& bed) {
    REQUIRE(bed.tree().rename("dir", "moved") == 0);
    CHECK_THROWS_AS(restore_path(bed.workspace(), as_path("moved/inner")), Error);
    CHECK_THROWS_AS(restore_path(bed.workspace(), as_path("dir/inner")), Error);
  });
}

TEST_CASE("discard brings everything back") {
  for_both(fill_small, [](Bed& bed) {
    std::string before;
    describe_tree(bed.tree(), ".", 0x7fffffff, before);
    work(bed);
    drop_upper(bed.workspace());
    std::string after;
    describe_tree(bed.tree(), ".", 0x7fffffff, after);
    CHECK(after == before);
    CHECK(changes_in(bed) == Lines{});
    bed.reopen();
    after.clear();
    describe_tree(bed.tree(), ".", 0x7fffffff, after);
    CHECK(after == before);
    REQUIRE(bed.tree().write("file", "works on") == 0);
    CHECK(changes_in(bed) == Lines{"M file"});
  });
}

TEST_CASE("switching to another snapshot and back") {
  Bed bed(Base::snapshot, fill_small);
  std::string first;
  describe_tree(bed.tree(), ".", 0x7fffffff, first);
  work(bed);
  const Snapshot second = commit(bed.workspace(), "second").snapshot;
  std::string changed;
  describe_tree(bed.tree(), ".", 0x7fffffff, changed);
  CHECK(changed != first);
  for (int i = 0; i < 2; ++i) {
    switch_base(bed.workspace(), bed.workspace().manifest().snapshot(bed.base_id));
    std::string seen;
    describe_tree(bed.tree(), ".", 0x7fffffff, seen);
    CHECK(seen == first);
    CHECK(changes_in(bed) == Lines{});
    switch_base(bed.workspace(), second);
    seen.clear();
    describe_tree(bed.tree(), ".", 0x7fffffff, seen);
    CHECK(seen == changed);
    CHECK(changes_in(bed) == Lines{});
  }
}

TEST_CASE("an export is the merged tree as real files") {
  for_both(fill_small, [](Bed& bed) {
    work(bed);
    export_workspace(bed.workspace(), (bed.scratch / "export").string());
    const auto as_text = [](const fs::path& top) {
      NativeTree tree(top);
      std::string out;
      describe_tree(tree, ".", ::time(nullptr) - 1000, out);
      return out;
    };
    CHECK(as_text(bed.scratch / "export") == as_text(bed.scratch / "native"));
    const Snapshot snapshot = commit(bed.workspace(), "work").snapshot;
    export_snapshot(bed.workspace().objects(), bed.workspace().manifest(), snapshot,
                    (bed.scratch / "of_snapshot").string());
    CHECK(as_text(bed.scratch / "of_snapshot") == as_text(bed.scratch / "native"));
    CHECK_THROWS_AS(export_workspace(bed.workspace(), (bed.scratch / "export").string()), Error);
  });
}

TEST_CASE("workspaces are refused where they cannot be") {
  Bed bed(Base::live, fill_small);
  Manifest manifest(bed.store);
  const Snapshot snapshot = ingest(bed.store, manifest, bed.scratch / "native", {});
  CHECK_THROWS_AS(make_live_workspace(bed.store, bed.root.string()), Error);
  CHECK_THROWS_AS(make_live_workspace(bed.store, (bed.root / "dir").string()), Error);
  CHECK_THROWS_AS(make_live_workspace(bed.store, (bed.scratch / "nowhere").string()), Error);
  CHECK_THROWS_AS(make_live_workspace(bed.store, (bed.root / "file").string()), Error);
  CHECK_THROWS_AS(make_live_workspace(bed.store, "/"), Error);
  CHECK_THROWS_AS(make_live_workspace(bed.store, bed.scratch.path().string()), Error);
  CHECK_THROWS_AS(make_snapshot_workspace(bed.store, manifest, snapshot, (bed.scratch / "native").string()), Error);
  CHECK_THROWS_AS(make_snapshot_workspace(bed.store, manifest, snapshot, (bed.root / "in").string()), Error);
  CHECK_THROWS_AS(make_snapshot_workspace(bed.store, manifest, snapshot, (bed.scratch / "no/way").string()), Error);
  CHECK_FALSE(fs::exists(bed.root / "dir/.vfs"));
  CHECK_FALSE(fs::exists(bed.scratch / "native/.vfs"));
}

TEST_CASE("collecting knows what workspaces need") {
  Bed bed(Base::snapshot, fill_small);
  CHECK(all_heads(bed.store) == std::vector<SnapshotId>{bed.base_id});
  CHECK(all_recorded_digests(bed.store).empty());
  const Digest digest = bed.look("file").digest;
  REQUIRE(bed.tree().rename("file", "dir/renamed") == 0);
  CHECK(all_recorded_digests(bed.store) == std::vector<Digest>{digest});
}

TEST_CASE("paths outside of the workspace are refused by name") {
  Bed bed(Base::live, fill_small);
  CHECK(std::string(bed.workspace().below_root(bed.context, "dir/./sub/").text) == "dir/sub");
  CHECK(std::string(bed.workspace().below_root(bed.context, ".").text).empty());
  CHECK_THROWS_AS(bed.workspace().below_root(bed.context, "/usr"), Error);
  CHECK_THROWS_AS(bed.workspace().below_root(bed.context, "../native"), Error);
  CHECK_THROWS_WITH(bed.workspace().below_root(bed.context, std::string(PATH_MAX, 'x')),
                    Catch::Contains("too long"));
  Context outside;
  outside.directory = "/";
  CHECK_THROWS_AS(OpenWorkspace(outside), Error);
}
