#include "vfs/call/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "cas/error.h"

namespace vfs::call {
namespace {

namespace fs = std::filesystem;

// Beside the command in a build directory, or where it was installed.
std::string find_program() {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& path : {here / "call/vfs-headers", fs::path(VFS_HELPER_DIRECTORY) / "vfs-headers",
                               here / "../libexec/vfs/vfs-headers"}) {
    if (!here.empty() && ::access(path.c_str(), X_OK) == 0) return path.string();
  }
  return "";
}

std::string read_all(int fd) {
  std::string text;
  char buffer[64 * 1024];
  ssize_t count;
  while ((count = ::read(fd, buffer, sizeof(buffer))) > 0 || (count < 0 && errno == EINTR)) {
    if (count > 0) text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

// What it printed on standard output; `status` is how it ended.
std::string run(const std::vector<std::string>& words, int& status) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("vfs-headers", errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // What ld.so says of a libclang that is gone is told in our own words.
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  if (error == 0) {
    text = read_all(ends[0]);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  ::close(ends[0]);
  if (error != 0) status = 127 << 8;
  return text;
}

std::string first_error(const std::string& lines) {
  const size_t at = lines.starts_with("error\t") ? 0 : lines.find("\nerror\t");
  if (at == std::string::npos) return "";
  const size_t start = lines.find('\t', at) + 1;
  return lines.substr(start, lines.find('\n', start) - start);
}

}  // namespace

Printed discover(const std::vector<std::string>& headers, const std::vector<std::string>& directories) {
  Printed printed;
  const std::string program = find_program();
  if (program.empty()) {
    printed.excuse = "headers are not read: vfs-headers is not beside the command (it is built where libclang-14-dev is)";
    return printed;
  }
  std::vector<std::string> words = {program};
  for (const std::string& directory : directories) words.insert(words.end(), {"-I", directory});
  words.insert(words.end(), headers.begin(), headers.end());
  int status = 0;
  printed.lines = run(words, status);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return printed;
  if (const std::string why = first_error(printed.lines); !why.empty() && !headers.empty()) {
    throw Error("--header " + headers.back(), why, "-I says where headers lie");
  }
  printed.lines.clear();
  printed.excuse = "headers are not read: " + program + " cannot run (is libclang still installed?)";
  return printed;
}

}  // namespace vfs::call
