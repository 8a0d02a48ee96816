// fsck: what it finds in a store and its workspaces, and what repair does about it.
#include <signal.h>
#include <sys/wait.h>

#include "manifest/index_writer.h"
#include "tests/unit/workspace_fixture.h"
#include "vfs/command/commit.h"
#include "vfs/command/fsck.h"

using namespace vfs;
using namespace vfs::test;

namespace {

using Lines = std::vector<std::string>;
using Outcome = Finding::Outcome;

constexpr int64_t kLater = 7200;  // seconds: more than any grace period here

Checked check(const Store& store, Repair repair, int64_t later = 0, bool remove_orphans = false) {
  FsckRules rules;
  rules.repair = repair;
  rules.workspaces.grace.now += later;
  rules.workspaces.remove_orphans = remove_orphans;
  return check_all(store, rules);
}

Lines lines_of(const Checked& checked) {
  Lines lines;
  for (const Finding& finding : checked.findings.list()) lines.push_back(line_of(finding));
  return lines;
}

// There is exactly this to find; repair has the outcome; afterwards nothing is left
// to find, unless it could not be repaired.
void expect(const Store& store, const std::string& why, Outcome outcome, int64_t later = 0) {
  INFO(why);
  const Checked found = check(store, Repair::no, later);
  REQUIRE(found.findings.list().size() == 1);
  CHECK_THAT(line_of(found.findings.list()[0]), Catch::Contains(why));
  CHECK(found.findings.list()[0].outcome == (outcome == Outcome::left ? Outcome::left : Outcome::repairable));
  CHECK(lines_of(check(store, Repair::no, later)) == lines_of(found));  // only looked
  const Checked repaired = check(store, Repair::yes, later);
  REQUIRE(repaired.findings.list().size() == 1);
  CHECK_THAT(line_of(repaired.findings.list()[0]), Catch::Contains(why));
  CHECK(repaired.findings.list()[0].outcome == outcome);
  const Lines after = lines_of(check(store, Repair::no, later));
  if (outcome == Outcome::repaired) CHECK(after == Lines{});
  if (outcome == Outcome::left) CHECK(after == lines_of(found));
}

void write_at(const fs::path& path, off_t at, std::string_view bytes) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::pwrite(fd.get(), bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()));
}

void forget_announcements(Bed& bed) {
  write_at(bed.workspace().state() + "/control", 4096, std::string(kFilterBits / 8, '\0'));
}

void put_link(const std::string& target, const std::string& path) {
  fs::remove(path);
  fs::create_symlink(target, path);
}

// Drafts, records, whiteouts, links, a directory that was renamed and one that is
// opaque, names of one inode.
int change_much(Tree& t) {
  return t.write("file", "changed\n") + t.remove_file("other") + t.rename("script", "renamed script") +
         t.rename("dir", "full/dir") + t.write("full/dir/sub/low", "more", O_APPEND) + t.make_directory("new") +
         t.write("new/made", "made\n") + t.make_link("made", "new/link") + t.hard_link("new/made", "second") +
         t.remove_directory("empty") + t.make_directory("empty") + t.write("empty/inside", "x") +
         t.write("two", "all three", O_TRUNC) + t.remove_file("link") + t.make_directory("link") +
         t.mode("nothing", 0600);
}

}  // namespace

TEST_CASE("nothing is found where nothing is wrong") {
  for_both(fill_small, [](Bed& bed) {
    CHECK(lines_of(check(bed.store, Repair::no, kLater)) == Lines{});
    REQUIRE(bed.both("changes", change_much) == 0);
    REQUIRE(mirror_directory(bed.core(), as_path("full"), Mirror::to_open) == 0);
    CHECK(lines_of(check(bed.store, Repair::no, kLater)) == Lines{});
    commit(bed.workspace(), "changes");
    CHECK(lines_of(check(bed.store, Repair::no, kLater)) == Lines{});
    REQUIRE(bed.both("more", [](Tree& t) {
      return t.write("new/made", "again") + t.rename("full", "dir") + t.remove_file("second");
    }) == 0);
    const Checked checked = check(bed.store, Repair::yes, kLater);
    CHECK(lines_of(checked) == Lines{});
    CHECK(checked.workspaces == 1);
    CHECK(checked.objects > 0);
    bed.compare("after a repair of nothing");
  });
}

