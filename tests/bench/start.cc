// How long it takes to start a program and wait for its end, in several ways
// that take turns.
//
//   start ROUNDS  { DIRECTORY [NAME=VALUE...] PROGRAM [ARGUMENT...] , }...
//
// A way ends with an argument ",". What is set is added to the environment,
// which should not have it yet. One line of ROUNDS nanoseconds for each way.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

struct Way {
  const char* directory;
  std::vector<char*> environment;
  std::vector<char*> words;
  std::vector<double> times;
};

double start_once(const Way& way) {
  // Where it starts is not part of what is timed.
  if (::chdir(way.directory) != 0) {
    std::perror(way.directory);
    std::exit(1);
  }
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execve(way.words[0], way.words.data(), way.environment.data());
    ::_exit(127);
  }
  int status = -1;
  const bool ended = child > 0 && ::waitpid(child, &status, 0) == child;
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  if (!ended || status != 0) {
    std::fprintf(stderr, "start: %s in %s failed, status %d\n", way.words[0], way.directory, status);
    std::exit(1);
  }
  return taken.count();
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Way> ways;
  for (int i = 2; i < argc; ++i) {
    Way way{argv[i], {}, {}, {}};
    for (++i; i < argc && std::strcmp(argv[i], ",") != 0; ++i) {
      const bool setting = way.words.empty() && std::strchr(argv[i], '=') != nullptr;
      (setting ? way.environment : way.words).push_back(argv[i]);
    }
    for (char** entry = environ; *entry != nullptr; ++entry) way.environment.push_back(*entry);
    way.environment.push_back(nullptr);
    way.words.push_back(nullptr);
    if (way.words.size() > 1) ways.push_back(way);
  }
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
  if (rounds < 1 || ways.empty()) {
    std::fprintf(stderr, "usage: start ROUNDS { DIRECTORY [NAME=VALUE...] PROGRAM [ARGUMENT...] , }...\n");
    return 2;
  }
  constexpr int kWarm = 10;
  for (int round = -kWarm; round < rounds; ++round) {
    for (size_t turn = 0; turn < ways.size(); ++turn) {
      Way& way = ways[(turn + static_cast<size_t>(round + kWarm)) % ways.size()];
      const double taken = start_once(way);
      if (round >= 0) way.times.push_back(taken);
    }
  }
  for (const Way& way : ways) {
    for (const double time : way.times) std::printf("%.0f ", time);
    std::printf("\n");
  }
}
