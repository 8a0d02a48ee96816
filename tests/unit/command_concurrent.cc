// Commits and collections while others work.
#include <atomic>
#include <thread>

#include "tests/unit/workspace_fixture.h"
#include "vfs/command/commit.h"

using namespace vfs;
using namespace vfs::test;

TEST_CASE("nothing that is written beside a commit is lost") {
  Bed bed(Base::snapshot, fill_small);
  constexpr int kFiles = 4;
  std::atomic<bool> stop = false;
  std::vector<std::string> expected(kFiles, "start ");
  for (int i = 0; i < kFiles; ++i) REQUIRE(bed.tree().write("w" + std::to_string(i), "start ") == 0);
  std::atomic<int> failed = 0;
  std::thread writer([&] {
    // Another process would have a workspace of its own, too.
    OpenWorkspace other(bed.context, bed.root.string());
    VirtualTree tree(other.core());
    for (int n = 0; !stop; ++n) {
      const int i = n % kFiles;
      const std::string word = std::to_string(n) + " ";
      if (tree.write("w" + std::to_string(i), word, O_APPEND) != 0) {
        ++failed;
      } else {
        expected[static_cast<size_t>(i)] += word;
      }
    }
  });
  int changed = 0;
  for (int round = 0; round < 40; ++round) {
    try {
      changed += commit(bed.workspace(), "beside").changed;
    } catch (const Error& error) {
      // A file that changes all the time is refused; that is no loss.
      CHECK(error.why == "it changes while it is being read");
    }
  }
  stop = true;
  writer.join();
  CHECK(changed > 0);
  CHECK(failed == 0);
  for (int i = 0; i < kFiles; ++i) {
    const std::string seen = bed.tree().content("w" + std::to_string(i));
    CHECK(seen.size() == expected[static_cast<size_t>(i)].size());
    CHECK((seen == expected[static_cast<size_t>(i)]));
  }
}

TEST_CASE("names that are made and removed beside a commit are neither lost nor back") {
  Bed bed(Base::snapshot, fill_small);
  std::atomic<bool> stop = false;
  std::vector<bool> present(8, false);
  std::thread worker([&] {
    OpenWorkspace other(bed.context, bed.root.string());
    VirtualTree tree(other.core());
    for (size_t n = 0; !stop; ++n) {
      const size_t i = n * 5 % present.size();
      const std::string name = "n" + std::to_string(i);
      const int result = present[i] ? tree.remove_file(name) : tree.write(name, name);
      if (result == 0) present[i] = !present[i];
    }
  });
  for (int round = 0; round < 40; ++round) {
    commit(bed.workspace(), "beside");
  }
  stop = true;
  worker.join();
  for (size_t i = 0; i < present.size(); ++i) {
    struct stat status;
    INFO("n" << i);
    const bool seen = bed.tree().status("n" + std::to_string(i), false, status) == 0;
    CHECK(seen == present[i]);
  }
}

TEST_CASE("a write through a mapping that was dirty before the commit is kept") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.tree().write("mapped", std::string(4096, 'a')) == 0);
  const int fd = bed.tree().open("mapped", O_RDWR);
  REQUIRE(fd >= 0);
  CHECK(commit(bed.workspace(), "open").in_use == 1);
  REQUIRE(::pwrite(fd, "b", 1, 0) == 1);
  ::close(fd);
  CHECK(bed.tree().content("mapped").substr(0, 2) == "ba");
  CHECK(commit(bed.workspace(), "closed").changed);
  CHECK(bed.tree().content("mapped").substr(0, 2) == "ba");
}

TEST_CASE("a collection waits for what is being stored") {
  Bed bed(Base::snapshot, fill_small);
  std::atomic<bool> stop = false;
  std::atomic<int> failed = 0;
  std::atomic<int> rounds = 0;
  std::thread collector([&] {
    for (; !stop; ++rounds) {
      try {
        collect_garbage(bed.store, without_grace());
      } catch (const Error&) {
        ++failed;
      }
    }
  });
  for (int round = 0; round < 30; ++round) {
    const std::string text = "round " + std::to_string(round);
    REQUIRE(bed.tree().write("file", text) == 0);
    REQUIRE(bed.tree().write("new" + std::to_string(round % 5), text + " new") == 0);
    const Snapshot snapshot = commit(bed.workspace(), text).snapshot;
    Manifest manifest(bed.store);
    manifest.snapshot(snapshot.id);
    CHECK(bed.tree().content("file") == text);
    // As `vfs ingest --name` does.
    const StoreLock lock(bed.store, StoreLock::shared);
    write_file(bed.scratch / "native/file", text + " ingested");
    manifest.set_ref("latest", ingest(bed.store, manifest, bed.scratch / "native", {}).id);
  }
  stop = true;
  collector.join();
  CHECK(rounds > 0);
  CHECK(failed == 0);
  CHECK(verify_store(bed.store).problems == std::vector<std::string>{});
}