TEST_CASE("what the change filter does not announce is announced again") {
  for_both(fill_small, [](Bed& bed) {
    REQUIRE(bed.both("changes", change_much) == 0);
    forget_announcements(bed);
    const Checked found = check(bed.store, Repair::no);
    CHECK(found.findings.left() > 8);
    for (const std::string& line : lines_of(found)) CHECK_THAT(line, Catch::Contains("the change filter"));
    const Checked repaired = check(bed.store, Repair::yes);
    CHECK(repaired.findings.left() == 0);
    CHECK_FALSE(repaired.findings.list().empty());
    CHECK(lines_of(check(bed.store, Repair::no)) == Lines{});
    bed.reopen();
    bed.compare("announced again");
  });
}

TEST_CASE("a journal that cannot be read is removed, unless something was laid aside") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.both("changes", change_much) == 0);
  const std::string state = bed.workspace().state();
  for (const char* text : {"nonsense", "move 12", "\x1b[2J", "undone"}) {
    fs::create_symlink(text, state + "/journal");
    expect(bed.store, "cannot be read; ", Outcome::repaired);
    CHECK_FALSE(fs::is_symlink(state + "/journal"));
  }
  fs::create_symlink("move " + std::string(32, 'a'), state + "/journal");
  expect(bed.store, "names a snapshot that is not in the manifest", Outcome::repaired);
  write_file(state + "/journal", "undo");
  fs::permissions(state + "/journal", fs::perms(0600));
  expect(bed.store, "nothing of this name belongs here", Outcome::repaired);
  bed.compare("nothing was lost");

  fs::create_directories(state + "/work/undo/upper");
  fs::rename(state + "/upper/file", state + "/work/undo/upper/file");
  fs::create_symlink("nonsense", state + "/journal");
  CHECK(check(bed.store, Repair::yes).findings.left() == 0);
  bed.reopen();
  bed.compare("what was laid aside is back");
  CHECK(lines_of(check(bed.store, Repair::no)) == Lines{});
}

TEST_CASE("a directory that is only there to be opened need not be announced") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(mirror_directory(bed.core(), as_path("dir/sub"), Mirror::to_open) == 0);
  forget_announcements(bed);
  CHECK(lines_of(check(bed.store, Repair::no)) == Lines{});
  REQUIRE(bed.tree().make_directory("dir/sub/mine") == 0);
  forget_announcements(bed);
  expect(bed.store, "dir/sub/mine: it is changed, and the change filter does not say so", Outcome::repaired);
}

TEST_CASE("a control file that is damaged is written again, and nothing is lost") {
  for_both(fill_small, [](Bed& bed) {
    REQUIRE(bed.both("changes", change_much) == 0);
    const fs::path control = bed.workspace().state() + "/control";
    const std::string sound = read_file(control);
    const auto mends = [&](const std::string& why) {
      expect(bed.store, why, Outcome::repaired);
      bed.reopen();
      bed.compare(why);
    };
    write_at(control, 0, "NONSENSE");
    mends("its first bytes are others");
    write_at(control, 8, std::string("\0\0\0\0", 4));
    mends("has version 0");
    write_at(control, 12, "\7");
    mends("has kind 7");
    fs::remove(control);
    mends("cannot be opened");
    fs::resize_file(control, 5000);  // nothing of ours reads beyond until it is mended
    mends("has 5000 bytes");
    // Of a libvfs to come: not ours to write.
    write_at(control, 8, "\x63");
    expect(bed.store, "has version 99", Outcome::left);
    fs::remove(control);
    fs::create_symlink(bed.scratch / "native/file", control);
    const std::string other = read_file(bed.scratch / "native/file");
    CHECK(check(bed.store, Repair::yes).findings.left() == 1);
    CHECK(read_file(bed.scratch / "native/file") == other);
    fs::remove(control);
    write_file(control, sound);
  });
}

TEST_CASE("base and head lead to one snapshot that the manifest knows") {
  Bed bed(Base::snapshot, fill_small);
  const std::string state = bed.workspace().state();
  REQUIRE(bed.tree().write("file", "second") == 0);
  const SnapshotId second = commit(bed.workspace(), "second").snapshot.id;
  const std::string base = fs::read_symlink(state + "/base");
  const uint64_t generation = bed.core().control->generation;

  // As if a command had been killed between the two.
  put_link(digest_text(bed.base_id), state + "/head");
  expect(bed.store, "its head is " + digest_text(bed.base_id), Outcome::repaired);
  CHECK(bed.workspace().head_id() == second);
  CHECK(bed.core().control->generation > generation);
  fs::remove(state + "/head");
  expect(bed.store, "it has no head", Outcome::repaired);
  CHECK(bed.workspace().head_id() == second);
  fs::remove(state + "/base");
  expect(bed.store, "it has no base", Outcome::repaired);
  CHECK(fs::read_symlink(state + "/base") == base);
  bed.reopen();
  CHECK(bed.tree().content("file") == "second");

  // A snapshot that nobody knows; its index is there, so programs go on.
  const Digest unknown = digest_of("unknown", 7);
  fs::copy_file(index_path(bed.store, second), index_path(bed.store, unknown));
  put_link("../../indexes/" + digest_text(unknown) + ".index", state + "/base");
  const Checked found = check(bed.store, Repair::yes);
  CHECK(found.findings.left() == 1);
  CHECK_THAT(lines_of(found).back(), Catch::Contains(digest_text(unknown) + " is not in the manifest"));
  CHECK(fs::exists(index_path(bed.store, unknown)));
}

