#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cas/parallel.h"
#include "manifest/index_writer.h"
#include "vfs/command/commands.h"
#include "vfs/command/state.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// Objects younger than this may belong to a commit that is not recorded yet.
constexpr int64_t kGraceSeconds = 3600;

bool is_young(const fs::path& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0 && ::time(nullptr) - status.st_ctime < kGraceSeconds;
}

void collect_garbage(const Context& context, bool now) {
  const Store store = Store::open(Store::default_path());
  Manifest manifest(store);
  const ObjectStore objects(store);
  uint64_t snapshots = 0;
  std::unordered_set<Digest, DigestHash> live = manifest.collect(all_heads(store), snapshots);
  for (const Digest& digest : all_recorded_digests(store)) live.insert(digest);
  std::vector<Digest> dead;
  objects.for_each([&](const Digest& digest, uint64_t) {
    if (!live.contains(digest) && (now || !is_young(objects.path(digest)))) dead.push_back(digest);
  });
  uint64_t bytes = 0;
  for (const Digest& digest : dead) bytes += objects.remove(digest);
  std::set<std::string> indexes;
  for (const Snapshot& snapshot : manifest.all_snapshots()) {
    indexes.insert(index_path(store, snapshot.id).filename().string());
  }
  for (const auto& entry : fs::directory_iterator(store.indexes())) {
    if (!indexes.contains(entry.path().filename().string())) fs::remove(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(store.temporary())) {
    if (!is_young(entry.path())) fs::remove(entry.path());
  }
  if (context.json) {
    print_json(nlohmann::json{{"snapshots", snapshots}, {"objects", dead.size()}, {"bytes", bytes}}.dump());
  } else {
    fmt::print("removed {} snapshots, {} objects, {} bytes\n", snapshots, dead.size(), bytes);
  }
}

void verify(const Context& context) {
  const Store store = Store::open(Store::default_path());
  Manifest manifest(store);
  const ObjectStore objects(store);
  std::vector<Digest> all;
  std::unordered_set<Digest, DigestHash> present;
  objects.for_each([&](const Digest& digest, uint64_t) {
    all.push_back(digest);
    present.insert(digest);
  });
  std::vector<char> good(all.size());
  in_parallel(all.size(), [&](size_t i) { good[i] = objects.verify(all[i]); });
  std::vector<std::string> problems;
  const auto report = [&](const Digest& digest, const char* what) {
    std::string line = fmt::format("object {}: {}", digest_text(digest), what);
    for (const std::string& path : manifest.paths_of(digest)) line += "\n  serves " + path;
    problems.push_back(line);
  };
  for (size_t i = 0; i < all.size(); ++i) {
    if (!good[i]) report(all[i], "damaged");
  }
  manifest.for_each_digest([&](const Digest& digest, uint64_t) {
    if (!present.contains(digest)) report(digest, "missing");
  });
  for (const Snapshot& snapshot : manifest.all_snapshots()) {
    const fs::path path = index_path(store, snapshot.id);
    if (!fs::exists(path)) continue;
    if (const std::string what = check_index(path); !what.empty()) {
      problems.push_back(fmt::format("index {}: {}", path.string(), what));
    }
  }
  if (context.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const std::string& problem : problems) list.push_back(json_text(problem));
    print_json(nlohmann::json{{"objects", all.size()}, {"problems", list}}.dump());
  } else {
    for (const std::string& problem : problems) fmt::print("{}\n", problem);
    fmt::print("{} objects, {} problems\n", all.size(), problems.size());
  }
  if (!problems.empty()) {
    throw Error("store " + store.path().string(), fmt::format("{} problems", problems.size()),
                "restore the objects named above from a copy, or ingest their sources again");
  }
}

void stats(const Context& context) {
  const Store store = Store::open(Store::default_path());
  Manifest manifest(store);
  const ObjectStore objects(store);
  uint64_t count = 0;
  uint64_t stored = 0;
  objects.for_each([&](const Digest&, uint64_t size) {
    ++count;
    stored += size;
  });
  uint64_t files = 0;
  uint64_t bytes = 0;
  const std::vector<Snapshot> snapshots = manifest.all_snapshots();
  for (const Snapshot& snapshot : snapshots) {
    files += snapshot.files;
    bytes += snapshot.bytes;
  }
  const double ratio = stored > 0 ? static_cast<double>(bytes) / static_cast<double>(stored) : 1.0;
  if (context.json) {
    print_json(nlohmann::json{{"store", json_text(store.path().string())}, {"snapshots", snapshots.size()},
                              {"files", files}, {"bytes", bytes}, {"objects", count},
                              {"stored_bytes", stored}, {"dedup_ratio", ratio}}.dump());
    return;
  }
  fmt::print("store      {}\nsnapshots  {} with {} files, {} bytes\nobjects    {} with {} bytes\n"
             "dedup      {:.2f}\n",
             store.path().string(), snapshots.size(), files, bytes, count, stored, ratio);
}

}  // namespace

void add_store_commands(CLI::App& app, Context& context) {
  static bool now = false;
  CLI::App* gc_command = app.add_subcommand(
      "gc", "Drop snapshots that no ref or workspace leads to, and objects nobody needs.");
  gc_command->add_flag("--now", now, "also objects stored within the last hour");
  add_json_flag(*gc_command, context);
  gc_command->callback([&] { collect_garbage(context, now); });

  CLI::App* verify_command = app.add_subcommand("verify", "Read and rehash every object and index.");
  add_json_flag(*verify_command, context);
  verify_command->callback([&] { verify(context); });

  CLI::App* stats_command = app.add_subcommand("stats", "Files, bytes, and how much is shared.");
  add_json_flag(*stats_command, context);
  stats_command->callback([&] { stats(context); });
}

}  // namespace vfs
