// Signals that end work: in a process of their own, since they may end that.
#include "vfs/io/interrupt.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>

#include "tests/io/backends.h"
#include "vfs/io/for_each.h"
#include "vfs/io/time.h"

namespace vfs::io::test {
namespace {

// How a child ends that does `body`: its exit status, or minus the signal.
int end_of(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
    ::_exit(body());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Many items that wait long; the tenth sends this process a signal, and the first that is
// cancelled another, if it should.
int interrupted_by(int number, int again = 0) {
  std::atomic<int> begun = 0;
  std::atomic<bool> sent = false;
  const auto one = [&](size_t) -> Task<> {
    if (++begun == 10) ::kill(::getpid(), number);
    const long result = co_await sleep_for(60'000'000'000);
    if (result == -ECANCELED && again != 0 && !sent.exchange(true)) ::kill(::getpid(), again);
  };
  try {
    const Interruptible interruptible;
    for_each(100'000, 8, one);
  } catch (const Interrupted& interrupted) {
    return begun < 1000 && interrupt_event() == -1 ? interrupted.number : 100;
  }
  return 101;
}

}  // namespace

TEST_CASE("a signal cancels what is under way, with either backend, and is told of once") {
  for (const char* backend : {"uring", "epoll"}) {
    if (std::string(backend) == "uring" && make_uring_backend() == nullptr) continue;
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      INFO(backend << ", signal " << number);
      CHECK(end_of([&] {
        ::setenv("VFS_IO", backend, 1);
        return interrupted_by(number);
      }) == number);
    }
  }
}

TEST_CASE("the second signal ends the process") {
  CHECK(end_of([] { return interrupted_by(SIGINT, SIGINT); }) == -SIGINT);
}

TEST_CASE("a signal that is ignored stays so") {
  CHECK(end_of([] {
    ::signal(SIGHUP, SIG_IGN);
    const Interruptible interruptible;
    ::raise(SIGHUP);
    throw_if_interrupted();
    return 7;
  }) == 7);
}

TEST_CASE("a signal that nobody was told of acts behind, and one without an object at once") {
  std::atomic<int> step = 0;
  CHECK(end_of([&] {
    const Interruptible interruptible;
    const auto none = [](size_t) -> Task<> { co_return; };
    for_each(1, 1, none);
    {
      const Interruptible inner;  // does nothing of its own
      ::raise(SIGTERM);
    }
    if (++step == 1) return 0;
    return 8;
  }) == -SIGTERM);
  CHECK(end_of([] {
    { const Interruptible interruptible; }
    ::raise(SIGINT);
    return 9;
  }) == -SIGINT);
}

TEST_CASE("without a signal, and without an object, nothing is thrown") {
  CHECK_NOTHROW(throw_if_interrupted());
  CHECK(interrupt_event() == -1);
  const Interruptible interruptible;
  CHECK(interrupt_event() >= 0);
  CHECK_NOTHROW(throw_if_interrupted());
}

}  // namespace vfs::io::test
