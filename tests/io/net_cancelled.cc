// What waits for a socket, and is told not to; and connections that wait for room.
#include <algorithm>

#include "tests/io/backends.h"
#include "tests/io/support.h"
#include "vfs/io/net.h"

namespace vfs::io::test {
namespace {

Address loopback() { return Address::internet("127.0.0.1", 0); }

// Until there is no room for a byte.
void fill(const SocketStream& stream) {
  const std::string page(4096, 'f');
  while (::send(stream.fd(), page.data(), page.size(), MSG_DONTWAIT) > 0) {
  }
}

struct Connection {
  SocketStream client;
  SocketStream server;
};

Connection make_connection(Executor& executor, const Listener& listener) {
  Connected connected = executor.run(connect(listener.local_address().address));
  Accepted accepted = executor.run(listener.accept());
  REQUIRE(connected.error == 0);
  REQUIRE(accepted.error == 0);
  return {std::move(connected.stream), std::move(accepted.stream)};
}

}  // namespace

TEST_CASE("an accept that is cancelled takes no connection") {
  const TemporaryDirectory directory;
  int number = 0;
  on_both([&](Executor& executor) {
    const std::string name = "socket" + std::to_string(++number);
    for (const Address& address : {loopback(), Address::unix_path(directory / name.c_str())}) {
      const Listening result = listen(address);
      REQUIRE(result.error == 0);
      const Accepted accepted = executor.run(cancelled(result.listener.accept()));
      CHECK(accepted.error == -ECANCELED);
      CHECK_FALSE(accepted.stream);
      make_connection(executor, result.listener);
    }
  });
}

TEST_CASE("a read or write of a socket that is cancelled leaves the connection as it was") {
  const TemporaryDirectory directory;
  int number = 0;
  on_both([&](Executor& executor) {
    const std::string name = "socket" + std::to_string(++number);
    for (const Address& address : {loopback(), Address::unix_path(directory / name.c_str())}) {
      const Listening result = listen(address);
      REQUIRE(result.error == 0);
      Connection connection = make_connection(executor, result.listener);
      Transfer transfer = executor.run(cancelled(connection.client.read(Buffer(50))));
      CHECK(transfer.count == -ECANCELED);
      CHECK(transfer.buffer.capacity() == 50);
      REQUIRE(executor.run(connection.server.write(Buffer("later"))).count == 5);
      CHECK(executor.run(connection.client.read(std::move(transfer.buffer))).buffer.text() == "later");

      fill(connection.client);
      transfer = executor.run(cancelled(write_all(connection.client, Buffer(some_bytes(8 << 20)))));
      CHECK(transfer.count == -ECANCELED);
      CHECK(transfer.buffer.size() == 8 << 20);
      CHECK(connection.client.shut_down(Direction::writing) == 0);
      const Contents contents = executor.run(read_to_end(connection.server, 64 << 20));
      CHECK(contents.error == 0);
      CHECK(contents.bytes.substr(0, 4096) == std::string(4096, 'f'));
    }
  });
}

TEST_CASE("a connection waits until a Unix-domain listener has room, and is connected then") {
  const TemporaryDirectory directory;
  int number = 0;
  on_both([&](Executor& executor) {
    const Address address = Address::unix_path(directory / ("full" + std::to_string(++number)).c_str());
    const Listening result = listen(address, 1);
    REQUIRE(result.error == 0);
    constexpr int kCount = 8;
    int right = 0;
    const auto client = [&](int who) -> Task<> {
      Connected connected = co_await connect(address);
      CHECK(connected.error == 0);
      long count = 0;
      co_await write_text(connected.stream, std::to_string(who), count);
      if (count == 1) ++right;
    };
    std::string heard;
    executor.run(with_group(kCount, [&](Group& group) -> Task<> {
      for (int i = 0; i < kCount; ++i) co_await group.add(client(i));
      co_await sleep_for(3'000'000);
      CHECK(right < kCount);
      for (int i = 0; i < kCount; ++i) {
        Accepted accepted = co_await result.listener.accept();
        const Contents contents = co_await read_to_end(accepted.stream, 10);
        heard += contents.bytes;
      }
    }));
    CHECK(right == kCount);
    std::sort(heard.begin(), heard.end());
    CHECK(heard == "01234567");
  });
}

TEST_CASE("a connection that waits for room is cancelled") {
  const TemporaryDirectory directory;
  int number = 0;
  on_both([&](Executor& executor) {
    const std::string name = "full" + std::to_string(++number);
    for (const Address& address : {loopback(), Address::unix_path(directory / name.c_str())}) {
      const Listening result = listen(address, 0);
      REQUIRE(result.error == 0);
      const Address there = result.listener.local_address().address;
      std::vector<SocketStream> streams;
      bool in_time = true;
      // Nobody accepts: sooner or later one has to wait.
      while (streams.size() < 20 && in_time) {
        Connected connected = executor.run(within(20'000'000, connect(there), in_time));
        if (connected.error == 0) {
          streams.push_back(std::move(connected.stream));
        } else {
          CHECK(connected.error == -ECANCELED);
          CHECK_FALSE(connected.stream);
        }
      }
      CHECK_FALSE(in_time);
    }
  });
}

}  // namespace vfs::io::test
