// Sockets: TCP and Unix-domain streams, listeners, UDP.
//
// Failures are negative errnos, as socket(7), tcp(7), udp(7) and unix(7) have them, and
// -ECANCELED. Nothing here raises SIGPIPE. Objects are not thread-safe, stay where they
// are while an operation of theirs is under way, and close by their destructors.
#pragma once

#include "cas/descriptor.h"
#include "vfs/io/address.h"
#include "vfs/io/buffer.h"
#include "vfs/io/task.h"

namespace vfs::io {

struct SocketAddress {
  long error = 0;  // a negative errno, or 0
  Address address;
};

enum class Direction : uint8_t { reading, writing, both };

// A connection, over TCP or to a Unix-domain socket. One read and one write at once.
class SocketStream {
 public:
  SocketStream() = default;
  // Of a connected stream socket without O_NONBLOCK.
  explicit SocketStream(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // Up to buffer.capacity() bytes, as soon as there are any; 0 when the other end has
  // shut down writing; -ECONNRESET if it has gone without reading all.
  Task<Transfer> read(Buffer buffer) const;
  // Up to buffer.size() bytes, as soon as there is room for some. -EPIPE or
  // -ECONNRESET if the other end is not there any more.
  Task<Transfer> write(Buffer buffer) const;
  // Ends one direction, or both (shutdown(2)); does not wait. Operations that wait for
  // it end. 0 or a negative errno: -ENOTCONN if the other end has gone.
  long shut_down(Direction direction) const;
  // See Stream::close().
  Task<long> close();

  SocketAddress local_address() const;
  SocketAddress peer_address() const;
  int fd() const { return descriptor_.get(); }
  explicit operator bool() const { return static_cast<bool>(descriptor_); }

 private:
  Descriptor descriptor_;
};

struct Connected {
  long error = 0;  // a negative errno, or 0
  SocketStream stream;
};
// Connects to a listener. -ECONNREFUSED if nobody listens there; to a path also -ENOENT
// and -EACCES. While a Unix-domain listener has no room for more, it waits.
Task<Connected> connect(Address address);

struct Accepted {
  long error = 0;  // a negative errno, or 0
  SocketStream stream;
  Address peer;  // none of a Unix-domain socket without a name
};

// Waits for connections. Any number of accept() may be under way.
class Listener {
 public:
  Listener() = default;
  explicit Listener(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // The next connection. -EMFILE and -ENFILE leave it waiting to be accepted.
  Task<Accepted> accept() const;
  Task<long> close();

  SocketAddress local_address() const;  // with the port that was free
  int fd() const { return descriptor_.get(); }

 private:
  Descriptor descriptor_;
};

struct Listening {
  long error = 0;  // a negative errno, or 0
  Listener listener;
};
// Listens there; `waiting` connections may be made before they are accepted. Does not
// wait. -EADDRINUSE if somebody has the address; also if the path is there, though
// nobody may listen: who made it removes it (unlink(2)), neither close() nor a
// destructor does. The address of a TCP connection that has ended may be taken at once
// (SO_REUSEADDR).
Listening listen(const Address& address, int waiting = SOMAXCONN);

struct Datagram {
  long count = 0;  // bytes, or a negative errno
  Buffer buffer;
  Address from;
  bool truncated = false;  // it had more bytes than the buffer has room for: they are lost
};

// Single messages. One receive_from() and one send_to() at once.
class UdpSocket {
 public:
  UdpSocket() = default;
  explicit UdpSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // All bytes of `buffer`, which may be none, as one message. -EMSGSIZE if they are too
  // many for one. That it was sent does not say that it arrives.
  Task<Transfer> send_to(Buffer buffer, Address to) const;
  // The next message; one without bytes has the count 0.
  Task<Datagram> receive_from(Buffer buffer) const;
  Task<long> close();

  SocketAddress local_address() const;
  int fd() const { return descriptor_.get(); }

 private:
  Descriptor descriptor_;
};

struct Bound {
  long error = 0;  // a negative errno, or 0
  UdpSocket socket;
};
// A UDP socket at that IP address. Does not wait.
Bound bind_udp(const Address& address);

}  // namespace vfs::io
