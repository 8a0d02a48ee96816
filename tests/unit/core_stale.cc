// What was looked up, and is acted on only after others have changed it: the
// next look-up tells, and nothing of what they did is undone.
#include <thread>

#include "tests/unit/workspace_fixture.h"
#include "vfs/command/commit.h"
#include "vfs/command/lease.h"
#include "vfs/command/tidy.h"

namespace vfs::test {
namespace {

std::string error_of(int result) { return error_name(result); }

}  // namespace

TEST_CASE("a file that was written and committed since is not copied up as it was") {
  Bed bed(Base::snapshot, fill_small);
  const Lookup found = bed.look("file");
  REQUIRE(bed.tree().write("file", "of another") == 0);
  REQUIRE(commit(bed.workspace(), "").changed);
  CHECK(error_of(copy_up(bed.core(), found, Content::keep)) == "ESTALE");
  CHECK(error_of(change_mode(bed.core(), found, 0600)) == "ESTALE");
  CHECK(error_of(bring_up(bed.core(), found)) == "ESTALE");
  CHECK(bed.tree().content("file") == "of another");
}

TEST_CASE("metadata that were changed since are not taken back by a copy-up") {
  Bed bed(Base::snapshot, fill_small);
  const Lookup found = bed.look("file");
  REQUIRE(bed.tree().mode("file", 0604) == 0);
  CHECK(error_of(copy_up(bed.core(), found, Content::keep)) == "ESTALE");
  const struct timespec times[2] = {{1, 0}, {2, 0}};
  CHECK(error_of(change_times(bed.core(), found, times)) == "ESTALE");
  const Lookup record = bed.look("file");
  CHECK(record.source == Source::record);
  CHECK(copy_up(bed.core(), record, Content::keep) == 0);
  CHECK((bed.look("file").status.st_mode & 07777) == 0604);
}

TEST_CASE("a name that was removed since is not moved over another") {
  for (const Base base : {Base::live, Base::snapshot}) {
    for (const unsigned flags : {0u, static_cast<unsigned>(RENAME_EXCHANGE)}) {
      Bed bed(base, fill_small);
      // Once before it was brought up, once behind.
      for (const char* name : {"file", "script"}) {
        const bool draft = strcmp(name, "script") == 0;
        if (draft) {
          REQUIRE(bed.tree().write(name, "draft") == 0);
        }
        const Lookup from = bed.look(name);
        const Lookup to = bed.look("other");
        REQUIRE(bed.tree().remove_file(name) == 0);
        CHECK(rename_entry(bed.core(), from, to, flags) < 0);
        CHECK(bed.tree().content("other") == "another\n");
        CHECK(bed.tree().content(name) == "<ENOENT>");
      }
    }
  }
}

TEST_CASE("a file that was new when it was looked up can be removed after a commit") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.tree().write("new", "new") == 0);
  const Lookup found = bed.look("new");
  REQUIRE(commit(bed.workspace(), "").changed);
  REQUIRE_FALSE(fs::exists(bed.upper("new")));
  CHECK(remove_file(bed.core(), found) == 0);
  CHECK(bed.tree().content("new") == "<ENOENT>");
}

TEST_CASE("who waits for a draft while it is sealed does not write into what has no name") {
  Bed bed(Base::snapshot, fill_small);
  const IgnoreLeaseSignal ignore;
  REQUIRE(bed.tree().write("file", "start ") == 0);
  // As tidying does it.
  const int sealed = ::open(bed.upper("file").c_str(), O_RDONLY);
  REQUIRE(::fcntl(sealed, F_SETLEASE, F_RDLCK) == 0);
  int waited = -1;
  std::thread waiting([&] {
    OpenWorkspace other(bed.context, bed.root.string());
    VirtualTree tree(other.core());
    waited = tree.write("file", "waited ", O_APPEND);
  });
  while (::fcntl(sealed, F_GETLEASE) == F_RDLCK) ::usleep(1000);
  fs::rename(bed.upper("file"), bed.scratch / "aside");
  CHECK(bed.tree().write("file", "beside ", O_APPEND) == 0);
  fs::remove(bed.scratch / "aside");
  ::fcntl(sealed, F_SETLEASE, F_UNLCK);
  waiting.join();
  ::close(sealed);
  CHECK(waited == 0);
  const std::string seen = bed.tree().content("file");
  CHECK_THAT(seen, Catch::Contains("beside "));
  CHECK_THAT(seen, Catch::Contains("waited "));
}

