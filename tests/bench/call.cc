// What `vfs call` takes for itself to learn a signature, within one process.
//
//   call PRINTED DIRECTORY ROUNDS   PRINTED: what vfs-headers printed. In DIRECTORY, which is empty, a cache is made.
//
// Lines "name nanoseconds...", a figure a round: "keep" (sorts it, asks for the state of its files, writes the cache)
// and "cached" (from nothing to the signature of open: reads the cache, asks whether it is fresh, looks it up).
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "vfs/call/fact_file.h"
#include "vfs/call/knowledge.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const char* what) {
  fprintf(stderr, "call: %s\n", what);
  exit(1);
}

template <typename Work>
void measure(const char* name, int rounds, const Work& work) {
  printf("%s", name);
  for (int round = 0; round <= rounds; ++round) {
    const auto start = Clock::now();
    if (!work()) give_up(name);
    const std::chrono::duration<double, std::nano> taken = Clock::now() - start;
    if (round > 0) printf(" %.0f", taken.count());  // the first warms up
  }
  printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc == 4 ? atoi(argv[3]) : 0;
  if (rounds < 1) give_up("usage: call PRINTED DIRECTORY ROUNDS");
  std::ifstream file(argv[1]);
  const std::string printed((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  setenv("XDG_CACHE_HOME", argv[2], 1);
  const std::string path = vfs::call::fact_path();
  measure("keep", rounds, [&] {
    const auto facts = vfs::call::make_facts(printed, time(nullptr));
    if (!facts) return false;
    vfs::call::write_facts(path, "standard", *facts);
    return true;
  });
  measure("cached", rounds, [] {
    vfs::call::Knowledge knowledge({});
    const auto found = knowledge.function("open");
    return found && found->source == "cache";
  });
}