TEST_CASE("a live workspace whose head is lost counts from the directory again") {
  Bed bed(Base::live, fill_small);
  commit(bed.workspace(), "first");
  put_link(digest_text(digest_of("unknown", 7)), bed.workspace().state() + "/head");
  expect(bed.store, "is not in the manifest", Outcome::repaired);
  CHECK_FALSE(bed.workspace().head_id());
  CHECK(commit(bed.workspace(), "again").changed);
}

TEST_CASE("records that say what is not true are named and left") {
  for (const std::string& target : {std::string("\x01vfs1:onsense"), std::string("\x01vfs1:r")}) {
    Bed bed(Base::snapshot, fill_small);
    REQUIRE(bed.tree().rename("file", "moved") == 0);
    put_link(target, bed.upper("moved"));
    expect(bed.store, "moved: its record cannot be read", Outcome::left);
  }
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.tree().rename("file", "moved") == 0);
  REQUIRE(bed.tree().rename("dir", "elsewhere") == 0);
  const std::string record = fs::read_symlink(bed.upper("moved"));
  Lookup found = bed.look("moved");
  ObjectRecord wrong = object_record_of(found);
  ++wrong.size;
  PathBuffer text;
  REQUIRE(format_object_record(wrong, text));
  put_link(text.text, bed.upper("moved"));
  expect(bed.store, "moved: its record says 17 bytes", Outcome::left);
  put_link(record, bed.upper("moved"));
  CHECK(lines_of(check(bed.store, Repair::no)) == Lines{});
  const std::string redirect = fs::read_symlink(bed.upper("elsewhere/.vfs-directory"));
  put_link(redirect, bed.upper("moved"));
  expect(bed.store, "moved: it has the record of a directory", Outcome::left);
  put_link(record, bed.upper("moved"));
  put_link("nonsense", bed.upper("elsewhere/.vfs-directory"));
  expect(bed.store, "elsewhere: its directory record cannot be read", Outcome::left);
}

TEST_CASE("an object that only a record names is missed too") {
  Bed bed(Base::snapshot, fill_small);
  const Digest digest = bed.look("file").digest;
  REQUIRE(bed.tree().rename("file", "moved") == 0);
  Manifest manifest(bed.store);
  manifest.database().execute("UPDATE entry SET digest = zeroblob(16), type = 'file' WHERE name = x'66696c65'");
  fs::remove(ObjectStore(bed.store).path(digest));
  const Checked found = check(bed.store, Repair::no);
  REQUIRE(found.findings.left() == 2);  // and the one that the manifest names now
  bool named = false;
  for (const Finding& finding : found.findings.list()) {
    named = named || (finding.where == digest_text(digest) &&
                      finding.serves == Lines{(bed.root / "moved").string()});
  }
  CHECK(named);
}

TEST_CASE("refs and parents that lead nowhere are dropped") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.tree().write("file", "second") == 0);
  commit(bed.workspace(), "second");
  Manifest manifest(bed.store);
  const auto forget = [&](const SnapshotId& id) {
    manifest.database().execute("PRAGMA foreign_keys = OFF");
    manifest.database().prepare("DELETE FROM snapshot WHERE id = ?").bind(1, id).run();
    manifest.database().execute("PRAGMA foreign_keys = ON");
    fs::remove(index_path(bed.store, id));
  };
  TreeNode root;
  root.entry.metadata.mode = S_IFDIR | 0755;
  const SnapshotId other = manifest.add_snapshot(root, {}, "other").id;
  manifest.set_ref("name", other);
  forget(other);
  expect(bed.store, "ref name: its snapshot " + digest_text(other), Outcome::repaired);
  CHECK(manifest.refs().empty());
  forget(bed.base_id);
  const Checked found = check(bed.store, Repair::yes);
  CHECK_THAT(lines_of(found).front(), Catch::Contains("its parent " + digest_text(bed.base_id)));
  CHECK(check(bed.store, Repair::no).findings.left() == 0);
}

