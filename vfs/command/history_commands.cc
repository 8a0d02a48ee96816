#include <unistd.h>

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "vfs/command/changes.h"
#include "vfs/command/commands.h"
#include "vfs/command/diff.h"

namespace vfs {
namespace {

nlohmann::json to_json(const Snapshot& snapshot) {
  return {{"id", digest_text(snapshot.id)},
          {"parent", snapshot.parent ? nlohmann::json(digest_text(*snapshot.parent)) : nlohmann::json()},
          {"time_ns", snapshot.time_ns},
          {"message", json_text(snapshot.message)},
          {"files", snapshot.files},
          {"bytes", snapshot.bytes}};
}

void log(const Context& context) {
  OpenWorkspace workspace(context);
  nlohmann::json list = nlohmann::json::array();
  std::unordered_set<SnapshotId, DigestHash> seen;
  for (std::optional<Snapshot> at = workspace.head(); at;) {
    if (!seen.insert(at->id).second) {
      throw Error("snapshot " + digest_text(at->id), "its history leads back to itself", kDamagedHint);
    }
    if (context.json) {
      list.push_back(to_json(*at));
    } else {
      fmt::print("{} {} {} ({} files)\n", short_id(at->id), time_text(at->time_ns / 1'000'000'000),
                 shown(at->message), at->files);
    }
    at = at->parent ? std::optional(workspace.manifest().snapshot(*at->parent)) : std::nullopt;
  }
  if (context.json) print_json(list.dump());
}

void show(const Context& context, const std::string& spec) {
  const Store store = Store::open(Store::default_path());
  Manifest manifest(store);
  const Snapshot snapshot = manifest.resolve(spec);
  std::vector<Change> changes;
  if (snapshot.parent) {
    changes = changes_between(manifest, manifest.snapshot(*snapshot.parent), snapshot);
  }
  if (context.json) {
    nlohmann::json out = to_json(snapshot);
    out["changes"] = nlohmann::json::array();
    for (const Change& change : changes) out["changes"].push_back(change_to_json(change));
    print_json(out.dump());
    return;
  }
  fmt::print("snapshot {}\nparent   {}\ntime     {}\nfiles    {}\nbytes    {}\nmessage  {}\n",
             digest_text(snapshot.id), snapshot.parent ? digest_text(*snapshot.parent) : "none",
             time_text(snapshot.time_ns / 1'000'000'000), snapshot.files, snapshot.bytes,
             shown(snapshot.message, STDOUT_FILENO, Lines::many));
  for (const Change& change : changes) {
    fmt::print("{} {}\n", static_cast<char>(change.kind), shown(change.path));
  }
}

void refs(const Context& context) {
  const Store store = Store::open(Store::default_path());
  Manifest manifest(store);
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [name, id] : manifest.refs()) {
    if (context.json) {
      list.push_back({{"name", json_text(name)}, {"snapshot", digest_text(id)}});
    } else {
      fmt::print("{} {}\n", short_id(id), shown(name));
    }
  }
  if (context.json) print_json(list.dump());
}

}  // namespace

void add_history_commands(Commands& commands, Context& context) {
  static std::string spec;
  commands.add("log", "The snapshots this workspace stands on.", [&](CLI::App& command) {
    add_json_flag(command, context);
    command.callback([&] { log(context); });
  });

  commands.add("show", "One snapshot, and what it changed.", [&](CLI::App& command) {
    command.add_option("ID", spec, "id or ref")->required();
    add_json_flag(command, context);
    command.callback([&] { show(context, spec); });
  });

  commands.add("refs", "The names of snapshots.", [&](CLI::App& command) {
    add_json_flag(command, context);
    command.callback([&] { refs(context); });
  });

  commands.add("rm-ref", "Remove a name; the snapshot stays until gc.", [&](CLI::App& command) {
    command.add_option("NAME", spec, "the name")->required();
    command.callback([&] {
      const Store store = Store::open(Store::default_path());
      Manifest manifest(store);
      if (!manifest.remove_ref(spec)) throw Error(spec, "no such ref", "`vfs refs` lists them");
    });
  });
}

}  // namespace vfs
