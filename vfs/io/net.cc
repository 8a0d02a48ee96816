#include "vfs/io/net.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/uio.h>

#include <algorithm>

#include "vfs/io/executor.h"
#include "vfs/io/stream.h"
#include "vfs/io/time.h"

namespace vfs::io {
namespace {

// Without O_NONBLOCK: io_uring would not wait, and the other backend has no need of it.
Descriptor make_socket(int family, int type) { return Descriptor(::socket(family, type | SOCK_CLOEXEC, 0)); }

template <typename Call>
SocketAddress ask_address(Call call, int fd) {
  SocketAddress result;
  struct sockaddr_storage storage = {};
  socklen_t size = sizeof(storage);
  if (call(fd, reinterpret_cast<struct sockaddr*>(&storage), &size) != 0) {
    result.error = -errno;
  } else {
    result.address = Address::from(storage, size);
  }
  return result;
}

// What recvmsg(2) and sendmsg(2) are asked, and what they say. Stays where it is.
struct Message {
  Message(char* data, size_t size) : piece{data, size} {
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  Operation operation(Operation::Kind kind, int fd) {
    Operation result;
    result.kind = kind;
    result.fd = fd;
    result.message = &header;
    return result;
  }

  struct iovec piece;
  struct msghdr header = {};
};

// io_uring(7) waits for room in a Unix-domain listener; where poll(2) cannot, it is
// asked again after a while.
constexpr int64_t kFirstPause = 500'000;     // ns
constexpr int64_t kLongestPause = 20'000'000;

Task<long> connect_socket(int fd, Address address) {
  int64_t pause = kFirstPause;
  for (;;) {
    Operation operation;
    operation.kind = Operation::Kind::connect;
    operation.fd = fd;
    operation.memory = address.data();
    operation.size = address.size();
    const long result = co_await Await(operation);
    if (result != -EAGAIN || address.family() != AF_UNIX) co_return result;
    Task<long> sleeping = sleep_for(pause);
    const long slept = co_await std::move(sleeping);
    if (slept < 0) co_return slept;
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace

// --- SocketStream --------------------------------------------------------------------

Task<Transfer> SocketStream::read(Buffer buffer) const {
  Transfer result;
  Message message(buffer.data(), buffer.capacity());
  const Operation operation = message.operation(Operation::Kind::receive, fd());
  // recvmsg(2) would wait, and take nothing.
  if (buffer.capacity() > 0) result.count = co_await Await(operation);
  buffer.resize(result.count > 0 ? static_cast<size_t>(result.count) : 0);
  result.buffer = std::move(buffer);
  co_return std::move(result);
}

Task<Transfer> SocketStream::write(Buffer buffer) const {
  Transfer result;
  Message message(buffer.data(), buffer.size());
  const Operation operation = message.operation(Operation::Kind::send, fd());
  result.count = co_await Await(operation);
  result.buffer = std::move(buffer);
  co_return std::move(result);
}

long SocketStream::shut_down(Direction direction) const {
  const int how = direction == Direction::reading ? SHUT_RD : direction == Direction::writing ? SHUT_WR : SHUT_RDWR;
  return ::shutdown(fd(), how) == 0 ? 0 : -errno;
}

Task<long> SocketStream::close() {
  Task<long> closing = close_descriptor(std::move(descriptor_));
  const long result = co_await std::move(closing);
  co_return result;
}

SocketAddress SocketStream::local_address() const { return ask_address(::getsockname, fd()); }
SocketAddress SocketStream::peer_address() const { return ask_address(::getpeername, fd()); }

Task<Connected> connect(Address address) {
  Connected result;
  Descriptor socket = make_socket(address.family(), SOCK_STREAM);
  if (!socket) {
    result.error = -errno;
  } else {
    Task<long> connecting = connect_socket(socket.get(), address);
    result.error = co_await std::move(connecting);
  }
  if (result.error == 0) result.stream = SocketStream(std::move(socket));
  co_return std::move(result);
}

// --- Listener ------------------------------------------------------------------------

Task<Accepted> Listener::accept() const {
  Accepted result;
  struct sockaddr_storage peer = {};
  Operation operation;
  operation.kind = Operation::Kind::accept;
  operation.fd = fd();
  operation.memory = &peer;
  operation.flags = SOCK_CLOEXEC;
  Await accepting(operation);
  const long accepted = co_await accepting;
  if (accepted < 0) {
    result.error = accepted;
  } else {
    result.stream = SocketStream(Descriptor(static_cast<int>(accepted)));
    result.peer = Address::from(peer, accepting.operation().address_size);
  }
  co_return std::move(result);
}

Task<long> Listener::close() {
  Task<long> closing = close_descriptor(std::move(descriptor_));
  const long result = co_await std::move(closing);
  co_return result;
}

SocketAddress Listener::local_address() const { return ask_address(::getsockname, fd()); }

Listening listen(const Address& address, int waiting) {
  Listening result;
  Descriptor socket = make_socket(address.family(), SOCK_STREAM);
  const int yes = 1;
  const bool ready = socket &&
                     (address.family() == AF_UNIX ||
                      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0) &&
                     ::bind(socket.get(), address.data(), address.size()) == 0 &&
                     ::listen(socket.get(), waiting) == 0;
  if (ready) {
    result.listener = Listener(std::move(socket));
  } else {
    result.error = -errno;
  }
  return result;
}

// --- UdpSocket -----------------------------------------------------------------------

Task<Transfer> UdpSocket::send_to(Buffer buffer, Address to) const {
  Transfer result;
  Message message(buffer.data(), buffer.size());
  message.header.msg_name = to.data();
  message.header.msg_namelen = to.size();
  const Operation operation = message.operation(Operation::Kind::send, fd());
  result.count = co_await Await(operation);
  result.buffer = std::move(buffer);
  co_return std::move(result);
}

Task<Datagram> UdpSocket::receive_from(Buffer buffer) const {
  Datagram result;
  struct sockaddr_storage from = {};
  Message message(buffer.data(), buffer.capacity());
  message.header.msg_name = &from;
  message.header.msg_namelen = sizeof(from);
  const Operation operation = message.operation(Operation::Kind::receive, fd());
  result.count = co_await Await(operation);
  buffer.resize(result.count > 0 ? static_cast<size_t>(result.count) : 0);
  if (result.count >= 0) {
    result.from = Address::from(from, message.header.msg_namelen);
    result.truncated = (message.header.msg_flags & MSG_TRUNC) != 0;
  }
  result.buffer = std::move(buffer);
  co_return std::move(result);
}

Task<long> UdpSocket::close() {
  Task<long> closing = close_descriptor(std::move(descriptor_));
  const long result = co_await std::move(closing);
  co_return result;
}

SocketAddress UdpSocket::local_address() const { return ask_address(::getsockname, fd()); }

Bound bind_udp(const Address& address) {
  Bound result;
  Descriptor socket = make_socket(address.family(), SOCK_DGRAM);
  if (socket && ::bind(socket.get(), address.data(), address.size()) == 0) {
    result.socket = UdpSocket(std::move(socket));
  } else {
    result.error = -errno;
  }
  return result;
}

}  // namespace vfs::io
