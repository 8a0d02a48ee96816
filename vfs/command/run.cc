#include "vfs/command/run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "vfs/command/shim_file.h"
#include "vfs/core/open.h"
#include "vfs/io/for_each.h"
#include "vfs/io/signal.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// LD_PRELOAD with the shim in it, once, behind what else is preloaded: see
// compose_preload() of the shim.
std::string preload_with(const std::string& shim) {
  const char* old = getenv("LD_PRELOAD");
  std::string others;
  for (std::string rest = old != nullptr ? old : ""; !rest.empty();) {
    const size_t end = std::min(rest.find_first_of(": "), rest.size());
    const std::string entry = rest.substr(0, end);
    rest.erase(0, std::min(end + 1, rest.size()));
    if (!entry.empty() && fs::path(entry).filename() != "libvfs.so") others += entry + ":";
  }
  return others + shim;
}

void enter_directory(OpenWorkspace& workspace, std::string& directory) {
  directory = workspace.without_links_into(directory);
  PathBuffer below;
  Lookup found;
  PathBuffer real;
  if (!enter_workspace(workspace.core(), directory.c_str(), below)) {
    if (::chdir(directory.c_str()) != 0) throw system_error(directory, errno);
    return;
  }
  const PathBuffer top;
  int result = vfs::look_up(workspace.core(), top, below.text, Follow::yes, found);
  if (result == 0 && !found.exists()) result = -ENOENT;
  if (result == 0 && !found.is_directory()) result = -ENOTDIR;
  if (result == 0) result = real_path(workspace.core(), found, real);
  if (result != 0) throw system_error(directory, -result);
  if (::chdir(real.text) != 0) throw system_error(directory, errno);
}

}  // namespace

namespace {

// The terminal's signals go to the child as well, and it decides. Those that somebody
// sent us are meant for it.
io::Task<> pass_signals_on(io::Signals& signals, const io::Child& child) {
  for (;;) {
    io::Task<io::Signal> waiting = signals.next();
    const io::Signal signal = co_await std::move(waiting);
    if (signal.error != 0) co_return;
    if (signal.sender != 0) child.kill(signal.number);
  }
}

io::Task<io::ExitStatus> wait_for_end(io::Child& child, io::Signals& signals) {
  io::ExitStatus status;
  const auto both = [&](io::Group& group) -> io::Task<> {
    co_await group.add(pass_signals_on(signals, child));
    io::Task<io::ExitStatus> waiting = child.wait();
    status = co_await std::move(waiting);
    group.cancel();
  };
  co_await io::with_group(2, both);
  co_return status;
}

// A fence is around one thread, and around what that starts: so it is another one that
// starts the command.
io::Started start_behind(const FencedRun* fenced, io::Command& command) {
  if (fenced == nullptr) return io::start(command);
  command.signal_mask = io::signal_mask_of_children();
  io::Started started;
  std::exception_ptr failure;
  std::jthread([&] {
    try {
      fenced->enter();
      started = io::start(command);
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  return started;
}

}  // namespace

io::ExitStatus run_inside(OpenWorkspace& workspace, std::string directory,
                          const std::vector<std::string>& arguments, const FencedRun* fenced) {
  const std::string preload = preload_with(find_shim());
  enter_directory(workspace, directory);
  setenv("LD_PRELOAD", preload.c_str(), 1);
  setenv("VFS_WORKSPACE", workspace.root().c_str(), 1);
  setenv("PWD", directory.c_str(), 1);
  unsetenv("VFS_DISABLE");
  // Started through env(1), which runs under the shim: so a program that
  // exists only in the tree is found and started like any other.
  io::Command command;
  command.program = "env";
  command.arguments = {"--"};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  io::Signals signals{SIGINT, SIGQUIT, SIGTERM, SIGHUP};
  io::Started started = start_behind(fenced, command);
  if (started.error != 0) throw system_error(arguments[0], static_cast<int>(-started.error));
  const io::ExitStatus status = io::run(wait_for_end(started.child, signals));
  if (status.error != 0) throw system_error(arguments[0], static_cast<int>(-status.error));
  return status;
}

void end_like(const io::ExitStatus& status) {
  if (status.signal != 0) {
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);  // the child has left one if there is to be one
    signal(status.signal, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, status.signal);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    raise(status.signal);
  }
  exit(status.code);
}

io::ExitStatus run_shell(OpenWorkspace& workspace, const std::string& directory) {
  const char* shell = getenv("SHELL");
  const std::string program = shell != nullptr && *shell != '\0' ? shell : "/bin/sh";
  const std::string name = fs::path(workspace.root()).filename().string();
  if (fs::path(program).filename() == "bash") {
    // Set by a file read behind the user's own, so that they do not undo it.
    setenv("VFS_PROMPT", fmt::format("(vfs {}) ", name).c_str(), 1);
    const char* start = "exec bash --rcfile <(cat ~/.bashrc 2>/dev/null; "
                        "echo 'PS1=\"$VFS_PROMPT$PS1\"') -i";
    return run_inside(workspace, directory, {"bash", "-c", start});
  }
  setenv("PS1", fmt::format("(vfs {}) $ ", name).c_str(), 1);
  return run_inside(workspace, directory, {program, "-i"});
}

}  // namespace vfs
