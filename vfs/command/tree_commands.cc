#include <stdio.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "manifest/index_writer.h"
#include "manifest/ingest.h"
#include "vfs/command/changes.h"
#include "vfs/command/commands.h"
#include "vfs/command/equal_snapshot.h"
#include "vfs/command/export.h"
#include "vfs/command/state.h"

namespace vfs {
namespace {

void draw_progress(const IngestProgress& progress) {
  if (progress.files_done % 64 != 0 && progress.files_done != progress.files_total) return;
  constexpr unsigned kWidth = 40;
  const uint64_t total = std::max<uint64_t>(progress.files_total, 1);
  const unsigned filled = static_cast<unsigned>(progress.files_done * kWidth / total);
  fmt::print(stderr, "\r[{:=<{}}{: <{}}] {}/{} files, {} MiB{}", "", filled, "", kWidth - filled,
             progress.files_done, progress.files_total, progress.bytes_done >> 20,
             progress.files_done == progress.files_total ? "\n" : "");
}

// A workspace given as SOURCE means its last commit.
Snapshot source_snapshot(const Context& context, Manifest& manifest, const std::string& source) {
  PathBuffer root;
  const std::string directory = context.absolute(source);
  if (source.find('/') != std::string::npos || source == "." ||
      access((directory + "/.vfs").c_str(), F_OK) == 0) {
    OpenWorkspace other(context, directory);
    if (const std::optional<Snapshot> head = other.head()) return *head;
    throw Error(source, "this workspace has no commit yet", "run `vfs commit` in it first");
  }
  return manifest.resolve(source);
}

void init(const Context& context, const std::string& directory) {
  const Store store = Store::open(Store::default_path());
  // Until the marker is there: a state without one is garbage.
  const StoreLock keeps_state(store, StoreLock::shared);
  make_live_workspace(store, context.absolute(directory));
  if (context.json) {
    print_json(nlohmann::json{{"root", json_text(context.absolute(directory))}}.dump());
  } else {
    fmt::print("workspace {} (base: the directory itself)\n", context.absolute(directory));
  }
}

// The real files of a workspace are not what its user sees.
void refuse_workspace(const Context& context, const std::string& directory) {
  PathBuffer root;
  if (!find_workspace(directory.c_str(), root)) return;
  OpenWorkspace workspace(context, root.text);
  if (workspace.core().has_snapshot_base() || !changes_of(workspace).empty()) {
    throw Error(directory, "a workspace, whose changes are in its layer and not in these files",
                "`vfs commit` makes a snapshot of it");
  }
}

// An export would write into the tree that it reads.
void refuse_inside(OpenWorkspace& workspace, const std::string& directory) {
  PathBuffer rest;
  if (enter_workspace(workspace.core(), directory.c_str(), rest)) {
    throw Error(directory, "inside the workspace", "export to a directory outside of it");
  }
}

constexpr uint64_t kMostNamed = 20;  // of what an ingest leaves out

void ingest_tree(const Context& context, const std::string& directory, const std::string& name, bool durable) {
  refuse_workspace(context, context.absolute(directory));
  const Store store = Store::open(Store::default_path());
  Manifest manifest(store);
  // Until the name is set: nothing else keeps the snapshot.
  const StoreLock keeps_snapshot(store, StoreLock::shared);
  IngestOptions options;
  options.message = "ingest " + context.absolute(directory);
  options.durable = durable;
  if (isatty(STDERR_FILENO)) options.progress = draw_progress;
  options.find_equal = [&](const TreeNode& top) {
    return equal_snapshot(store, manifest, options.message, top);
  };
  uint64_t left_out = 0;
  options.skipped = [&](const std::string& path, const std::string& why) {
    if (++left_out <= kMostNamed) fmt::print(stderr, "vfs: {}: left out: {}\n", shown(path, STDERR_FILENO), why);
  };
  const Snapshot snapshot = ingest(store, manifest, context.absolute(directory), options);
  if (left_out > kMostNamed) {
    fmt::print(stderr, "vfs: {}: {} more were left out\n", directory, left_out - kMostNamed);
  }
  if (!name.empty()) manifest.set_ref(name, snapshot.id);
  // So that clones need not wait for it.
  write_index(store, manifest, snapshot);
  if (context.json) {
    print_json(nlohmann::json{{"id", digest_text(snapshot.id)},
                              {"files", snapshot.files},
                              {"bytes", snapshot.bytes}}
                   .dump());
  } else {
    fmt::print("{}\n", digest_text(snapshot.id));
  }
}

void clone(const Context& context, const std::string& source, const std::string& directory) {
  const Store store = Store::open(Store::default_path());
  Manifest manifest(store);
  const StoreLock keeps_snapshot(store, StoreLock::shared);
  const Snapshot snapshot = source_snapshot(context, manifest, source);
  make_snapshot_workspace(store, manifest, snapshot, context.absolute(directory));
  if (context.json) {
    print_json(nlohmann::json{{"root", json_text(context.absolute(directory))},
                              {"snapshot", digest_text(snapshot.id)}}
                   .dump());
  } else {
    fmt::print("workspace {} over {} ({} files)\n", context.absolute(directory),
               short_id(snapshot.id), snapshot.files);
  }
}

void export_tree(const Context& context, const std::string& directory, const std::string& snapshot) {
  if (snapshot.empty()) {
    OpenWorkspace workspace(context);
    refuse_inside(workspace, context.absolute(directory));
    export_workspace(workspace, context.absolute(directory));
    return;
  }
  const Store store = Store::open(Store::default_path());
  Manifest manifest(store);
  const StoreLock keeps_snapshot(store, StoreLock::shared);
  export_snapshot(ObjectStore(store), manifest, source_snapshot(context, manifest, snapshot),
                  context.absolute(directory));
}

}  // namespace

void add_tree_commands(Commands& commands, Context& context) {
  static std::string directory = ".";
  static std::string source;
  static std::string name;
  static bool durable = false;
  commands.add("init", "Make DIR a workspace over the live directory. Nothing is read or copied.",
               [&](CLI::App& command) {
    command.add_option("DIR", directory, "the directory (default: here)");
    add_json_flag(command, context);
    command.callback([&] { init(context, directory); });
  });

  commands.add("ingest", "Store a tree as a snapshot and print its id.", [&](CLI::App& command) {
    command.add_option("DIR", directory, "the directory to store")->required();
    command.add_option("--name", name, "give the snapshot a name (a ref)");
    command.add_flag("--durable", durable, "wait until it would survive a power failure");
    add_json_flag(command, context);
    command.callback([&] { ingest_tree(context, directory, name, durable); });
  });

  commands.add("clone", "Make DIR a new workspace over a snapshot. Takes no time and no space.",
               [&](CLI::App& command) {
    command.add_option("SOURCE", source, "id, ref, or another workspace (its last commit)")
        ->required();
    command.add_option("DIR", directory, "missing or empty directory")->required();
    add_json_flag(command, context);
    command.callback([&] { clone(context, source, directory); });
  });

  commands.add("export", "Write the merged tree as real files into DIR.", [&](CLI::App& command) {
    command.add_option("DIR", directory, "missing or empty directory")->required();
    command.add_option("--snapshot", source, "write this snapshot instead");
    command.callback([&] { export_tree(context, directory, source); });
  });
}

}  // namespace vfs
