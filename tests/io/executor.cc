// Tasks, groups, cancellation and time.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "cas/descriptor.h"
#include "tests/io/backends.h"
#include "vfs/io/stream.h"
#include "vfs/io/time.h"

namespace vfs::io::test {
namespace {

Task<int> number(int value) { co_return value; }

Task<int> sum(int count) {
  int total = 0;
  for (int i = 1; i <= count; ++i) total += co_await number(i);
  co_return total;
}

Task<> fail(const char* why) {
  throw std::runtime_error(why);
  co_return;
}

Task<long> nothing() {
  const Operation operation;
  const long result = co_await Await(operation);
  co_return result;
}

struct Pipe {
  int fds[2];
  Pipe() { REQUIRE(::pipe2(fds, O_CLOEXEC) == 0); }
  ~Pipe() {
    ::close(fds[0]);
    ::close(fds[1]);
  }
};

}  // namespace

TEST_CASE("a task gives its value, however deep it is awaited") {
  on_both([](Executor& executor) {
    CHECK(executor.run(sum(100'000)) == 705082704);
    CHECK(executor.run(nothing()) == 0);
  });
}

TEST_CASE("what a task throws is thrown where it is awaited, and where it is run") {
  on_both([](Executor& executor) {
    CHECK_THROWS_WITH(executor.run(fail("as planned")), "as planned");
    const auto outer = []() -> Task<int> {
      try {
        co_await fail("inside");
      } catch (const std::runtime_error&) {
        co_return 1;
      }
      co_return 0;
    };
    CHECK(executor.run(outer()) == 1);
  });
}

TEST_CASE("a group runs no more tasks at once than it is told, and all of them") {
  on_both([](Executor& executor) {
    size_t running = 0;
    size_t most = 0;
    size_t ended = 0;
    const auto one = [&]() -> Task<> {
      most = std::max(most, ++running);
      co_await nothing();
      co_await sleep_for(10'000);
      --running;
      ++ended;
    };
    executor.run(with_group(7, [&](Group& group) -> Task<> {
      for (int i = 0; i < 100; ++i) co_await group.add(one());
    }));
    CHECK(ended == 100);
    CHECK(most == 7);
  });
}

TEST_CASE("the first failure of a group ends the others, and is what is thrown") {
  on_both([](Executor& executor) {
    Pipe pipe;
    int cancelled = 0;
    const auto waiting = [&]() -> Task<> {
      if (co_await wait_until_ready(pipe.fds[0], POLLIN) == -ECANCELED) ++cancelled;
    };
    Task<> all = with_group(8, [&](Group& group) -> Task<> {
      for (int i = 0; i < 3; ++i) co_await group.add(waiting());
      co_await group.add(fail("one of them"));
      for (int i = 0; i < 100; ++i) co_await group.add(waiting());
    });
    CHECK_THROWS_WITH(executor.run(std::move(all)), "one of them");
    CHECK(cancelled >= 3);
    CHECK(cancelled < 100);
  });
}

TEST_CASE("time passes, and a deadline ends what takes longer") {
  on_both([](Executor& executor) {
    const int64_t begin = now_ns();
    CHECK(executor.run(sleep_for(5'000'000)) == 0);
    CHECK(now_ns() - begin >= 5'000'000);
    Pipe pipe;
    bool in_time = true;
    CHECK(executor.run(within(3'000'000, wait_until_ready(pipe.fds[0], POLLIN), in_time)) == -ECANCELED);
    CHECK_FALSE(in_time);
    REQUIRE(::write(pipe.fds[1], "x", 1) == 1);
    CHECK(executor.run(within(60'000'000'000, wait_until_ready(pipe.fds[0], POLLIN), in_time)) == POLLIN);
    CHECK(in_time);
  });
}

TEST_CASE("a worker's function gives its value, or what it throws, and does not hold up others") {
  on_both([](Executor& executor) {
    CHECK(executor.run(call([] { return std::string("from afar"); })) == "from afar");
    CHECK_THROWS_WITH(executor.run(call([] { throw std::runtime_error("afar"); })), "afar");
    const std::thread::id here = std::this_thread::get_id();
    CHECK(executor.run(call([] { return std::this_thread::get_id(); })) != here);
    // The worker waits for what only happens because the executor goes on.
    Pipe pipe;
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add([](int fd) -> Task<> {
        co_await call([fd] {
          char byte;
          return ::read(fd, &byte, 1);
        });
      }(pipe.fds[0]));
      co_await sleep_for(1'000'000);
      REQUIRE(::write(pipe.fds[1], "x", 1) == 1);
    }));
  });
}

TEST_CASE("what was not begun when it is cancelled never is") {
  on_both([](Executor& executor) {
    std::atomic<int> calls = 0;
    std::atomic<bool> go_on = false;
    int cancelled = 0;
    const auto one = [&]() -> Task<> {
      try {
        co_await call([&] {
          ++calls;
          while (!go_on) std::this_thread::yield();
        });
      } catch (const Cancelled&) {
        ++cancelled;
      }
    };
    executor.run(with_group(1000, [&](Group& group) -> Task<> {
      for (int i = 0; i < 200; ++i) co_await group.add(one());
      while (calls == 0) co_await sleep_for(100'000);
      group.cancel();
      go_on = true;
    }));
    CHECK(calls + cancelled == 200);
    CHECK(calls < 200);
  });
}

TEST_CASE("many operations are under way at once") {
  on_both([](Executor& executor) {
    const Descriptor event(::eventfd(0, EFD_CLOEXEC));
    int ready = 0;
    const auto one = [&]() -> Task<> {
      if (co_await wait_until_ready(event.get(), POLLIN) == POLLIN) ++ready;
    };
    executor.run(with_group(10'000, [&](Group& group) -> Task<> {
      for (int i = 0; i < 9'000; ++i) co_await group.add(one());
      co_await sleep_for(1'000'000);
      CHECK(ready == 0);
      REQUIRE(::eventfd_write(event.get(), 1) == 0);
    }));
    CHECK(ready == 9'000);
  });
}

TEST_CASE("a task that waits for what nobody does is an error, not a standstill") {
  on_both([](Executor& executor) {
    struct Never {
      bool await_ready() { return false; }
      void await_suspend(std::coroutine_handle<>) {}
      void await_resume() {}
    };
    const auto stuck = []() -> Task<> { co_await Never{}; };
    CHECK_THROWS_AS(executor.run(stuck()), std::logic_error);
  });
}

}  // namespace vfs::io::test
