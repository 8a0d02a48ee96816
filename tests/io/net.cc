// Connections over TCP and Unix-domain sockets.
#include "vfs/io/net.h"

#include <netinet/in.h>

#include "tests/io/backends.h"
#include "tests/io/support.h"

namespace vfs::io::test {
namespace {

static_assert(AsyncRead<SocketStream> && AsyncWrite<SocketStream>);

Address loopback() { return Address::internet("127.0.0.1", 0); }

Listener listening(const Address& address, int waiting = SOMAXCONN) {
  Listening result = listen(address, waiting);
  REQUIRE(result.error == 0);
  return std::move(result.listener);
}

Address address_of(const Listener& listener) {
  const SocketAddress result = listener.local_address();
  REQUIRE(result.error == 0);
  return result.address;
}

// Both ends of a connection.
struct Connection {
  SocketStream client;
  SocketStream server;
};

Task<Connection> make_connection(const Listener& listener) {
  Connection result;
  Connected connected = co_await connect(address_of(listener));
  REQUIRE(connected.error == 0);
  Accepted accepted = co_await listener.accept();
  REQUIRE(accepted.error == 0);
  result.client = std::move(connected.stream);
  result.server = std::move(accepted.stream);
  co_return std::move(result);
}

// Calls `body` with a listener of each kind, on each backend.
void on_listeners(const std::function<void(Executor&, const Listener&)>& body) {
  const TemporaryDirectory directory;
  int number = 0;
  on_both([&](Executor& executor) {
    const std::string name = "socket" + std::to_string(++number);
    for (const Address& address : {loopback(), Address::unix_path(directory / name.c_str())}) {
      INFO(address.text());
      const Listener listener = listening(address);
      body(executor, listener);
    }
  });
}

Task<> echo(SocketStream stream) {
  Contents contents = co_await read_to_end(stream, 1 << 20);
  CHECK(contents.error == 0);
  long count = 0;
  co_await write_text(stream, contents.bytes, count);
}

}  // namespace

TEST_CASE("each end of a connection knows both addresses") {
  on_listeners([](Executor& executor, const Listener& listener) {
    const Connection connection = executor.run(make_connection(listener));
    const Address address = address_of(listener);
    CHECK(connection.client.peer_address().address == address);
    CHECK(connection.server.local_address().address == address);
    CHECK(connection.server.peer_address().address == connection.client.local_address().address);
    if (address.family() == AF_INET) CHECK(address.port() != 0);
  });
  CHECK(SocketStream().local_address().error == -EBADF);
  CHECK(SocketStream().peer_address().error == -EBADF);
}

TEST_CASE("accept says who has connected") {
  on_both([](Executor& executor) {
    const Listener listener = listening(loopback());
    const Connected connected = executor.run(connect(address_of(listener)));
    const Accepted accepted = executor.run(listener.accept());
    CHECK(accepted.peer.ip() == "127.0.0.1");
    CHECK(accepted.peer == connected.stream.local_address().address);
  });
}

TEST_CASE("many connections at once, each of which gets its own bytes back") {
  on_listeners([](Executor& executor, const Listener& listener) {
    constexpr int kCount = 150;
    int right = 0;
    const auto client = [&](unsigned number) -> Task<> {
      Connected connected = co_await connect(address_of(listener));
      REQUIRE(connected.error == 0);
      const std::string bytes = some_bytes(1'000 + number, number);
      long count = 0;
      co_await write_text(connected.stream, bytes, count);
      REQUIRE(connected.stream.shut_down(Direction::writing) == 0);
      const Contents contents = co_await read_to_end(connected.stream, 1 << 20);
      if (contents.bytes == bytes) ++right;
    };
    const auto serve = [&](Group& group) -> Task<> {
      for (int i = 0; i < kCount; ++i) {
        Accepted accepted = co_await listener.accept();
        REQUIRE(accepted.error == 0);
        co_await group.add(echo(std::move(accepted.stream)));
      }
    };
    executor.run(with_group(2 * kCount + 1, [&](Group& group) -> Task<> {
      co_await group.add(serve(group));
      for (unsigned i = 0; i < kCount; ++i) co_await group.add(client(i));
    }));
    CHECK(right == kCount);
  });
}

TEST_CASE("several wait for connections at once, and each gets one") {
  on_listeners([](Executor& executor, const Listener& listener) {
    int accepted = 0;
    const auto one = [&]() -> Task<> {
      const Accepted result = co_await listener.accept();
      if (result.error == 0) ++accepted;
    };
    executor.run(with_group(10, [&](Group& group) -> Task<> {
      for (int i = 0; i < 5; ++i) co_await group.add(one());
      for (int i = 0; i < 5; ++i) {
        const Connected result = co_await connect(address_of(listener));
        CHECK(result.error == 0);
      }
    }));
    CHECK(accepted == 5);
  });
}

TEST_CASE("a large buffer goes to a slow reader, both ways at once") {
  on_listeners([](Executor& executor, const Listener& listener) {
    Connection connection = executor.run(make_connection(listener));
    const std::string there = some_bytes(1 << 20, 1);
    const std::string back = some_bytes(1 << 20, 2);
    std::string arrived_there;
    std::string arrived_back;
    long counts[2] = {};
    const auto send = [](SocketStream& stream, const std::string& bytes, long& count) -> Task<> {
      co_await write_text(stream, bytes, count);
      CHECK(stream.shut_down(Direction::writing) == 0);
    };
    const auto receive = [](SocketStream& stream, std::string& bytes) -> Task<> {
      bytes = co_await read_slowly(stream);
    };
    executor.run(with_group(4, [&](Group& group) -> Task<> {
      co_await group.add(send(connection.client, there, counts[0]));
      co_await group.add(send(connection.server, back, counts[1]));
      co_await group.add(receive(connection.client, arrived_back));
      co_await group.add(receive(connection.server, arrived_there));
    }));
    CHECK(counts[0] == 1 << 20);
    CHECK(counts[1] == 1 << 20);
    CHECK(arrived_there == there);
    CHECK(arrived_back == back);
  });
}

TEST_CASE("a peer that has shut down writing still reads") {
  on_listeners([](Executor& executor, const Listener& listener) {
    Connection connection = executor.run(make_connection(listener));
    REQUIRE(executor.run(connection.client.write(Buffer("question"))).count == 8);
    REQUIRE(connection.client.shut_down(Direction::writing) == 0);
    const Contents question = executor.run(read_to_end(connection.server, 100));
    CHECK(question.bytes == "question");
    CHECK(executor.run(connection.server.write(Buffer("answer"))).count == 6);
    CHECK(executor.run(connection.client.write(Buffer("more"))).count == -EPIPE);
    CHECK(executor.run(connection.server.close()) == 0);
    CHECK(executor.run(read_to_end(connection.client, 100)).bytes == "answer");
    CHECK(executor.run(connection.client.read(Buffer())).count == 0);
  });
}

TEST_CASE("a read that waits ends when its own end is shut down") {
  on_listeners([](Executor& executor, const Listener& listener) {
    Connection connection = executor.run(make_connection(listener));
    long count = -1;
    const auto read = [&]() -> Task<> {
      const Transfer result = co_await connection.client.read(Buffer(10));
      count = result.count;
    };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(read());
      co_await sleep_for(1'000'000);
      CHECK(connection.client.shut_down(Direction::both) == 0);
    }));
    CHECK(count == 0);
  });
  CHECK(SocketStream().shut_down(Direction::reading) == -EBADF);
}

