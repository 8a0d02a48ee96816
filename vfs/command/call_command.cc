#include <fcntl.h>
#include <unistd.h>

#include "vfs/call/libraries.h"
#include "vfs/call/runner.h"
#include "vfs/command/commands.h"

namespace vfs {
namespace {

struct CallOptions {
  std::vector<std::string> libraries;
  std::vector<std::string> words;
  std::string file;
  uint64_t repeat = 0;
  bool explain = false;
  call::Knowledge::Options knowledge;
  call::Rules rules;
};

// A file, or standard input for "-".
std::string read_script(const std::string& path) {
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw system_error(path, errno);
  std::string text;
  char buffer[64 * 1024];
  constexpr size_t kLargest = size_t(16) << 20;
  ssize_t count;
  while ((count = ::read(fd, buffer, sizeof(buffer))) > 0 && text.size() <= kLargest) {
    text.append(buffer, static_cast<size_t>(count));
  }
  const int error = count < 0 ? errno : 0;
  if (fd != STDIN_FILENO) ::close(fd);
  if (error != 0) throw system_error(path, error);
  if (text.size() > kLargest) throw Error(path, "is larger than 16 MiB: is it a script?");
  return text;
}

int explain(call::Knowledge& knowledge, const CallOptions& options) {
  for (const std::string& name : options.words) fmt::print("{}", call::explain(knowledge, name, options.rules.json));
  return 0;
}

int obey(const CallOptions& options) {
  for (const std::string& library : options.libraries) call::load_library(library);
  call::Knowledge knowledge(options.knowledge);
  if (options.explain) return explain(knowledge, options);
  const std::vector<call::Call> calls =
      options.file.empty() ? call::parse_words(options.words) : call::parse_text(read_script(options.file));
  if (calls.empty()) throw call::ScriptError("the script calls nothing");
  call::Runner runner(knowledge, options.rules);
  const std::vector<call::Step> steps = runner.check(calls);
  const bool well = options.repeat == 0 ? runner.run(steps) : runner.repeat(steps, options.repeat);
  return well ? 0 : 1;
}

void call_functions(CallOptions& options, const Context& context, const CLI::App& command) {
  options.words = command.remaining();
  options.rules.json = context.json;
  if (options.words.empty() == options.file.empty()) {
    throw CLI::ValidationError("call", options.file.empty() ? "a function is missing: vfs call strlen \"hello\""
                                                            : "either a script in a file, or words of one");
  }
  int status = 1;
  try {
    status = obey(options);
  } catch (const call::ScriptError& error) {
    throw CLI::ValidationError("call", error.what());
  }
  if (status != 0) exit(status);  // what failed has been said
}

const char* const kHelp =
    "A script: [!|!ERRNO] [NAME=]FUNCTION ARGUMENT... [: ...]   NAME= keeps the result, ! expects a failure.\n"
    "Arguments: numbers, constants (O_RDWR|O_CREAT), text, \"C text\\n\", NULL, @NAME, @NAME.FIELD, &FUNCTION,\n"
    "           @NAME:4096 (a buffer), @NAME:stat, {F_WRLCK,SEEK_SET,0,0}, flock{l_type=F_WRLCK}, {{1,2},{3,4}}\n"
    "Between calls: print @NAME [BYTES], hex @NAME [BYTES], set @NAME.FIELD VALUE\n"
    "Exit status: 0; 1 if a call fails (unless ! says so) or crashes; 2 if the script is wrong, and nothing was called.";

}  // namespace

void add_call_commands(Commands& commands, Context& context) {
  static CallOptions options;
  commands.add("call", "Call C functions by name, as their headers declare them.", [&](CLI::App& command) {
    const auto list = [&](const char* name, std::vector<std::string>& to, const char* purpose) {
      return command.add_option(name, to, purpose)->allow_extra_args(false);
    };
    list("-l", options.libraries, "also look in this library: libm, libz.so.1, a path");
    list("--header", options.knowledge.headers, "also read this header");
    list("-I", options.knowledge.directories, "look for headers here");
    list("--allow", options.rules.allowed, "call nothing but these: names or patterns, separated by commas")
        ->delimiter(',');
    list("--deny", options.rules.denied, "never call these")->delimiter(',');
    command.add_option("-f,--file", options.file, "read the script from a file, or - for standard input");
    command.add_option("--repeat", options.repeat, "call the last function N times, and time it")
        ->check(CLI::Range(uint64_t(1), uint64_t(1'000'000'000'000)));
    command.add_flag("--explain", options.explain, "say what FUNCTION... are, and call nothing");
    command.add_flag("--built-in", options.knowledge.builtin_only, "ask neither headers nor cache");
    command.add_flag("-k,--keep-going", options.rules.keep_going, "go on behind a call that failed");
    add_json_flag(command, context);
    // All from the first word of the script on is the script, also what looks like an option.
    command.prefix_command();
    command.footer(kHelp);
    command.callback([&context, &command] { call_functions(options, context, command); });
  });
}

}  // namespace vfs
