// The command line, read but not obeyed: any arguments give a meaning, help, or
// an error of usage.
#include <sstream>

#include "tests/fuzz/harness.h"
#include "vfs/command/commands.h"

using namespace vfs;
using namespace vfs::fuzz;

namespace vfs {
void add_json_flag(CLI::App& command, Context& context) { command.add_flag("--json", context.json, ""); }
void print_json(const std::string&) { fuzz::require(false, "nothing is obeyed"); }
}  // namespace vfs

namespace {

const char* const kCommands[] = {"init", "ingest", "clone", "run", "shell", "status", "diff", "commit", "log",
                                 "show", "ls", "cat", "stat", "switch", "restore", "discard", "export",
                                 "refs", "rm-ref", "gc", "verify", "fsck", "stats", "call"};

void parse(std::vector<std::string> arguments) {
  Context context;
  context.directory = "/";
  CLI::App app("", "vfs");
  app.require_subcommand(1);
  Commands commands(app, {});
  add_all_commands(commands, context);
  for (CLI::App* command : app.get_subcommands({})) command->callback([] {});
  std::vector<const char*> pointers = {"vfs"};
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  try {
    app.parse(static_cast<int>(pointers.size()), pointers.data());
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream messages;
    app.exit(error, out, messages);
    require(!(out.str() + messages.str()).empty(), "an error of usage says something");
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  std::vector<std::string> seeds = {"--help", "--version", "commit\n-m\nmessage", "run\n-C\ndir\n--\nls\n-l",
                                    "run\n--commit=x\ntrue", "diff\n--stat\na\nb", "clone\nsource\nplace",
                                    "ls\n-lR\npath", "export\nd\n--snapshot\ns", "log\n--json", "call\n-l\nlibm\nsin\n1.0\n:\nclose\n-1"};
  for (const char* command : kCommands) seeds.emplace_back(command);
  write_seeds(seeds);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> arguments;
  std::string_view rest = Input(data, size).rest();
  while (!rest.empty() && arguments.size() < 20) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    arguments.push_back(as_text(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  parse(arguments);
  return 0;
}
