// Collecting what nothing needs, and restoring what is damaged.
#include <thread>

#include "tests/unit/workspace_fixture.h"
#include "vfs/command/commit.h"

using namespace vfs;
using namespace vfs::test;

namespace {

constexpr char kContent[] = "content of file\n";  // of "file" in fill_small

enum class Damage { flipped, truncated, deleted };

void damage(const fs::path& object, Damage how) {
  const std::string bytes = read_file(object);
  std::string other = bytes;
  other[3] ^= 1;
  if (how == Damage::truncated) other = bytes.substr(0, 5);
  fs::remove(object);
  if (how == Damage::deleted) return;
  write_file(object, other);
  ::chmod(object.c_str(), 0555);
}

// Every path below a directory, with what lstat says but for access times. SQLite
// writes its shared memory also when it only looks.
std::string everything(const fs::path& top) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(top)) {
    if (entry.path().string().ends_with("-shm")) continue;
    const struct stat status = status_of(entry.path());
    lines.push_back(fmt::format("{} {:o} {} {} {}.{}", entry.path().string(), status.st_mode, status.st_ino,
                                status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string quarantined(const Store& store, const Digest& digest) {
  const fs::path place = store.quarantine() / digest_text(digest);
  return fs::exists(place) ? read_file(place) : "<none>";
}

// What only a killed ingest can leave, and an object that nothing needs.
fs::path add_half_an_object(const Store& store) {
  const Digest digest = ObjectStore(store).put_bytes("nobody needs this").digest;
  const fs::path half = ObjectStore(store).path(digest).parent_path() / ".123.0.456";
  write_file(half, "nobody nee");
  return half;
}

}  // namespace

TEST_CASE("a damaged object goes to the quarantine, and is restored if there is a copy") {
  for (const Damage how : {Damage::flipped, Damage::truncated, Damage::deleted}) {
    for (const bool with_copy : {false, true}) {
      INFO(static_cast<int>(how) << " " << with_copy);
      Bed bed(Base::snapshot, fill_small);
      const ObjectStore objects(bed.store);
      const Digest digest = bed.look("file").digest;
      const fs::path live = bed.scratch / "live";
      if (with_copy) {
        copy_tree(bed.scratch / "native", live);
        make_live_workspace(bed.store, live.string());
      }
      damage(objects.path(digest), how);
      const std::string damaged = how == Damage::deleted ? "<none>" : read_file(objects.path(digest));
      const Verified found = verify_store(bed.store);
      REQUIRE(found.problems.size() == 1);
      CHECK_THAT(found.problems[0], Catch::Contains(digest_text(digest)) && Catch::Contains(":file"));
      CHECK_THAT(found.problems[0], Catch::Contains(how == Damage::deleted ? "missing" : "damaged"));
      CHECK(quarantined(bed.store, digest) == damaged);
      CHECK(found.left == (with_copy ? 0 : 1));
      if (with_copy) {
        CHECK_THAT(found.problems[0], Catch::Contains("repaired") && Catch::Contains("restored from " + (live / "file").string()));
        CHECK(objects.read(digest) == kContent);
        CHECK((status_of(objects.path(digest)).st_mode & 07777) == 0555);
        CHECK(bed.tree().content("file") == kContent);
      } else {
        CHECK_THAT(found.problems[0], Catch::Contains("not repaired") && Catch::Contains("no other copy"));
        CHECK_FALSE(objects.contains(digest));
        CHECK(bed.tree().content("file") == "<EIO>");
        CHECK(bed.tree().write("file", "x", O_APPEND) == -EIO);
        CHECK(verify_store(bed.store).left == 1);
        Manifest manifest(bed.store);
        ingest(bed.store, manifest, bed.scratch / "native", {});
        CHECK(bed.tree().content("file") == kContent);
      }
      CHECK(verify_store(bed.store).problems.empty());
      CHECK(quarantined(bed.store, digest) == damaged);  // never removed
    }
  }
}

TEST_CASE("what is damaged twice is kept twice") {
  Bed bed(Base::snapshot, fill_small);
  const ObjectStore objects(bed.store);
  const Digest digest = bed.look("file").digest;
  Manifest manifest(bed.store);
  for (const Damage how : {Damage::flipped, Damage::truncated}) {
    damage(objects.path(digest), how);
    CHECK(verify_store(bed.store).left == 1);
    ingest(bed.store, manifest, bed.scratch / "native", {});
  }
  CHECK(read_file(bed.store.quarantine() / digest_text(digest)).size() == sizeof(kContent) - 1);
  CHECK(read_file(bed.store.quarantine() / (digest_text(digest) + ".1")).size() == 5);
  CHECK(objects.read(digest) == kContent);
}

TEST_CASE("what stands in the place of an object and is no file is no object") {
  Bed bed(Base::snapshot, fill_small);
  const ObjectStore objects(bed.store);
  const Digest digest = bed.look("file").digest;
  Manifest manifest(bed.store);
  write_file(bed.scratch / "good", kContent);
  for (const int kind : {0, 1, 2}) {
    const fs::path place = objects.path(digest);
    fs::remove(place);
    if (kind == 0) fs::create_symlink(bed.scratch / "good", place);  // the right bytes, but not ours
    if (kind == 1) REQUIRE(::mkfifo(place.c_str(), 0600) == 0);
    if (kind == 2) fs::create_directory(place);
    const Verified found = verify_store(bed.store);
    REQUIRE(found.problems.size() == 1);
    CHECK_THAT(found.problems[0], Catch::Contains("damaged"));
    CHECK_FALSE(fs::exists(fs::symlink_status(place)));
    ingest(bed.store, manifest, bed.scratch / "native", {});
    CHECK(objects.read(digest) == kContent);
  }
  CHECK(read_file(bed.scratch / "good") == kContent);
}

TEST_CASE("a copy may be a draft, a started program, or where it was ingested from") {
  Bed bed(Base::snapshot, fill_small);
  const ObjectStore objects(bed.store);
  const fs::path state = bed.workspace().state();
  // Opened for writing and not written to.
  const Digest file = bed.look("file").digest;
  REQUIRE(bed.tree().write("file", "", O_APPEND) == 0);
  REQUIRE(fs::exists(state / "upper/file"));
  damage(objects.path(file), Damage::flipped);
  const Verified by_draft = verify_store(bed.store);
  REQUIRE(by_draft.problems.size() == 1);
  CHECK_THAT(by_draft.problems[0], Catch::Contains("restored from " + (state / "upper/file").string()));

  const Digest other = bed.look("other").digest;
  fs::create_hard_link(objects.path(other), state / "run/other");
  damage(objects.path(other), Damage::deleted);
  const Verified by_program = verify_store(bed.store);
  REQUIRE(by_program.problems.size() == 1);
  CHECK_THAT(by_program.problems[0], Catch::Contains("restored from " + (state / "run/other").string()));

  Manifest manifest(bed.store);
  IngestOptions options;
  options.message = "ingest " + (bed.scratch / "native").string();
  ingest(bed.store, manifest, bed.scratch / "native", options);
  const Digest inner = bed.look("dir/inner").digest;
  damage(objects.path(inner), Damage::truncated);
  const Verified by_source = verify_store(bed.store);
  REQUIRE(by_source.problems.size() == 1);
  CHECK_THAT(by_source.problems[0], Catch::Contains("restored from " + (bed.scratch / "native/dir/inner").string()));
  for (const Digest& digest : {file, other, inner}) CHECK(objects.verify(digest));
}

TEST_CASE("a file of the same size and other bytes is no copy") {
  Bed bed(Base::snapshot, fill_small);
  const Digest digest = bed.look("file").digest;
  const fs::path live = bed.scratch / "live";
  fs::create_directory(live);
  write_file(live / "file", "content of flie\n");
  make_live_workspace(bed.store, live.string());
  damage(ObjectStore(bed.store).path(digest), Damage::deleted);
  CHECK(verify_store(bed.store).left == 1);
  CHECK_FALSE(ObjectStore(bed.store).contains(digest));
}

TEST_CASE("half-written objects are collected, but not while somebody may be writing them") {
  Bed bed(Base::snapshot, fill_small);
  const fs::path half = add_half_an_object(bed.store);
  const size_t objects = count_files(bed.store.objects());
  const Collected none = collect_garbage(bed.store);
  CHECK(none.leftovers == 0);
  CHECK(none.objects == 0);
  CHECK(count_files(bed.store.objects()) == objects);
  const Collected all = collect_garbage(bed.store, without_grace());
  CHECK(all.leftovers == 1);
  CHECK(all.objects == 1);
  CHECK(all.bytes == 17);
  CHECK_FALSE(fs::exists(half));
  CHECK(count_files(bed.store.objects()) == objects - 2);
  bed.compare("after collecting");
}

TEST_CASE("the grace period is what was asked for") {
  Bed bed(Base::snapshot, fill_small);
  add_half_an_object(bed.store);
  write_file(bed.store.temporary() / "1.2.3", "");
  write_file(fs::path(bed.workspace().state()) / "work/1.2", "");
  Collection collection;
  collection.grace.seconds = 600;
  collection.grace.now += 500;
  CHECK(collect_garbage(bed.store, collection).removed.empty());
  // What is used without the store's lock stays for a minute at least.
  CHECK(collect_garbage(bed.store, without_grace()).leftovers == 1);
  add_half_an_object(bed.store);
  collection.grace.now += 200;
  const Collected old = collect_garbage(bed.store, collection);
  CHECK(old.leftovers == 3);
  CHECK(old.objects == 1);
}

TEST_CASE("a dry run says what would go, and changes nothing") {
  Bed bed(Base::snapshot, fill_small);
  Manifest manifest(bed.store);
  write_file(bed.scratch / "native/only", "only in this one");
  const SnapshotId loose = ingest(bed.store, manifest, bed.scratch / "native", {}).id;
  add_half_an_object(bed.store);
  // The only user of its snapshot.
  write_file(bed.scratch / "native/only", "only in the second");
  const SnapshotId second = ingest(bed.store, manifest, bed.scratch / "native", {}).id;
  make_snapshot_workspace(bed.store, manifest, manifest.snapshot(second), (bed.scratch / "gone").string());
  fs::remove_all(bed.scratch / "gone");

  const std::string before = everything(bed.store.path());
  Collection dry = without_grace();
  dry.dry_run = true;
  const Collected would = collect_garbage(bed.store, dry);
  CHECK(everything(bed.store.path()) == before);
  CHECK(manifest.all_snapshots().size() == 3);
  CHECK(would.snapshots == 2);
  CHECK(would.objects == 3);
  CHECK(would.leftovers == 1);
  CHECK(would.workspaces == 1);
  CHECK(std::count(would.removed.begin(), would.removed.end(), "snapshot " + digest_text(loose)) == 1);
  const Collected did = collect_garbage(bed.store, without_grace());
  CHECK(did.removed == would.removed);
  CHECK(did.bytes == would.bytes);
  CHECK(manifest.all_snapshots().size() == 1);
  CHECK(collect_garbage(bed.store, dry).removed.empty());
  fs::remove(bed.scratch / "native/only");
  bed.compare("after collecting");
}

TEST_CASE("the state of a workspace that is gone is collected, unless it holds changes") {
  for (const bool changed : {false, true}) {
    Bed bed(Base::snapshot, fill_small);
    const std::string state = bed.workspace().state();
    if (changed) REQUIRE(bed.tree().remove_file("file") == 0);
    fs::remove_all(bed.root);
    const Collected young = collect_garbage(bed.store);
    CHECK(young.workspaces == 0);
    REQUIRE(young.kept.size() == 1);
    CHECK_THAT(young.kept[0], Catch::Contains(state) && Catch::Contains("stays for now"));
    const Collected old = collect_garbage(bed.store, without_grace());
    CHECK(old.workspaces == (changed ? 0 : 1));
    CHECK(old.snapshots == (changed ? 0 : 1));
    CHECK(fs::exists(state) == changed);
    if (changed) CHECK_THAT(old.kept.at(0), Catch::Contains("it holds changes"));
  }
}

TEST_CASE("the state of a workspace that was moved stays") {
  Bed bed(Base::snapshot, fill_small);
  const std::string state = bed.workspace().state();
  fs::rename(bed.root, bed.scratch / "elsewhere");
  const Collected collected = collect_garbage(bed.store, without_grace());
  CHECK(collected.workspaces == 0);
  CHECK(collected.snapshots == 0);
  CHECK(fs::exists(state));
}

TEST_CASE("the base of a workspace is needed, also if its head is behind") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.tree().write("file", "second") == 0);
  const SnapshotId second = commit(bed.workspace(), "second").snapshot.id;
  // As a commit leaves it that is killed between the two links.
  bed.workspace().set_head(bed.base_id);
  CHECK(collect_garbage(bed.store, without_grace()).snapshots == 0);
  Manifest manifest(bed.store);
  CHECK(manifest.snapshot(second).message == "second");
  bed.reopen();
  CHECK(bed.tree().content("file") == "second");
}

TEST_CASE("a collection says that it waits") {
  Bed bed(Base::snapshot, fill_small);
  std::optional<StoreLock> storing(std::in_place, bed.store, StoreLock::shared);
  int waited = 0;
  Collection collection;
  collection.waiting = [&] {
    ++waited;
    storing.reset();
  };
  collect_garbage(bed.store, collection);
  CHECK(waited == 1);
  collect_garbage(bed.store, collection);
  CHECK(waited == 1);
}
