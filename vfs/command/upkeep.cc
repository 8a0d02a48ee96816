#include "vfs/command/upkeep.h"

#include <sys/stat.h>
#include <time.h>

#include <filesystem>
#include <map>
#include <set>
#include <unordered_set>

#include "cas/object_store.h"
#include "cas/parallel.h"
#include "manifest/index_writer.h"
#include "manifest/manifest.h"
#include "vfs/command/state.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kGraceSeconds = 3600;

bool is_young(const fs::path& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0 && ::time(nullptr) - status.st_ctime < kGraceSeconds;
}

void remove_objects(const ObjectStore& objects,
                    const std::unordered_set<Digest, DigestHash>& needed, bool now,
                    Collected& result) {
  std::vector<Digest> dead;
  objects.for_each([&](const Digest& digest, uint64_t) {
    if (!needed.contains(digest) && (now || !is_young(objects.path(digest)))) dead.push_back(digest);
  });
  for (const Digest& digest : dead) result.bytes += objects.remove(digest);
  result.objects = dead.size();
}

// Where the indexes of all snapshots lie, if they exist, and those that they
// are derived from, whose snapshot may be gone.
std::set<fs::path> needed_indexes(const Store& store, Manifest& manifest) {
  std::set<fs::path> needed;
  for (const Snapshot& snapshot : manifest.all_snapshots()) {
    const fs::path path = index_path(store, snapshot.id);
    needed.insert(path);
    if (const auto main = main_of_index(path)) needed.insert(index_path(store, *main));
  }
  return needed;
}

void remove_indexes(const Store& store, Manifest& manifest) {
  const std::set<fs::path> needed = needed_indexes(store, manifest);
  for (const auto& entry : fs::directory_iterator(store.indexes())) {
    if (!needed.contains(entry.path())) fs::remove(entry.path());
  }
}

// Rehashes all objects; what is wrong is forgotten, and told with the paths it
// serves.
class Verification {
 public:
  explicit Verification(const Store& store) : store_(store), objects_(store), manifest_(store) {}

  Verified run() {
    check_objects();
    check_indexes();
    for (const std::string& problem : manifest_.check()) {
      result_.problems.push_back("manifest: " + problem);
    }
    return std::move(result_);
  }

 private:
  void report(const Digest& digest, const char* what) {
    std::string line = fmt::format("object {}: {}", digest_text(digest), what);
    for (const std::string& path : manifest_.paths_of(digest)) line += "\n  serves " + path;
    result_.problems.push_back(line);
    // Else the next ingest would take the file for stored, and not read it.
    manifest_.forget_file(digest);
  }

  void check_objects() {
    std::vector<Digest> all;
    objects_.for_each([&](const Digest& digest, uint64_t) { all.push_back(digest); });
    result_.objects = all.size();
    std::vector<char> good(all.size());
    in_parallel(all.size(), [&](size_t i) { good[i] = objects_.verify(all[i]); });
    for (size_t i = 0; i < all.size(); ++i) {
      if (!good[i]) report(all[i], "damaged");
    }
    const std::unordered_set<Digest, DigestHash> present(all.begin(), all.end());
    std::vector<Digest> missing;
    manifest_.for_each_digest([&](const Digest& digest, uint64_t) {
      if (!present.contains(digest)) missing.push_back(digest);
    });
    for (const Digest& digest : missing) report(digest, "missing");
  }

  // An index is made of what the manifest says: so it can be made again, and
  // in full, which needs no other. What is derived from one that could not be
  // made again finds it missing: so the full ones come first.
  void check_indexes() {
    std::map<fs::path, Snapshot> snapshots;
    for (const Snapshot& snapshot : manifest_.all_snapshots()) {
      snapshots.emplace(index_path(store_, snapshot.id), snapshot);
    }
    const std::set<fs::path> needed = needed_indexes(store_, manifest_);
    std::set<fs::path> derived;
    for (const fs::path& path : needed) {
      if (main_of_index(path)) derived.insert(path);
    }
    for (const SnapshotId& id : all_bases(store_)) bases_.insert(index_path(store_, id));
    for (const bool second : {false, true}) {
      for (const fs::path& path : needed) {
        if (derived.contains(path) != second) continue;
        const auto snapshot = snapshots.find(path);
        check_one_index(path, snapshot != snapshots.end() ? &snapshot->second : nullptr);
      }
    }
  }

  void check_one_index(const fs::path& path, const Snapshot* snapshot) {
    std::string what = "missing";
    if (fs::exists(path)) {
      what = check_index(path);
      if (what.empty()) return;
      fs::remove(path);
    } else if (!bases_.contains(path)) {
      return;
    }
    if (snapshot != nullptr) write_index(store_, manifest_, *snapshot);
    result_.problems.push_back(fmt::format("index {}: {}; it was {}", path.string(), what,
                                           snapshot != nullptr ? "written again" : "removed"));
  }

  const Store& store_;
  const ObjectStore objects_;
  Manifest manifest_;
  Verified result_;
  std::set<fs::path> bases_;
};

}  // namespace

Collected collect_garbage(const Store& store, bool now) {
  const StoreLock lock(store, StoreLock::exclusive);
  Manifest manifest(store);
  Collected result;
  std::unordered_set<Digest, DigestHash> needed =
      manifest.collect(all_heads(store), result.snapshots);
  for (const Digest& digest : all_recorded_digests(store)) needed.insert(digest);
  remove_objects(ObjectStore(store), needed, now, result);
  remove_indexes(store, manifest);
  ObjectStore(store).for_each_unfinished([](const fs::path& path) {
    if (!is_young(path)) fs::remove(path);
  });
  for (const auto& entry : fs::directory_iterator(store.temporary())) {
    if (!is_young(entry.path())) fs::remove_all(entry.path());
  }
  return result;
}

Verified verify_store(const Store& store) {
  // Objects that are collected meanwhile would look as if they were missing.
  const StoreLock lock(store, StoreLock::shared);
  return Verification(store).run();
}

}  // namespace vfs
