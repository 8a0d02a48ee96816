#include <nlohmann/json.hpp>

#include "vfs/command/commands.h"
#include "vfs/command/upkeep.h"

namespace vfs {
namespace {

void gc(const Context& context, bool now) {
  const Collected removed = collect_garbage(Store::open(Store::default_path()), now);
  if (context.json) {
    print_json(nlohmann::json{{"snapshots", removed.snapshots},
                              {"objects", removed.objects},
                              {"bytes", removed.bytes}}.dump());
  } else {
    fmt::print("removed {} snapshots, {} objects, {} bytes\n", removed.snapshots, removed.objects,
               removed.bytes);
  }
}

void verify(const Context& context) {
  const Store store = Store::open(Store::default_path());
  const Verified result = verify_store(store);
  if (context.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const std::string& problem : result.problems) list.push_back(json_text(problem));
    print_json(nlohmann::json{{"objects", result.objects}, {"problems", list}}.dump());
  } else {
    for (const std::string& problem : result.problems) fmt::print("{}\n", problem);
    fmt::print("{} objects, {} problems\n", result.objects, result.problems.size());
  }
  if (!result.problems.empty()) {
    throw Error("store " + store.path().string(),
                fmt::format("{} problems", result.problems.size()),
                "`vfs ingest` the sources of these paths again: that stores them anew;\n"
                "     or put the objects named above back from a copy of the store");
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

void add_store_commands(Commands& commands, Context& context) {
  static bool now = false;
  commands.add("gc", "Drop snapshots that no ref or workspace leads to, and objects nobody needs.",
               [&](CLI::App& command) {
    command.add_flag("--now", now, "also objects stored within the last hour");
    add_json_flag(command, context);
    command.callback([&] { gc(context, now); });
  });

  commands.add("verify", "Read and rehash every object and index.", [&](CLI::App& command) {
    add_json_flag(command, context);
    command.callback([&] { verify(context); });
  });

  commands.add("stats", "Files, bytes, and how much is shared.", [&](CLI::App& command) {
    add_json_flag(command, context);
    command.callback([&] { stats(context); });
  });
}

}  // namespace vfs
