// Work on many items with all processors.
#include "vfs/io/for_each.h"

#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "tests/io/backends.h"
#include "vfs/io/time.h"

namespace vfs::io::test {
namespace {

// Settings of the process that go back to what they were.
class Setting {
 public:
  explicit Setting(const char* value) { ::setenv("VFS_IO", value, 1); }
  ~Setting() { ::unsetenv("VFS_IO"); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;
};

class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t most) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const struct rlimit limit = {most, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  struct rlimit before_;
};

}  // namespace

TEST_CASE("every item is done once, with either backend") {
  for (const char* backend : {"uring", "epoll", ""}) {
    if (std::string(backend) == "uring" && make_uring_backend() == nullptr) continue;
    const Setting setting(backend);
    std::vector<std::atomic<int>> done(5000);
    const auto one = [&](size_t i) -> Task<> {
      if (i % 7 == 0) co_await sleep_for(1000);
      ++done[i];
    };
    for_each(done.size(), 16, one);
    CHECK(std::all_of(done.begin(), done.end(), [](const auto& count) { return count == 1; }));
    for_each(0, 16, [](size_t) -> Task<> { throw std::logic_error("there is nothing to do"); });
  }
}

TEST_CASE("the first failure is thrown, and most of what had not begun never does") {
  std::atomic<size_t> done = 0;
  const auto one = [&](size_t i) -> Task<> {
    if (i == 40) throw std::runtime_error("item 40");
    co_await sleep_for(10'000);
    ++done;
  };
  CHECK_THROWS_WITH(for_each(100'000, 8, one), "item 40");
  CHECK(done < 50'000);
}

TEST_CASE("no more tasks run at once than the depth, on each processor") {
  std::atomic<size_t> running = 0;
  std::atomic<size_t> most = 0;
  const auto one = [&](size_t) -> Task<> {
    const size_t now = ++running;
    size_t seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    co_await sleep_for(50'000);
    --running;
  };
  for_each(500, 3, one);
  CHECK(most >= 2);
  CHECK(most <= 3 * std::max(1u, std::thread::hardware_concurrency()));
}

TEST_CASE("a way to do I/O that is not known is an error that says so") {
  const Setting setting("carrier-pigeon");
  CHECK_THROWS_WITH(choose_backend(), Catch::Contains("VFS_IO=carrier-pigeon") && Catch::Contains("no such"));
}

TEST_CASE("with few descriptors there is less at once, and with none an error") {
  const auto before = count_descriptors();
  {
    const DescriptorLimit limit(20);
    CHECK(usual_depth() == 1);
    std::atomic<int> done = 0;
    for_each(100, usual_depth(), [&](size_t) -> Task<> {
      co_await sleep_for(1000);
      ++done;
    });
    CHECK(done == 100);
  }
  {
    const DescriptorLimit limit(3);
    CHECK_THROWS_AS(for_each(10, 1, [](size_t) -> Task<> { co_return; }), std::runtime_error);
  }
  CHECK(count_descriptors() == before);
}

}  // namespace vfs::io::test
