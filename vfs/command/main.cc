// vfs: the command. Exit status 0 success, 1 failure, 2 usage.
#include <stdio.h>
#include <time.h>

#include "vfs/command/commands.h"

namespace vfs {

void add_json_flag(CLI::App& command, Context& context) {
  command.add_flag("--json", context.json, "print JSON for scripts");
}

void print_json(const std::string& text) { fmt::print("{}\n", text); }

std::string time_text(int64_t seconds) {
  const time_t time = seconds;
  struct tm parts;
  char text[64];
  gmtime_r(&time, &parts);
  strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::string json_text(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const size_t length = byte < 0x80 ? 1 : byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : byte >> 3 == 30 ? 4 : 0;
    bool valid = length > 0 && i + length <= bytes.size() && byte != 0xc0 && byte != 0xc1;
    for (size_t k = 1; valid && k < length; ++k) {
      valid = (static_cast<unsigned char>(bytes[i + k]) & 0xc0) == 0x80;
    }
    if (valid) {
      text.append(bytes.substr(i, length));
      i += length;
    } else {
      text += fmt::format("\\x{:02x}", byte);
      ++i;
    }
  }
  return text;
}

namespace {

int run(int argc, char** argv) {
  Context context = Context::start();
  CLI::App app("A copy-on-write virtual file system for unmodified programs.\n"
               "Store: $VFS_STORE, else $XDG_DATA_HOME/vfs, else ~/.local/share/vfs.",
               "vfs");
  app.set_version_flag("--version", VFS_VERSION);
  app.require_subcommand(1);
  add_tree_commands(app, context);
  add_run_commands(app, context);
  add_change_commands(app, context);
  add_history_commands(app, context);
  add_view_commands(app, context);
  add_store_commands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace
}  // namespace vfs

int main(int argc, char** argv) {
  try {
    const int result = vfs::run(argc, argv);
    if (fflush(stdout) != 0) throw vfs::system_error("standard output", errno);
    return result;
  } catch (const vfs::Error& error) {
    fflush(stdout);
    fmt::print(stderr, "vfs: {}: {}\n", error.what_failed, error.why);
    if (!error.hint.empty()) fmt::print(stderr, "     {}\n", error.hint);
  } catch (const std::exception& error) {
    fmt::print(stderr, "vfs: unexpected: {}\n", error.what());
  }
  return 1;
}
