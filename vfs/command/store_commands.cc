#include <functional>
#include <nlohmann/json.hpp>

#include "vfs/command/commands.h"
#include "vfs/command/fsck.h"
#include "vfs/command/upkeep.h"

namespace vfs {
namespace {

// What the flags of the three commands say.
struct Flags {
  bool now = false;
  bool dry_run = false;
  bool repair = false;
  bool remove_orphans = false;
  std::string grace = "1h";
};

Grace grace_of(const Flags& flags) {
  Grace grace;
  grace.seconds = flags.now ? 0 : seconds_of(flags.grace).value_or(Grace::kUsual);
  return grace;
}

std::function<void()> says_that_it_waits(const Store& store) {
  return [path = store.path().string()] {
    fmt::print(stderr, "vfs: {}: waits for other commands to be done with the store\n", path);
  };
}

nlohmann::json json_list(const std::vector<std::string>& lines) {
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& line : lines) list.push_back(json_text(line));
  return list;
}

void gc(const Context& context, const Flags& flags) {
  const Store store = Store::open(Store::default_path());
  const Collected result = collect_garbage(
      store, {.grace = grace_of(flags), .dry_run = flags.dry_run, .waiting = says_that_it_waits(store)});
  if (context.json) {
    print_json(nlohmann::json{{"snapshots", result.snapshots}, {"objects", result.objects},
                              {"bytes", result.bytes}, {"leftovers", result.leftovers},
                              {"workspaces", result.workspaces}, {"dry_run", flags.dry_run},
                              {"removed", json_list(result.removed)}, {"kept", json_list(result.kept)}}.dump());
    return;
  }
  for (const std::string& line : result.kept) fmt::print("kept {}\n", shown(line));
  if (flags.dry_run) {
    for (const std::string& line : result.removed) fmt::print("{}\n", shown(line));
  }
  fmt::print("{} {} snapshots, {} objects, {} bytes, {} leftovers, {} workspaces\n",
             flags.dry_run ? "would remove" : "removed", result.snapshots, result.objects, result.bytes,
             result.leftovers, result.workspaces);
}

void verify(const Context& context) {
  const Store store = Store::open(Store::default_path());
  const Verified result = verify_store(store, says_that_it_waits(store));
  if (context.json) {
    print_json(nlohmann::json{{"objects", result.objects}, {"left", result.left},
                              {"problems", json_list(result.problems)}}.dump());
  } else {
    for (const std::string& problem : result.problems) fmt::print("{}\n", problem);
    fmt::print("{} objects, {} problems\n", result.objects, result.problems.size());
  }
  if (!result.problems.empty()) {
    throw Error("store " + store.path().string(),
                fmt::format("{} problems, {} of them repaired", result.problems.size(),
                            result.problems.size() - result.left),
                result.left == 0 ? "" : "`vfs ingest` the sources of these paths again: that stores them anew;\n"
                                        "     or put the objects named above back from a copy of the store");
  }
}

nlohmann::json json_of(const Finding& finding) {
  constexpr const char* kKinds[] = {"violation", "leftover", "skipped"};
  constexpr const char* kOutcomes[] = {"left", "repairable", "repaired"};
  return {{"kind", kKinds[static_cast<size_t>(finding.kind)]},
          {"what", finding.what}, {"where", json_text(finding.where)}, {"why", json_text(finding.why)},
          {"repair", json_text(finding.repair)}, {"outcome", kOutcomes[static_cast<size_t>(finding.outcome)]},
          {"serves", json_list(finding.serves)}};
}

void fsck(const Context& context, const Flags& flags) {
  const Store store = Store::open(Store::default_path());
  const Checked result = check_all(store, {.repair = Repair{flags.repair},
                                           .workspaces = {grace_of(flags), flags.remove_orphans},
                                           .waiting = says_that_it_waits(store)});
  const size_t left = result.findings.left();
  if (context.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Finding& finding : result.findings.list()) list.push_back(json_of(finding));
    print_json(nlohmann::json{{"objects", result.objects}, {"workspaces", result.workspaces},
                              {"findings", list}, {"left", left}}.dump());
  } else {
    for (const Finding& finding : result.findings.list()) fmt::print("{}\n", text_of(finding));
    fmt::print("{} objects, {} workspaces, {} violations\n", result.objects, result.workspaces, left);
  }
  if (left != 0) {
    throw Error("store " + store.path().string(), fmt::format("{} violations", left),
                flags.repair ? "each line above says what you can do" : "`vfs fsck --repair` does what the lines above say");
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
  static Flags flags;
  const auto add_grace = [](CLI::App& command) {
    command.add_option("--grace", flags.grace, "how long what nothing refers to stays: 90s, 10m, 2h, 7d (default: 1h)")
        ->check([](const std::string& text) {
          return seconds_of(text) ? "" : "not a length of time like 90s, 10m, 2h or 7d: " + text;
        });
  };
  commands.add("gc", "Drop what nothing needs: snapshots, objects, state of workspaces that are gone.",
               [&](CLI::App& command) {
    command.add_flag("--now", flags.now, "also what is younger than the grace period");
    command.add_flag("--dry-run", flags.dry_run, "say what would go, and change nothing");
    add_grace(command);
    add_json_flag(command, context);
    command.callback([&] { gc(context, flags); });
  });

  commands.add("verify", "Read and rehash every object and index; restore what can be.", [&](CLI::App& command) {
    add_json_flag(command, context);
    command.callback([&] { verify(context); });
  });

  commands.add("fsck", "Check all that objects, manifest, indexes and workspaces say of each other.",
               [&](CLI::App& command) {
    command.add_flag("--repair", flags.repair, "repair what can be repaired");
    command.add_flag("--remove-orphans", flags.remove_orphans,
                     "with --repair: also the state of workspaces that are gone and hold changes");
    add_grace(command);
    add_json_flag(command, context);
    command.callback([&] { fsck(context, flags); });
  });

  commands.add("stats", "Files, bytes, and how much is shared.", [&](CLI::App& command) {
    add_json_flag(command, context);
    command.callback([&] { stats(context); });
  });
}

}  // namespace vfs