TEST_CASE("a connection that the peer has reset is an error, not a signal") {
  on_both([](Executor& executor) {
    const Listener listener = listening(loopback());
    Connection connection = executor.run(make_connection(listener));
    const struct linger reset = {1, 0};
    REQUIRE(::setsockopt(connection.server.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
    long count = 0;
    const auto read = [&]() -> Task<> {
      const Transfer result = co_await connection.client.read(Buffer(10));
      count = result.count;
    };
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(read());
      co_await sleep_for(1'000'000);
      co_await connection.server.close();
    }));
    CHECK(count == -ECONNRESET);
    CHECK(executor.run(connection.client.write(Buffer("x"))).count == -EPIPE);
  });
}

TEST_CASE("where nobody listens no connection is made") {
  const TemporaryDirectory directory;
  int number = 0;
  on_both([&](Executor& executor) {
    // Bound, so that nobody else takes the port meanwhile, but it does not listen.
    const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address anywhere = loopback();
    REQUIRE(::bind(socket.get(), anywhere.data(), anywhere.size()) == 0);
    struct sockaddr_storage bound = {};
    socklen_t size = sizeof(bound);
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<struct sockaddr*>(&bound), &size) == 0);
    CHECK(executor.run(connect(Address::from(bound, size))).error == -ECONNREFUSED);

    const std::string path = directory / ("gone" + std::to_string(++number)).c_str();
    const Address local = Address::unix_path(path);
    CHECK(executor.run(connect(local)).error == -ENOENT);
    { const Listener listener = listening(local); }
    CHECK(executor.run(connect(local)).error == -ECONNREFUSED);
    CHECK(listen(local).error == -EADDRINUSE);
    CHECK(executor.run(connect(Address())).error < 0);
    CHECK(listen(Address()).error < 0);
  });
}

TEST_CASE("two cannot listen at one address, and one that was closed is free at once") {
  on_both([](Executor& executor) {
    Listener listener = listening(loopback());
    const Address address = address_of(listener);
    CHECK(listen(address).error == -EADDRINUSE);
    { const Connection connection = executor.run(make_connection(listener)); }
    CHECK(executor.run(listener.close()) == 0);
    CHECK(listen(address).error == 0);
    CHECK(executor.run(listener.accept()).error == -EBADF);
  });
}

TEST_CASE("IPv6 is like IPv4") {
  on_both([](Executor& executor) {
    const Listening result = listen(Address::internet("::1", 0));
    if (result.error == -EADDRNOTAVAIL || result.error == -EAFNOSUPPORT) return;  // a machine without
    REQUIRE(result.error == 0);
    const Connection connection = executor.run(make_connection(result.listener));
    CHECK(connection.server.peer_address().address.ip() == "::1");
  });
}

}  // namespace vfs::io::test
