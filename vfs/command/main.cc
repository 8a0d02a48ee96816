// vfs: the command. Exit status 0 success, 1 failure, 2 usage.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <filesystem>
#include <new>

#include "vfs/command/commands.h"
#include "vfs/io/interrupt.h"

namespace vfs {

void add_json_flag(CLI::App& command, Context& context) {
  command.add_flag("--json", context.json, "print JSON for scripts");
}

void print_json(const std::string& text) { fmt::print("{}\n", text); }

namespace {

void add_commands(CLI::App& app, Context& context, std::string_view wanted) {
  Commands commands(app, wanted);
  add_all_commands(commands, context);
}

int run(int argc, char** argv) {
  // What `vfs call` calls is meant for the shim, as any program's calls are.
  const bool through_the_shim = argc > 1 && strcmp(argv[1], "call") == 0;
  Context context = through_the_shim ? Context() : Context::start();
  CLI::App app("A copy-on-write virtual file system for unmodified programs.\n"
               "Store: $VFS_STORE, else $XDG_DATA_HOME/vfs, else ~/.local/share/vfs.",
               "vfs");
  app.footer("VFS_STORE_SHARED=1 accepts a store that others own or may write to, who can then change\n"
             "what your programs read and run.\n"
             "With --json, bytes of names that are not UTF-8 are written as \\xNN.\n"
             "Exit status: 0, 1 (failure) or 2 (usage).");
  app.set_version_flag("--version", VFS_VERSION);
  app.require_subcommand(1);
  if (argc > 1) add_commands(app, context, argv[1]);
  // Help, or a name that is none: what there is has to be known.
  if (app.get_subcommands({}).empty()) add_commands(app, context, {});
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace
}  // namespace vfs

namespace {

// Not by fmt::print, which throws: where standard error is full as well, the
// exit status still has to tell.
int say(const std::string& what, const std::string& why, const std::string& hint = {}) {
  const auto safe = [](const std::string& text) { return vfs::shown(text, STDERR_FILENO, vfs::Lines::many); };
  std::string text = fmt::format("vfs: {}: {}\n", safe(what), safe(why));
  if (!hint.empty()) text += fmt::format("     {}\n", safe(hint));
  fputs(text.c_str(), stderr);
  return 1;
}

// By the signal, so that a shell that runs a script ends that as well.
int end_by(int signal_number) {
  say("interrupted", "it ended before it was done", "run it again");
  fflush(stdout);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
  return 128 + signal_number;
}

int run_and_explain(int argc, char** argv) {
  try {
    return vfs::run(argc, argv);
  } catch (const vfs::Error& error) {
    return say(error.what_failed, error.why, error.hint);
  } catch (const std::filesystem::filesystem_error& error) {
    return say(error.path1().string(), error.code().message());
  } catch (const std::system_error& error) {
    // What could not be printed is told below.
    return ferror(stdout) != 0 ? 1 : say("system", error.code().message());
  } catch (const std::bad_alloc&) {
    return say("memory", "there is not enough of it", "end other programs, or raise the limit (`ulimit -v`)");
  } catch (const vfs::io::Interrupted& interrupted) {
    return end_by(interrupted.number);
  } catch (const std::exception& error) {
    return say("unexpected", error.what(), "please report this, with the command that caused it");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int result = run_and_explain(argc, argv);
  errno = 0;
  const bool flushed = fflush(stdout) == 0;
  if (flushed && ferror(stdout) == 0) return result;
  // An earlier write failed, and its errno is gone: try to learn it again.
  if (errno == 0 && fputc('\n', stdout) != EOF) fflush(stdout);
  return say("standard output", errno != 0 ? strerrordesc_np(errno) : "not everything was written");
}