TEST_CASE("who waits to shorten a draft while it is sealed does not shorten what has no name") {
  Bed bed(Base::snapshot, fill_small);
  const IgnoreLeaseSignal ignore;
  REQUIRE(bed.tree().write("file", "a draft") == 0);
  const int sealed = ::open(bed.upper("file").c_str(), O_RDONLY);
  REQUIRE(::fcntl(sealed, F_SETLEASE, F_RDLCK) == 0);
  int waited = -1;
  std::thread waiting([&] {
    OpenWorkspace other(bed.context, bed.root.string());
    waited = VirtualTree(other.core()).truncate("file", 3);
  });
  while (::fcntl(sealed, F_GETLEASE) == F_RDLCK) ::usleep(1000);
  fs::remove(bed.upper("file"));
  ::fcntl(sealed, F_SETLEASE, F_UNLCK);
  waiting.join();
  ::close(sealed);
  CHECK(waited == 0);
  CHECK(bed.look("file").status.st_size == 3);
}

TEST_CASE("a call on a draft that a commit seals meanwhile is told to look again") {
  Bed bed(Base::snapshot, fill_small);
  Workspace& core = bed.core();
  const struct timespec times[2] = {{1, 0}, {2, 0}};
  REQUIRE(bed.tree().write("file", "a draft") == 0);
  REQUIRE(bed.tree().make_link("file", "new-link") == 0);
  const Lookup draft = bed.look("file");
  const Lookup link = bed.look("new-link");
  const Lookup missing = bed.look("twin");
  REQUIRE(commit(bed.workspace(), "").changed);
  REQUIRE_FALSE(fs::exists(bed.upper("file")));
  PathBuffer target;
  CHECK(error_of(change_mode(core, draft, 0600)) == "ESTALE");
  CHECK(error_of(change_owner(core, draft, ::getuid(), ::getgid())) == "ESTALE");
  CHECK(error_of(change_times(core, draft, times)) == "ESTALE");
  CHECK(error_of(change_times(core, link, times)) == "ESTALE");
  CHECK(error_of(truncate_file(core, draft, 3)) == "ESTALE");
  CHECK(error_of(test_access(core, draft, R_OK, true)) == "ESTALE");
  CHECK(error_of(read_link(core, link, target)) == "ESTALE");
  CHECK(error_of(make_hard_link(core, draft, missing)) == "ESTALE");
  CHECK(error_of(rename_entry(core, draft, missing, 0)) == "ESTALE");
  CHECK(bed.tree().content("file") == "a draft");
}

namespace {

// What a commit does with one draft, step by step.
struct OneDraft {
  TreeNode node;
  std::vector<std::unique_ptr<Draft>> drafts;
  OneDraft(const Bed& bed, const std::string& path) {
    drafts.push_back(std::make_unique<Draft>());
    drafts[0]->node = &node;
    drafts[0]->path = path;
    drafts[0]->real = bed.upper(path).string();
    drafts[0]->upper = true;
  }
};

}  // namespace

TEST_CASE("a file whose record became a draft before the tree was looked at is not taken for removed") {
  Bed bed(Base::snapshot, fill_small);
  const IgnoreLeaseSignal ignore;
  REQUIRE(bed.tree().mode("file", 0604) == 0);
  Tidy tidy(bed.workspace());
  REQUIRE(bed.tree().write("file", "a draft") == 0);
  OneDraft one(bed, "file");
  store_drafts(bed.workspace(), one.drafts);
  tidy.announce(one.drafts);
  CHECK(tidy.run(one.drafts) == 0);
  CHECK_FALSE(fs::exists(bed.upper("file")));
  CHECK(bed.look("file").exists());
}

TEST_CASE("a file that has another name than the commit knows stays a draft under both") {
  Bed bed(Base::snapshot, fill_small);
  const IgnoreLeaseSignal ignore;
  REQUIRE(bed.tree().write("new", "new") == 0);
  Tidy tidy(bed.workspace());
  OneDraft one(bed, "new");
  // Made when the tree was looked at, but the file not yet read.
  REQUIRE(bed.tree().hard_link("new", "twin") == 0);
  store_drafts(bed.workspace(), one.drafts);
  tidy.announce(one.drafts);
  CHECK(tidy.run(one.drafts) == 1);
  CHECK(fs::exists(bed.upper("new")));
  CHECK(fs::exists(bed.upper("twin")));
}

}  // namespace vfs::test
