#include <nlohmann/json.hpp>

#include "vfs/command/changes.h"
#include "vfs/command/commands.h"
#include "vfs/command/commit.h"
#include "vfs/command/diff.h"
#include "vfs/command/base.h"

namespace vfs {
namespace {

void status(const Context& context) {
  OpenWorkspace workspace(context);
  const std::vector<Change> changes = changes_of(workspace);
  if (!context.json) {
    for (const Change& change : changes) {
      const char kind = static_cast<char>(change.kind);
      if (change.kind == ChangeKind::renamed) {
        fmt::print("{} {} -> {}\n", kind, shown(change.old_path), shown(change.path));
      } else {
        fmt::print("{} {}\n", kind, shown(change.path));
      }
    }
    return;
  }
  nlohmann::json list = nlohmann::json::array();
  for (const Change& change : changes) list.push_back(change_to_json(change));
  const std::optional<SnapshotId> head = workspace.head_id();
  print_json(nlohmann::json{
      {"root", json_text(workspace.root())},
      {"base", workspace.core().has_snapshot_base() ? "snapshot" : "live"},
      {"head", head ? nlohmann::json(digest_text(*head)) : nlohmann::json()},
      {"changes", list}}.dump());
}

void diff(const Context& context, const std::string& from, const std::string& to, bool stat) {
  const DiffFormat format = context.json ? DiffFormat::json : stat ? DiffFormat::counts : DiffFormat::text;
  OpenWorkspace workspace(context);
  Manifest& manifest = workspace.manifest();
  if (from.empty()) {
    const auto before = reference_of(workspace);
    const auto after = merged_reference(workspace);
    print_diff(changes_of(workspace), *before, *after, format);
    return;
  }
  // A alone: from A to the last commit.
  const Snapshot a = manifest.resolve(from);
  std::optional<Snapshot> b = to.empty() ? workspace.head() : manifest.resolve(to);
  if (!b) throw Error(workspace.root(), "no commit to compare with", "run `vfs commit` first");
  const auto before = reference_of(workspace.objects(), manifest, a);
  const auto after = reference_of(workspace.objects(), manifest, *b);
  print_diff(changes_between(manifest, a, *b), *before, *after, format);
}

void commit_workspace(const Context& context, const std::string& message) {
  OpenWorkspace workspace(context);
  const CommitResult result = commit(workspace, message);
  if (context.json) {
    print_json(nlohmann::json{{"id", digest_text(result.snapshot.id)},
                              {"changed", result.changed},
                              {"in_use", result.in_use}}.dump());
    return;
  }
  if (!result.changed) {
    fmt::print("nothing to commit, at {}\n", short_id(result.snapshot.id));
    return;
  }
  fmt::print("{} {}\n", short_id(result.snapshot.id), shown(result.snapshot.message));
  if (result.in_use > 0) {
    fmt::print(stderr, "vfs: {} files are open for writing or locked, and stay drafts\n", result.in_use);
  }
}

void switch_to(const Context& context, const std::string& spec, bool force) {
  OpenWorkspace workspace(context);
  const BaseLock one_after_the_other(workspace);
  const StoreLock keeps_snapshot(workspace.store(), StoreLock::shared);
  const Snapshot snapshot = workspace.manifest().resolve(spec);
  if (!changes_of(workspace).empty()) {
    if (!force) {
      throw Error(workspace.root(), "there are changes that a switch would hide",
                  "`vfs commit` or `vfs discard` them, or use --force to drop them");
    }
  }
  switch_base(workspace, snapshot);
  fmt::print("base is now {} {}\n", short_id(snapshot.id), shown(snapshot.message));
}

void restore(const Context& context, OpenWorkspace& workspace, const std::string& path) {
  const PathBuffer below = workspace.below_root(context, path);
  Lookup found;
  workspace.look_up(below, found);
  restore_path(workspace, below);
  if (!found.exists() && !found.whiteout) {
    throw system_error(path, ENOENT, "`vfs status` shows what changed");
  }
}

}  // namespace

void add_change_commands(Commands& commands, Context& context) {
  static std::string first;
  static std::string second;
  static std::vector<std::string> paths;
  static bool flag = false;

  commands.add("status", "What changed against the base: A added, M modified, D deleted, R renamed, T type.",
               [&](CLI::App& command) {
    add_json_flag(command, context);
    command.callback([&] { status(context); });
  });

  commands.add("diff", "Unified diff of the workspace, of snapshot A to the last commit, or of A to B.",
               [&](CLI::App& command) {
    command.add_flag("--stat", flag, "only count lines");
    add_json_flag(command, context);
    command.add_option("A", first, "snapshot");
    command.add_option("B", second, "snapshot");
    command.callback([&] { diff(context, first, second, flag); });
  });

  commands.add("commit", "Make a snapshot of the workspace and move its base there.", [&](CLI::App& command) {
    command.add_option("-m,--message", first, "what this snapshot is");
    add_json_flag(command, context);
    command.callback([&] { commit_workspace(context, first); });
  });

  commands.add("switch", "Move the base to another snapshot.", [&](CLI::App& command) {
    command.add_option("SNAPSHOT", first, "id or ref")->required();
    command.add_flag("--force", flag, "drop changes");
    command.callback([&] { switch_to(context, first, flag); });
  });

  commands.add("restore", "Take paths, with all below them, back to the base.", [&](CLI::App& command) {
    command.add_option("PATH", paths, "paths")->required();
    command.callback([&] {
      OpenWorkspace workspace(context);
      const BaseLock one_after_the_other(workspace);
      for (const std::string& path : paths) restore(context, workspace, path);
    });
  });

  commands.add("discard", "Drop all changes.", [&](CLI::App& command) {
    command.callback([&] {
      OpenWorkspace workspace(context);
      const BaseLock one_after_the_other(workspace);
      drop_upper(workspace);
    });
  });
}

}  // namespace vfs
