// Performs file operations by plain libc calls and prints a line for each. Knows of no shim: it is
// one of the unmodified programs that the shim is for.
//
//   executor < operations     each line: the number of a worker process, an operation, its words
//   executor WORKERS          how many processes; they take turns, so that the order is fixed
//
// DIFFERENTIAL_HOLD in the environment: see Worker::hold.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>

#include "call.h"

namespace differential {
namespace {

constexpr int first_pipe = 200;  // out of the way: the operations see 3, 4, 5 ...
constexpr unsigned most_seconds = 60;

int moved_up(int fd) {
  const int high = fcntl(fd, F_DUPFD, first_pipe);
  close(fd);
  return high;
}

bool send_line(int fd, std::string text) {
  text += '\n';
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = write(fd, text.data() + done, text.size() - done);
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  return true;
}

// Nothing is read ahead: at most one line is under way in each direction.
bool receive_line(int fd, std::string& line) {
  line.clear();
  char buffer[4096];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count <= 0) return false;
    line.append(buffer, static_cast<size_t>(count));
    if (line.back() == '\n') break;
  }
  line.pop_back();
  return true;
}

std::vector<std::string> split(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

[[noreturn]] void work(Worker& worker) {
  Operations operations;
  add_descriptor_operations(operations);
  add_open_operations(operations);
  add_name_operations(operations);
  add_attribute_operations(operations);
  add_look_operations(operations);
  add_process_operations(operations);
  for (std::string line; receive_line(worker.from_parent, line);) {
    alarm(most_seconds);
    const std::vector<std::string> words = split(line);
    Call call(worker, words);
    const auto found = operations.find(call.word());
    errno = 0;
    const std::string result =
        found == operations.end() ? "no such operation" : found->second(call);
    if (!send_line(worker.to_parent, result)) break;
  }
  _exit(0);
}

struct Line {
  int to_worker;
  int from_worker;
};

Line start_worker(Worker worker, const std::vector<Line>& others) {
  int down[2];
  int up[2];
  if (pipe(down) != 0 || pipe(up) != 0) _exit(3);
  const Line line{moved_up(down[1]), moved_up(up[0])};
  worker.from_parent = moved_up(down[0]);
  worker.to_parent = moved_up(up[1]);
  if (fork() == 0) {
    for (const Line& other : others) {
      close(other.to_worker);
      close(other.from_worker);
    }
    close(line.to_worker);
    close(line.from_worker);
    work(worker);
  }
  close(worker.from_parent);
  close(worker.to_parent);
  return line;
}

int run(Worker& worker, size_t count) {
  std::vector<Line> lines;
  for (size_t i = 0; i < count; ++i) lines.push_back(start_worker(worker, lines));
  for (std::string line; std::getline(std::cin, line);) {
    char* rest = nullptr;
    const size_t index = std::strtoul(line.c_str(), &rest, 10) % count;
    std::string result;
    if (!send_line(lines[index].to_worker, rest) ||
        !receive_line(lines[index].from_worker, result)) {
      result = "the process died";
    }
    std::cout << result << std::endl;
  }
  for (const Line& line : lines) close(line.to_worker);
  while (wait(nullptr) > 0) {
  }
  return 0;
}

// exec hands over: --resume FROM TO ROOT, then number and state of each slot.
[[noreturn]] void resume(Worker& worker, char** words) {
  worker.from_parent = std::atoi(words[0]);
  worker.to_parent = std::atoi(words[1]);
  worker.root = words[2];
  for (size_t i = 0; i < worker.slots.size(); ++i) {
    worker.slots[i] = std::atoi(words[3 + 2 * i]);
    worker.open[i] = fcntl(worker.slots[i], F_GETFD) >= 0 && words[4 + 2 * i][0] == '1';
  }
  if (!send_line(worker.to_parent, "0")) _exit(0);
  work(worker);
}

}  // namespace
}  // namespace differential

int main(int count, char** words) {
  signal(SIGPIPE, SIG_IGN);
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  differential::Worker worker;
  worker.program = words[0];
  worker.hold = std::getenv("DIFFERENTIAL_HOLD") != nullptr;
  worker.slots.fill(-1);
  constexpr int resumed_words = 5 + 2 * 8;
  if (count == resumed_words && std::strcmp(words[1], "--resume") == 0) {
    differential::resume(worker, words + 2);
  }
  char root[4096];
  if (getcwd(root, sizeof(root)) == nullptr) return 3;
  worker.root = root;
  return differential::run(worker, count > 1 ? std::strtoul(words[1], nullptr, 10) : 1);
}
