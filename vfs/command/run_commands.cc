#include <stdlib.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "vfs/command/commands.h"
#include "vfs/command/commit.h"
#include "vfs/command/run.h"
#include "vfs/command/text.h"

namespace vfs {
namespace {

struct RunOptions {
  std::string directory;  // empty: here
  std::vector<std::string> arguments;
  std::string message;
  RunLimits limits;
  bool commit = false;
};

OpenWorkspace workspace_of(const Context& context, const RunOptions& options) {
  if (options.directory.empty()) return OpenWorkspace(context);
  return OpenWorkspace(context, context.absolute(options.directory));
}

void run(const Context& context, const RunOptions& options) {
  const std::string directory = context.absolute(options.directory);
  io::ExitStatus status;
  {
    OpenWorkspace workspace = workspace_of(context, options);
    std::optional<FencedRun> fenced;
    if (options.limits.any()) fenced.emplace(context, workspace, options.limits);
    status = run_inside(workspace, directory, options.arguments, fenced ? &*fenced : nullptr);
    if (fenced) fenced->finish();
    if (options.commit && status.succeeded()) {
      std::string message = options.message;
      if (message.empty() || message == " ") {
        message.clear();
        for (const std::string& argument : options.arguments) {
          message += (message.empty() ? "" : " ") + argument;
        }
      }
      const CommitResult result = commit(workspace, message);
      fmt::print(stderr, "vfs: {} {}\n", result.changed ? "committed" : "nothing to commit at",
                 short_id(result.snapshot.id));
    }
  }
  end_like(status);
}

void add_grant_options(CLI::App& command, RunLimits& limits) {
  command.add_option("--grant", limits.grants, "NAME=PATH[:RIGHTS]: PATH and all below may be touched; "
                     "RIGHTS of rwx (default: r)")->allow_extra_args(false);
  command.add_option("--grants", limits.grant_files, "a file of such lines, as --record writes them")
      ->allow_extra_args(false);
}

// What a command would be granted here; behind a fence, what this one was.
void print_grants(const Context& context, const RunOptions& options) {
  const auto held = held_grants();
  std::vector<NamedGrant> grants;
  if (held && options.limits.grants.empty() && options.limits.grant_files.empty()) {
    grants = *held;
  } else {
    OpenWorkspace workspace(context);
    grants = wanted_grants(context, workspace, options.limits, {});
  }
  nlohmann::json list = nlohmann::json::array();
  for (const NamedGrant& grant : grants) {
    list.push_back({{"name", grant.name}, {"path", json_text(grant.path)}, {"rights", rights_text(grant.rights)}});
    if (!context.json) fmt::print("{:12} {:4} {}\n", grant.name, rights_text(grant.rights), shown(grant.path));
  }
  if (context.json) return print_json(nlohmann::json{{"grants", list}, {"kernel", fence_version()}}.dump());
  if (!held) fmt::print("{:12} {:4} a directory of its own, which goes when the command ends\n", "temporary", "rwx");
}

}  // namespace

void add_run_commands(Commands& commands, Context& context) {
  static RunOptions options;
  commands.add("run", "Run CMD inside the workspace; ends with CMD's exit status or signal.",
               [&](CLI::App& command) {
    command.add_option("-C", options.directory, "workspace, or a directory in it, to run in");
    // A flag, since an option that may have a value would take the "--" behind it.
    // Without a value it gets what stands in braces.
    CLI::Option* commit_option = command.add_flag(
        "--commit{ }", options.message,
        "commit afterwards if CMD succeeds, with --commit=MSG or else CMD as message");
    RunLimits& limits = options.limits;
    add_grant_options(command, limits);
    command.add_flag("--only", limits.only, "nothing but what is granted (see `vfs grants`): the rest is EACCES, "
                                            "also for programs that go past libc");
    command.add_flag("--advisory", limits.advisory, "--only also where the kernel cannot keep it");
    command.add_flag("--no-net", limits.no_network, "no TCP: neither bind nor connect");
    command.add_flag("--strict", limits.strict, "the real root cannot be written, not even past libc");
    command.add_option("--record", limits.record, "write the grants that CMD needs to this file; refuses nothing");
    command.add_option("CMD", options.arguments, "the program and its arguments, after --")
        ->required();
    command.callback([&context, commit_option] {
      options.commit = commit_option->count() > 0;
      run(context, options);
    });
  });

  commands.add("grants", "What `vfs run --only` lets a command touch.", [&](CLI::App& command) {
    add_grant_options(command, options.limits);
    add_json_flag(command, context);
    command.callback([&context] { print_grants(context, options); });
  });

  commands.add("shell", "An interactive shell inside.", [&](CLI::App& command) {
    command.add_option("DIR", options.directory, "where to start (default: here)");
    command.callback([&context] {
      const std::string directory = context.absolute(options.directory);
      io::ExitStatus status;
      {
        OpenWorkspace workspace = workspace_of(context, options);
        status = run_shell(workspace, directory);
      }
      end_like(status);
    });
  });
}

}  // namespace vfs
