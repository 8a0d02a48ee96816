// UDP.
#include "tests/io/backends.h"
#include "tests/io/support.h"
#include "vfs/io/net.h"

namespace vfs::io::test {
namespace {

Address loopback() { return Address::internet("127.0.0.1", 0); }

}  // namespace

TEST_CASE("datagrams arrive whole, with their sender") {
  on_both([](Executor& executor) {
    const Bound one = bind_udp(loopback());
    const Bound two = bind_udp(loopback());
    REQUIRE(one.error == 0);
    REQUIRE(two.error == 0);
    const Address from = one.socket.local_address().address;
    const Address to = two.socket.local_address().address;
    for (const size_t size : {5u, 0u, 1u, 9'000u, 65'507u}) {
      const std::string bytes = some_bytes(size);
      CHECK(executor.run(one.socket.send_to(Buffer(bytes), to)).count == static_cast<long>(size));
      const Datagram datagram = executor.run(two.socket.receive_from(Buffer(70'000)));
      CHECK(datagram.count == static_cast<long>(size));
      CHECK(datagram.buffer.text() == bytes);
      CHECK(datagram.from == from);
      CHECK_FALSE(datagram.truncated);
    }
    executor.run(one.socket.send_to(Buffer("longer"), to));
    executor.run(one.socket.send_to(Buffer("next"), to));
    Datagram datagram = executor.run(two.socket.receive_from(Buffer(4)));
    CHECK(datagram.truncated);
    CHECK(datagram.buffer.text() == "long");
    datagram = executor.run(two.socket.receive_from(Buffer(4)));
    CHECK_FALSE(datagram.truncated);
    CHECK(datagram.buffer.text() == "next");
  });
}

TEST_CASE("what is no datagram, or has no address, is an error") {
  on_both([](Executor& executor) {
    Bound bound = bind_udp(loopback());
    const Address here = bound.socket.local_address().address;
    CHECK(executor.run(bound.socket.send_to(Buffer(some_bytes(65'508)), here)).count == -EMSGSIZE);
    CHECK(executor.run(bound.socket.send_to(Buffer("x"), Address())).count == -EDESTADDRREQ);
    CHECK(bind_udp(here).error == -EADDRINUSE);
    CHECK(executor.run(bound.socket.close()) == 0);
    CHECK(executor.run(bound.socket.receive_from(Buffer(1))).count == -EBADF);
  });
}

TEST_CASE("a receive of a datagram that is cancelled takes none") {
  on_both([](Executor& executor) {
    const Bound bound = bind_udp(loopback());
    REQUIRE(bound.error == 0);
    Datagram datagram = executor.run(cancelled(bound.socket.receive_from(Buffer(10))));
    CHECK(datagram.count == -ECANCELED);
    CHECK(datagram.buffer.capacity() == 10);
    executor.run(bound.socket.send_to(Buffer("later"), bound.socket.local_address().address));
    datagram = executor.run(bound.socket.receive_from(std::move(datagram.buffer)));
    CHECK(datagram.buffer.text() == "later");
  });
}

TEST_CASE("a hundred operations on sockets are cancelled at once") {
  on_both([](Executor& executor) {
    std::vector<Bound> sockets;
    for (int i = 0; i < 100; ++i) sockets.push_back(bind_udp(loopback()));
    int ended = 0;
    const auto receive = [&](const UdpSocket& socket) -> Task<> {
      const Datagram datagram = co_await socket.receive_from(Buffer(10));
      if (datagram.count == -ECANCELED) ++ended;
    };
    executor.run(with_group(100, [&](Group& group) -> Task<> {
      for (const Bound& bound : sockets) co_await group.add(receive(bound.socket));
      co_await sleep_for(1'000'000);
      group.cancel();
    }));
    CHECK(ended == 100);
  });
}

}  // namespace vfs::io::test
