#include <stdlib.h>
#include <unistd.h>

#include "vfs/command/commands.h"
#include "vfs/command/commit.h"
#include "vfs/command/run.h"

namespace vfs {
namespace {

struct RunOptions {
  std::string directory;  // empty: here
  std::vector<std::string> arguments;
  std::string message;
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
    status = run_inside(workspace, directory, options.arguments);
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
    command.add_option("CMD", options.arguments, "the program and its arguments, after --")
        ->required();
    command.callback([&context, commit_option] {
      options.commit = commit_option->count() > 0;
      run(context, options);
    });
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
