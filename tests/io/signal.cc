// Signals as completions.
#include "vfs/io/signal.h"

#include <sys/wait.h>
#include <unistd.h>

#include "cas/error.h"
#include "tests/io/backends.h"
#include "tests/io/support.h"

namespace vfs::io::test {
namespace {

bool is_blocked(int number) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, number) == 1;
}

volatile sig_atomic_t handled = 0;

// A handler that counts, while this exists.
class Counted {
 public:
  explicit Counted(int number) : number_(number) {
    handled = 0;
    before_ = ::signal(number, [](int) { handled = handled + 1; });
  }
  ~Counted() { ::signal(number_, before_); }

 private:
  const int number_;
  sighandler_t before_;
};

}  // namespace

TEST_CASE("a signal is given once, to who waits, and not to its handler") {
  on_both([](Executor& executor) {
    const Counted handler(SIGTERM);
    {
      Signals signals{SIGTERM, SIGWINCH};
      REQUIRE(::raise(SIGTERM) == 0);
      Signal signal = executor.run(signals.next());
      CHECK(signal.error == 0);
      CHECK(signal.number == SIGTERM);
      CHECK(signal.sender == ::getpid());
      CHECK(signal.user == ::getuid());
      CHECK(executor.run(cancelled(signals.next())).error == -ECANCELED);
      REQUIRE(::kill(::getpid(), SIGWINCH) == 0);
      signal = executor.run(signals.next());
      CHECK(signal.number == SIGWINCH);
    }
    CHECK(handled == 0);
    CHECK_FALSE(is_blocked(SIGTERM));
    ::raise(SIGTERM);
    CHECK(handled == 1);
  });
}

TEST_CASE("a signal wakes who waits already, and cancelling loses none") {
  on_both([](Executor& executor) {
    Signals signals{SIGUSR1};
    Signal signal;
    const auto wait = [&]() -> Task<> { signal = co_await signals.next(); };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(wait());
      co_await sleep_for(1'000'000);
      ::kill(::getpid(), SIGUSR1);
    }));
    CHECK(signal.number == SIGUSR1);
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(wait());
      co_await sleep_for(1'000'000);
      ::raise(SIGUSR1);
      group.cancel();
    }));
    // Either it was given, or it still waits.
    if (signal.error == -ECANCELED) signal = executor.run(signals.next());
    CHECK(signal.number == SIGUSR1);
    CHECK(executor.run(cancelled(signals.next())).error == -ECANCELED);
  });
}

TEST_CASE("a signal that came several times is given once, different ones each") {
  on_both([](Executor& executor) {
    Signals signals{SIGUSR1, SIGUSR2};
    for (int i = 0; i < 3; ++i) ::raise(SIGUSR1);
    ::raise(SIGUSR2);
    const int first = executor.run(signals.next()).number;
    const int second = executor.run(signals.next()).number;
    CHECK(first + second == SIGUSR1 + SIGUSR2);
    CHECK(first != second);
    CHECK(executor.run(cancelled(signals.next())).error == -ECANCELED);
  });
}

TEST_CASE("one that is ignored by default is given, with what became of the child") {
  on_both([](Executor& executor) {
    Signals signals{SIGCHLD};
    const pid_t child = ::fork();
    if (child == 0) ::_exit(7);
    REQUIRE(child > 0);
    const Signal signal = executor.run(signals.next());
    CHECK(signal.number == SIGCHLD);
    CHECK(signal.sender == child);
    CHECK(signal.status == 7);
    CHECK(::waitpid(child, nullptr, 0) == child);
  });
}

TEST_CASE("signals stay blocked until the last object is gone, and those that were before") {
  sigset_t mine;
  sigemptyset(&mine);
  sigaddset(&mine, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &mine, nullptr);
  {
    auto first = std::make_unique<Signals>(std::initializer_list<int>{SIGUSR1, SIGUSR2});
    const Signals second{SIGUSR1, SIGUSR1};
    sigset_t children = signal_mask_of_children();
    CHECK(is_blocked(SIGUSR1));
    CHECK(sigismember(&children, SIGUSR1) == 0);
    CHECK(sigismember(&children, SIGUSR2) == 1);
    first.reset();
    children = signal_mask_of_children();
    CHECK(is_blocked(SIGUSR1));
    CHECK(sigismember(&children, SIGUSR1) == 0);
  }
  CHECK_FALSE(is_blocked(SIGUSR1));
  CHECK(is_blocked(SIGUSR2));
  pthread_sigmask(SIG_UNBLOCK, &mine, nullptr);
}

TEST_CASE("what nobody asked for acts when it is unblocked") {
  const Counted handler(SIGUSR1);
  {
    const Signals signals{SIGUSR1};
    ::raise(SIGUSR1);
    CHECK(handled == 0);
  }
  CHECK(handled == 1);
}

TEST_CASE("Ctrl-C is waited for") {
  on_both([](Executor& executor) {
    long result = -1;
    const auto wait = [&]() -> Task<> { result = co_await wait_for_interrupt(); };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(wait());
      co_await sleep_for(1'000'000);
      ::raise(SIGINT);
    }));
    CHECK(result == 0);
    CHECK(executor.run(cancelled(wait_for_interrupt())) == -ECANCELED);
    CHECK_FALSE(is_blocked(SIGINT));
  });
}

TEST_CASE("what is no signal, or cannot be waited for, is an error") {
  for (const int number : {0, -1, 65, 1000, SIGKILL, SIGSTOP}) {
    try {
      const Signals signals{SIGUSR1, number};
      FAIL("no error for " << number);
    } catch (const Error& error) {
      CHECK(error.code == EINVAL);
    }
    CHECK_FALSE(is_blocked(SIGUSR1));
  }
}

}  // namespace vfs::io::test
