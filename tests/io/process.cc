// Children: how they end, and how that is waited for.
#include <fcntl.h>
#include <sys/resource.h>

#include "tests/io/backends.h"
#include "tests/io/children.h"

namespace vfs::io::test {
TEST_CASE("a child's exit code, or signal, is known, as often as it is asked for") {
  on_both([](Executor& executor) {
    for (const int code : {0, 1, 3, 255}) {
      const ExitStatus status = status_of(executor, shell("exit " + std::to_string(code)));
      CHECK(status.error == 0);
      CHECK(status.code == code);
      CHECK(status.signal == 0);
      CHECK(status.succeeded() == (code == 0));
    }
    Child child = started(shell("kill -USR1 $$"));
    CHECK(child.pidfd() >= 0);
    for (int i = 0; i < 2; ++i) {
      const ExitStatus status = executor.run(child.wait());
      CHECK(status.error == 0);
      CHECK(status.signal == SIGUSR1);
      CHECK_FALSE(status.succeeded());
    }
    CHECK(child.kill(SIGTERM) == -ESRCH);
    check_no_children();
  });
}

TEST_CASE("a megabyte goes through a child and back") {
  on_both([](Executor& executor) {
    Command command;
    command.program = "cat";
    command.input = command.output = Stdio::pipe();
    Child child = started(command);
    const std::string bytes = some_bytes(1 << 20);
    long count = 0;
    std::string arrived;
    const auto write = [&]() -> Task<> {
      co_await write_text(child.input, bytes, count);
      co_await child.input.close();
    };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(write());
      arrived = co_await read_slowly(child.output);
    }));
    CHECK(count == 1 << 20);
    CHECK(arrived == bytes);
    CHECK(executor.run(child.wait()).succeeded());
    check_no_children();
  });
}

TEST_CASE("a hundred children at once, each with its own end") {
  on_both([](Executor& executor) {
    int right = 0;
    const auto one = [&](int number) -> Task<> {
      Command command = shell("read line; exit $line");
      command.input = Stdio::pipe();
      Started result = start(command);
      REQUIRE(result.error == 0);
      long count = 0;
      co_await write_text(result.child.input, std::to_string(number) + "\n", count);
      const ExitStatus status = co_await result.child.wait();
      if (status.error == 0 && status.code == number) ++right;
    };
    executor.run(with_group(100, [&](Group& group) -> Task<> {
      for (int i = 0; i < 100; ++i) co_await group.add(one(i));
    }));
    CHECK(right == 100);
    check_no_children();
  });
}

TEST_CASE("a wait that is cancelled leaves the child to be waited for again") {
  on_both([](Executor& executor) {
    Command command = shell("read line; exit 5");
    command.input = Stdio::pipe();
    Child child = started(command);
    for (int i = 0; i < 2; ++i) CHECK(executor.run(cancelled(child.wait())).error == -ECANCELED);
    CHECK(child.kill(0) == 0);
    CHECK(executor.run(child.input.write(Buffer("go\n"))).count == 3);
    CHECK(executor.run(child.wait()).code == 5);
  });
}

TEST_CASE("a child is told to end, by whoever else runs meanwhile") {
  on_both([](Executor& executor) {
    Child child = started(shell("exec sleep 1000"));
    CHECK(child.kill(9999) == -EINVAL);
    ExitStatus status;
    const auto wait = [&]() -> Task<> { status = co_await child.wait(); };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(wait());
      co_await sleep_for(1'000'000);
      CHECK(child.kill(SIGTERM) == 0);
    }));
    CHECK(status.signal == SIGTERM);
  });
}

TEST_CASE("a child without an owner is gone") {
  on_both([](Executor& executor) {
    pid_t pid = 0;
    {
      Child child = started(shell("exec sleep 1000"));
      pid = child.pid();
      CHECK(executor.run(cancelled(child.wait())).error == -ECANCELED);
      child = started(shell("exit 0"));  // in its place
      CHECK(::kill(pid, 0) == -1);
      Child other = std::move(child);
      CHECK(executor.run(other.wait()).succeeded());
      CHECK(executor.run(child.wait()).error == -ECHILD);
      CHECK(child.kill(0) == -ESRCH);
    }
    check_no_children();
  });
}

TEST_CASE("where there is no pidfd a child is waited for all the same") {
  on_both([](Executor& executor) {
    const Command command = shell("sleep 0.02; exit 6");
    struct rlimit before;
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const Descriptor lowest(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    const struct rlimit full = {static_cast<rlim_t>(lowest.get()) + 1, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &full) == 0);
    Started result = start(command);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(result.error == 0);
    CHECK(result.child.pidfd() == -1);
    CHECK(executor.run(cancelled(result.child.wait())).error == -ECANCELED);
    CHECK(executor.run(result.child.wait()).code == 6);
    check_no_children();
  });
}

TEST_CASE("a child that somebody else has waited for is an error, not a standstill") {
  on_both([](Executor& executor) {
    Child child = started(shell("exit 0"));
    REQUIRE(::waitpid(child.pid(), nullptr, 0) == child.pid());
    CHECK(executor.run(child.wait()).error == -ECHILD);
  });
}

}  // namespace vfs::io::test
