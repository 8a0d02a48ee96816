// What a program meets in a tree, an index or a state directory that was damaged
// or made to hurt: an error, in all the cases that once were a crash, an endless
// wait or a way out.
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <map>
#include <set>

#include "tests/unit/workspace_fixture.h"
#include "vfs/command/commit.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/record.h"

namespace vfs::test {
namespace {

// Runs `work` in a child, on a thread whose stack is as small as some programs
// have them. True: it came to its end.
bool survives_on_small_stack(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_t thread;
    const auto run = [](void* argument) -> void* {
      (*static_cast<const std::function<void()>*>(argument))();
      return nullptr;
    };
    pthread_create(&thread, &attributes, run, const_cast<std::function<void()>*>(&work));
    pthread_join(thread, nullptr);
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

void replace_link(const fs::path& path, const std::string& target) {
  fs::remove(path);
  fs::create_symlink(target, path);
}

}  // namespace

TEST_CASE("a path that goes up a thousand times needs no more stack than another") {
  Bed bed(Base::live, fill_small);
  std::string up;
  while (up.size() + 3 < PATH_MAX - 1) up += "/..";
  CHECK(survives_on_small_stack([&] {
    PathBuffer rest;
    enter_workspace(bed.core(), up.c_str(), rest);
    if (enter_workspace(bed.core(), (up.substr(0, 3000) + bed.root.string() + "/dir").c_str(), rest)) {
      ::_exit(strcmp(rest.text, "dir") == 0 ? 0 : 1);
    }
    ::_exit(2);
  }));
}

TEST_CASE("the other names of an inode are found however deep the real tree is") {
  constexpr int kDeep = 400;
  std::string deep;
  for (int i = 0; i < kDeep; ++i) deep += "d/";
  Bed bed(Base::live, [&](const fs::path& top) {
    write_file(top / "name", "x");
    fs::create_directories(top / deep);
    fs::create_hard_link(top / "name", top / deep / "other");
  });
  CHECK(survives_on_small_stack([&] {
    const struct rlimit few = {40, 40};
    ::setrlimit(RLIMIT_NOFILE, &few);
    if (bed.tree().write("name", "changed", O_TRUNC) != 0) ::_exit(1);
    ::_exit(bed.tree().content(deep + "other") == "changed" ? 0 : 2);
  }));
}

TEST_CASE("a directory's record cannot lead out of the base") {
  for (const char* target : {"../outside", "..", "/etc", "dir/../../outside", "dir//sub", "./dir", ""}) {
    Bed bed(Base::live, fill_small);
    fs::create_directory(bed.scratch / "outside");
    write_file(bed.scratch / "outside/secret", "secret");
    REQUIRE(bed.tree().make_directory("shown") == 0);
    PathBuffer record;
    REQUIRE(format_redirect_record(bed.core().control->generation, target, record));
    bed.core().control->filter.announce_subtree(path_hash("shown", 5));
    replace_link(bed.upper("shown") / kDirectoryRecordName, record.text);
    std::vector<std::string> names;
    INFO(target);
    CHECK(bed.tree().names("shown", names) == 0);
    CHECK(names.empty());
    CHECK(bed.tree().content("shown/secret") == "<ENOENT>");
    CHECK(bed.tree().content("shown/passwd") == "<ENOENT>");
  }
}

TEST_CASE("an object record that is not of a regular file is damaged") {
  ObjectRecord object = {};
  for (const mode_t mode : {S_IFDIR | 0755, S_IFLNK | 0777, S_IFCHR | 0600, 0644}) {
    PathBuffer text;
    object.mode = mode;
    REQUIRE(format_object_record(object, text));
    Record record;
    parse_record(text.text, text.length, record);
    CHECK(record.damaged);
    CHECK(record.kind == RecordKind::whiteout);
  }
}

TEST_CASE("a marker that is a FIFO stops nobody") {
  Scratch scratch;
  REQUIRE(::mkfifo((scratch / ".vfs").c_str(), 0600) == 0);
  ::alarm(20);
  auto workspace = std::make_unique<Workspace>();
  WorkspaceFault fault;
  CHECK(workspace->open(scratch.path().c_str(), fault) != 0);
  CHECK(fault == WorkspaceFault::bad_marker);
  Index index;
  CHECK(index.open((scratch / ".vfs").c_str(), "/") == -EUCLEAN);
  ::alarm(0);
}

TEST_CASE("a live base that becomes a snapshot which cannot be opened is an error") {
  Bed bed(Base::live, fill_small);
  REQUIRE(bed.tree().content("file") == "content of file\n");
  bed.core().control->base_kind.store(BaseKind::snapshot);
  bed.core().control->generation.fetch_add(1);
  CHECK(bed.tree().content("file") == "<EIO>");
  CHECK(bed.tree().content("dir/inner") == "<EIO>");
  std::vector<std::string> names;
  CHECK(bed.tree().names("dir", names) < 0);
}

TEST_CASE("a link that was looked up before a commit has its target after it") {
  Bed bed(Base::snapshot, fill_small);
  const Lookup found = bed.look("link");
  REQUIRE(found.source == Source::snapshot);
  // The new base has its names elsewhere.
  for (const char* name : {"a", "aa", "dir/z", "z"}) REQUIRE(bed.tree().write(name, name) == 0);
  REQUIRE(bed.tree().make_link("another/target", "a_link") == 0);
  REQUIRE(commit(bed.workspace(), "").changed);
  PathBuffer target;
  REQUIRE(read_link(bed.core(), found, target) == 0);
  CHECK(std::string(target.text) == "file");
}

TEST_CASE("a directory that was looked up before a commit is listed in full after it") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.tree().make_directory("fresh") == 0);
  REQUIRE(bed.tree().write("fresh/one", "1") == 0);
  REQUIRE(bed.tree().write("fresh/two", "2") == 0);
  REQUIRE(bed.tree().rename("dir", "moved") == 0);
  REQUIRE(bed.tree().write("full/d", "d") == 0);
  const std::map<std::string, std::set<std::string>> wanted = {
      {"fresh", {".", "..", "one", "two"}},
      {"moved", {".", "..", "inner", "sub", "three"}},
      {"full", {".", "..", "a", "b", "c", "d"}}};
  std::vector<Lookup> looked_up;
  for (const auto& [path, names] : wanted) looked_up.push_back(bed.look(path));
  REQUIRE(commit(bed.workspace(), "").changed);
  for (const Lookup& found : looked_up) {
    Listing listing;
    INFO(found.path.text);
    REQUIRE(listing.read(bed.core(), found) == 0);
    std::multiset<std::string> seen;
    for (const struct dirent64* entry = listing.at(0); entry != nullptr;
         entry = listing.at(static_cast<uint32_t>(entry->d_off))) {
      seen.insert(entry->d_name);
    }
    const auto& names = wanted.at(found.path.text);
    CHECK(seen == std::multiset<std::string>(names.begin(), names.end()));
  }
}

TEST_CASE("a place in a listing that a program makes up is the one behind it") {
  Bed bed(Base::snapshot, fill_small);
  Listing listing;
  REQUIRE(listing.read(bed.core(), bed.look("full")) == 0);
  std::set<uint32_t> starts = {listing.size()};
  for (uint32_t at = 0; at < listing.size(); at = static_cast<uint32_t>(listing.at(at)->d_off)) starts.insert(at);
  for (uint64_t offset = 0; offset < listing.size() + 100; ++offset) {
    const auto expected = starts.lower_bound(static_cast<uint32_t>(offset));
    CHECK(listing.entry_behind(offset) == (expected != starts.end() ? *expected : listing.size()));
  }
  CHECK(listing.entry_behind(~0ull) == listing.size());
}

}  // namespace vfs::test