TEST_CASE("names that belong to nobody go to the quarantine") {
  Bed bed(Base::live, fill_small);
  const fs::path store = bed.store.path();
  for (const fs::path& path : {store / "letter", store / "objects/stray", store / "indexes/stray", store / "workspaces/stray",
                               fs::path(bed.workspace().state()) / "stray"}) {
    write_file(path, path.string());
    expect(bed.store, path.string() + ": nothing of this name belongs here", Outcome::repaired);
    CHECK_FALSE(fs::exists(path));
    const std::string name = path.lexically_relative(store).string();
    std::string flat = name;
    std::replace(flat.begin(), flat.end(), '/', '_');
    CHECK(read_file(store / "quarantine" / flat) == path.string());
  }
}

TEST_CASE("what others could look into is made private") {
  Bed bed(Base::live, fill_small);
  const fs::path state = bed.workspace().state();
  for (const fs::path& path : {bed.store.path(), bed.store.objects(), bed.store.manifest(), state}) {
    ::chmod(path.c_str(), fs::is_directory(path) ? 0755 : 0644);
    expect(bed.store, path.string() + ": others than its owner can come to it", Outcome::repaired);
    CHECK((status_of(path).st_mode & 077) == 0);
  }
  CHECK((status_of(bed.store.path()).st_mode & 07777) == 0700);
}

TEST_CASE("an object that can be written to is made read-only") {
  Bed bed(Base::snapshot, fill_small);
  const fs::path object = ObjectStore(bed.store).path(bed.look("file").digest);
  ::chmod(object.c_str(), 0755);
  expect(bed.store, "its mode is 0755", Outcome::repaired);
  CHECK((status_of(object).st_mode & 07777) == 0555);
}

TEST_CASE("parts of a state that are missing are made") {
  Bed bed(Base::snapshot, fill_small);
  for (const char* part : {"work", "run", "upper"}) {
    fs::remove_all(fs::path(bed.workspace().state()) / part);
    expect(bed.store, std::string(part) + " is missing", Outcome::repaired);
  }
  REQUIRE(bed.tree().write("file", "works") == 0);
}

TEST_CASE("leftovers are told of, and removed when nobody can be at work on them") {
  Bed bed(Base::snapshot, fill_small);
  const fs::path state = bed.workspace().state();
  const Digest started = bed.look("script").digest;
  fs::create_hard_link(ObjectStore(bed.store).path(started), state / "run/script");
  write_file(state / "run/old", "its object is gone");
  write_file(state / "work/12.3", "half a copy");
  fs::create_directories(state / "work/45.6/below");
  write_file(state / "work/45.6/below/x", "");
  write_file(state / "work/tidy.names", "");  // of a command: for recovery
  write_file(bed.store.temporary() / "1.2.3", "");
  const fs::path half = ObjectStore(bed.store).path(started).parent_path() / ".1.2.3";
  write_file(half, "half");
  const std::vector<fs::path> left = {state / "run/old", state / "work/12.3", state / "work/45.6",
                                      bed.store.temporary() / "1.2.3", half};
  const Checked young = check(bed.store, Repair::yes);
  CHECK(young.findings.list().size() == left.size());
  CHECK(young.findings.left() == 0);  // nothing is wrong with leftovers
  for (const fs::path& path : left) CHECK(fs::exists(path));
  const Checked old = check(bed.store, Repair::yes, kLater);
  CHECK(old.findings.list().size() == left.size());
  for (const Finding& finding : old.findings.list()) {
    CHECK(finding.kind == Finding::Kind::leftover);
    CHECK(finding.outcome == Outcome::repaired);
  }
  for (const fs::path& path : left) CHECK_FALSE(fs::exists(path));
  CHECK(fs::exists(state / "run/script"));
  CHECK(fs::exists(state / "work/tidy.names"));
}

TEST_CASE("a workspace in which a command is at work is skipped") {
  Bed bed(Base::snapshot, fill_small);
  write_at(bed.workspace().state() + "/control", 12, "\7");
  const StateLock command(bed.workspace().state(), StateLock::make);
  REQUIRE(command.held());
  const Checked checked = check(bed.store, Repair::yes);
  REQUIRE(checked.findings.list().size() == 1);
  CHECK_THAT(line_of(checked.findings.list()[0]), Catch::Contains("skipped") && Catch::Contains("a command is at work"));
  CHECK(checked.findings.left() == 0);
}

