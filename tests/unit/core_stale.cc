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

}  // namespace vfs::test
