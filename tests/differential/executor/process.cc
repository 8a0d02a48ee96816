// What concerns the process: where it is, its umask, and becoming another one.
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "call.h"
#include "result.h"

namespace differential {
namespace {

std::string go(Call& call) {
  const std::string path = call.path();
  errno = 0;
  return outcome(chdir(path.c_str()));
}

std::string go_to_descriptor(Call& call) {
  const int fd = call.descriptor();
  errno = 0;
  return outcome(fchdir(fd));
}

std::string where(Call& call) {
  char buffer[PATH_MAX];
  errno = 0;
  if (getcwd(buffer, sizeof(buffer)) == nullptr) return outcome(-1);
  return shown_path(call.worker, buffer);
}

std::string real_path(Call& call) {
  const std::string path = call.path();
  char buffer[PATH_MAX];
  errno = 0;
  if (realpath(path.c_str(), buffer) == nullptr) return outcome(-1);
  return shown_path(call.worker, buffer);
}

std::string mask(Call& call) {
  const auto mode = static_cast<mode_t>(call.number(8));
  errno = 0;
  return outcome(umask(mode));
}

// The child goes on with everything it inherited; the parent only waits.
std::string fork_over(Call&) {
  errno = 0;
  const pid_t child = fork();
  if (child > 0) {
    waitpid(child, nullptr, 0);
    _exit(0);
  }
  return outcome(child);
}

std::string exec_self(Call& call) {
  Worker& worker = call.worker;
  std::vector<std::string> words = {worker.program, "--resume", std::to_string(worker.from_parent),
                                    std::to_string(worker.to_parent), worker.root};
  for (size_t i = 0; i < worker.slots.size(); ++i) {
    words.push_back(std::to_string(worker.slots[i]));
    words.push_back(worker.open[i] ? "1" : "0");
  }
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  errno = 0;
  return outcome(execv(worker.program.c_str(), pointers.data()));
}

}  // namespace

void add_process_operations(Operations& all) {
  all["chdir"] = go;
  all["fchdir"] = go_to_descriptor;
  all["getcwd"] = where;
  all["realpath"] = real_path;
  all["umask"] = mask;
  all["fork"] = fork_over;
  all["exec"] = exec_self;
}

}  // namespace differential