TEST_CASE("the state of a workspace that is gone is removed, unless it holds changes") {
  for (const std::string& marker : {std::string(), std::string("vfs workspace 1\nstate /\n")}) {
    for (const bool changed : {false, true}) {
      Bed bed(Base::snapshot, fill_small);
      const std::string state = bed.workspace().state();
      REQUIRE(mirror_directory(bed.core(), as_path("dir/sub"), Mirror::to_open) == 0);
      if (changed) REQUIRE(bed.tree().write("dir/draft", "the only copy") == 0);
      fs::remove(bed.root / ".vfs");
      if (!marker.empty()) write_file(bed.root / ".vfs", marker);
      const Checked young = check(bed.store, Repair::yes);
      REQUIRE(young.findings.list().size() == 1);
      CHECK_THAT(lines_of(young)[0], Catch::Contains("belongs to no workspace") && Catch::Contains("stays for now"));
      CHECK(young.findings.left() == 0);  // it may be in the making
      const Checked old = check(bed.store, Repair::yes, kLater);
      REQUIRE(old.findings.list().size() == 1);
      CHECK(fs::exists(state) == changed);
      CHECK(old.findings.left() == (changed ? 1 : 0));
      if (!changed) continue;
      CHECK_THAT(lines_of(old)[0], Catch::Contains("it holds changes") && Catch::Contains("--remove-orphans"));
      CHECK(read_file(fs::path(state) / "upper/dir/draft") == "the only copy");
      CHECK(check(bed.store, Repair::yes, kLater, true).findings.left() == 0);
      CHECK_FALSE(fs::exists(state));
      CHECK(fs::is_empty(bed.store.temporary()));
    }
  }
}

TEST_CASE("the state of a workspace whose marker cannot be told stays") {
  Bed bed(Base::snapshot, fill_small);
  const fs::path state = bed.workspace().state();
  const fs::path marker = bed.root / ".vfs";
  const std::string sound = read_file(marker);
  write_file(marker, "nonsense");
  expect(bed.store, "is damaged", Outcome::left, kLater);
  // The whole store was moved: the marker names where the state was.
  write_file(marker, "vfs workspace 1\nstate /gone/workspaces/" + state.filename().string() + "\n");
  expect(bed.store, "names another place", Outcome::left, kLater);
  // Another way to the same directory.
  fs::create_symlink(bed.store.path(), bed.scratch / "link");
  write_file(marker, "vfs workspace 1\nstate " + (bed.scratch / "link/workspaces").string() + "/" +
                         state.filename().string() + "\n");
  CHECK(lines_of(check(bed.store, Repair::yes, kLater)) == Lines{});
  CHECK(fs::exists(state));
}

TEST_CASE("a workspace that was moved is found beside where it was") {
  Bed bed(Base::snapshot, fill_small);
  const std::string state = bed.workspace().state();
  const auto moved_to = [&](const fs::path& root) {
    expect(bed.store, "its root was moved to " + root.string(), Outcome::repaired, kLater);
    CHECK(fs::read_symlink(fs::path(state) / "root") == root);
  };
  fs::create_directories(bed.scratch / "above/between");
  fs::rename(bed.root, bed.scratch / "other");
  moved_to(bed.scratch / "other");
  fs::rename(bed.scratch / "other", bed.scratch / "above/between/root");
  fs::remove(fs::path(state) / "root");
  fs::create_directory_symlink(bed.scratch / "above/between/root", fs::path(state) / "root");
  fs::rename(bed.scratch / "above", bed.scratch / "beyond");
  moved_to(bed.scratch / "beyond/between/root");
  fs::create_directory(bed.scratch / "beyond/between/new");
  fs::rename(bed.scratch / "beyond/between/root", bed.scratch / "beyond/between/named");
  fs::create_directory(bed.scratch / "beyond/between/root");
  moved_to(bed.scratch / "beyond/between/named");
}

TEST_CASE("the state of a workspace in which a process stands stays") {
  Bed bed(Base::snapshot, fill_small);
  const std::string state = bed.workspace().state();
  CHECK_FALSE(who_runs_in(state));
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::chdir((state + "/upper").c_str()) != 0 || ::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char got;
  REQUIRE(::read(ready[0], &got, 1) == 1);
  fs::remove(bed.root / ".vfs");
  const Checked checked = check(bed.store, Repair::yes, kLater);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int fd : ready) ::close(fd);
  REQUIRE(checked.findings.list().size() == 1);
  CHECK_THAT(lines_of(checked)[0], Catch::Contains("process " + std::to_string(child)));
  CHECK(fs::exists(state));
}

TEST_CASE("a finding is one line, whatever the names in it") {
  Finding finding;
  finding.what = "object";
  finding.where = "a\nb";
  finding.why = "missing";
  finding.serves = {"c\nd"};
  CHECK(line_of(finding) == "object a\\nb: missing");
  CHECK(text_of(finding) == "object a\\nb: missing\n  serves c\\nd");
}
