// What completions cost.
//
//   completions empty ROUNDS CALLS        lines "name way nanoseconds...": a figure a round, for one operation that
//                                         does nothing, by the executor and by the bare system calls that it takes
//   completions files BACKEND DIRECTORY   all files of DIRECTORY are open at once, each read into a buffer of its own
//                                         and each with an operation under way: "files bytes", where bytes is how much
//                                         memory that took, at most and above what the process had before
//
// In each round the ways take turns, and each round begins with another.
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "vfs/io/fs.h"
#include "vfs/io/group.h"
#include "vfs/io/stream.h"

namespace {

using namespace vfs;
using std::string;

[[noreturn]] void give_up(const char* what) {
  fprintf(stderr, "completions: %s: %s\n", what, strerror(errno));
  exit(1);
}

std::unique_ptr<io::Backend> make_backend(const string& name) {
  std::unique_ptr<io::Backend> backend = name == "uring" ? io::make_uring_backend() : io::make_epoll_backend();
  if (backend == nullptr) give_up(name.c_str());
  return backend;
}

// --- empty -------------------------------------------------------------------------------

// io_uring: one call hands the operation over and waits for its completion.
class BareRing {
 public:
  BareRing() {
    errno = -io_uring_queue_init(8, &ring_, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    if (errno != 0) give_up("io_uring");
  }
  ~BareRing() { io_uring_queue_exit(&ring_); }
  BareRing(const BareRing&) = delete;
  BareRing& operator=(const BareRing&) = delete;

  void once() {
    io_uring_prep_nop(io_uring_get_sqe(&ring_));
    if (io_uring_submit_and_wait(&ring_, 1) < 0) give_up("io_uring_enter");
    struct io_uring_cqe* completion;
    if (io_uring_peek_cqe(&ring_, &completion) != 0) give_up("completion");
    io_uring_cqe_seen(&ring_, completion);
  }

 private:
  struct io_uring ring_ = {};
};

// A thread that answers each write to one descriptor by one to another: what it takes at
// least to have another thread do something.
class BareThread {
 public:
  BareThread() : asked_(::eventfd(0, EFD_CLOEXEC)), done_(::eventfd(0, EFD_CLOEXEC)), thread_([this] { serve(); }) {}
  ~BareThread() {
    ::eventfd_write(asked_.get(), kEnd);
    thread_.join();
  }
  BareThread(const BareThread&) = delete;
  BareThread& operator=(const BareThread&) = delete;

  void once() {
    eventfd_t count;
    if (::eventfd_write(asked_.get(), 1) != 0 || ::eventfd_read(done_.get(), &count) != 0) give_up("eventfd");
  }

 private:
  static constexpr eventfd_t kEnd = 1 << 20;

  void serve() {
    for (eventfd_t count = 0; ::eventfd_read(asked_.get(), &count) == 0 && count < kEnd;) ::eventfd_write(done_.get(), 1);
  }

  Descriptor asked_;
  Descriptor done_;
  std::thread thread_;
};

struct Way {
  string name;
  std::function<void(int)> run;  // so many times
};

void measure(const char* name, const std::vector<Way>& ways, int rounds, int calls) {
  std::vector<std::vector<double>> times(ways.size());
  for (int round = 0; round <= rounds; ++round) {
    for (size_t turn = 0; turn < ways.size(); ++turn) {
      const size_t way = (static_cast<size_t>(round) + turn) % ways.size();
      const auto start = std::chrono::steady_clock::now();
      ways[way].run(calls);
      const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
      if (round > 0) times[way].push_back(taken.count() / calls);
    }
  }
  for (size_t way = 0; way < ways.size(); ++way) {
    printf("%s %s", name, ways[way].name.c_str());
    for (const double time : times[way]) printf(" %.1f", time);
    printf("\n");
  }
}

io::Task<> repeat(io::Operation operation, int calls) {
  for (int i = 0; i < calls; ++i) {
    if (co_await io::Await(operation) < 0) give_up("operation");
  }
}

Way by_executor(io::Executor& executor, const io::Operation& operation) {
  return {executor.backend_name(), [&executor, operation](int calls) { executor.run(repeat(operation, calls)); }};
}

class Nothing final : public io::Work {
 public:
  void run() noexcept override {}
};

void measure_empty(int rounds, int calls) {
  io::Executor uring(make_backend("uring"));
  io::Executor epoll(make_backend("epoll"));

  BareRing ring;
  measure("nothing", {by_executor(uring, {}), {"bare", [&](int count) { while (count-- > 0) ring.once(); }}}, rounds, calls);

  const Descriptor ready(::eventfd(1, EFD_CLOEXEC));
  io::Operation poll;
  poll.kind = io::Operation::Kind::poll;
  poll.fd = ready.get();
  poll.flags = POLLIN;
  const auto bare_poll = [&](int count) {
    for (struct pollfd entry = {ready.get(), POLLIN, 0}; count > 0; --count) {
      if (::poll(&entry, 1, -1) != 1) give_up("poll");
    }
  };
  measure("ready", {by_executor(epoll, poll), {"bare", bare_poll}}, rounds, calls);

  BareThread thread;
  Nothing nothing;
  io::Operation call;
  call.kind = io::Operation::Kind::call;
  call.work = &nothing;
  measure("worker", {by_executor(uring, call), by_executor(epoll, call),
                     {"bare", [&](int count) { while (count-- > 0) thread.once(); }}}, rounds, calls / 10);
}

// --- files -------------------------------------------------------------------------------

constexpr size_t kBuffer = 4096;  // bytes

// "VmHWM" or "VmRSS", bytes.
size_t memory(const string& what) {
  std::ifstream status("/proc/self/status");
  for (string line; std::getline(status, line);) {
    if (line.starts_with(what + ":")) return std::stoul(line.substr(what.size() + 1)) << 10;
  }
  give_up("/proc/self/status");
}

struct Files {
  std::vector<string> paths;
  size_t open = 0;
  size_t most_open = 0;
  Descriptor gate{::eventfd(0, EFD_CLOEXEC)};  // ready as soon as all are open
};

io::Task<> hold(Files& files, const string& path) {
  io::Opened opened = co_await io::open(AT_FDCWD, path, {});
  if (opened.error != 0) give_up(path.c_str());
  const io::Transfer done = co_await opened.file.read_full(io::Buffer(kBuffer), 0);
  if (done.count <= 0) give_up(path.c_str());
  files.most_open = std::max(files.most_open, ++files.open);
  if (files.open == files.paths.size()) ::eventfd_write(files.gate.get(), 1);
  co_await io::wait_until_ready(files.gate.get(), POLLIN);
  --files.open;
}

void measure_files(const string& backend, const char* directory) {
  struct rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) give_up("limit of descriptors");
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Files files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files.paths.push_back(entry.path());
  }
  const size_t before = memory("VmRSS");
  io::Executor executor(make_backend(backend));
  executor.run(io::with_group(files.paths.size(), [&](io::Group& group) -> io::Task<> {
    for (const string& path : files.paths) co_await group.add(hold(files, path));
  }));
  printf("%zu %zu\n", files.most_open, memory("VmHWM") - before);
}

}  // namespace

int main(int argc, char** argv) {
  const string what = argc == 4 ? argv[1] : "";
  if (what == "empty") {
    measure_empty(atoi(argv[2]), atoi(argv[3]));
  } else if (what == "files") {
    measure_files(argv[2], argv[3]);
  } else {
    fprintf(stderr, "usage: completions empty ROUNDS CALLS | completions files BACKEND DIRECTORY\n");
    return 2;
  }
}
