// Where a socket is: an IP address with a port, or a path.
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

namespace vfs::io {

// A value. Names of hosts are not looked up: addresses are written in digits.
class Address {
 public:
  // None: of a socket that has no name, as the other end of a Unix-domain socket.
  Address() = default;

  // "127.0.0.1" or "::1"; port 0: any that is free. Throws Error with EINVAL if `ip`
  // is neither an IPv4 nor an IPv6 address.
  static Address internet(const std::string& ip, uint16_t port);

  // A Unix-domain socket's file. Throws Error: ENAMETOOLONG for more than 107 bytes,
  // EINVAL for none, or with a NUL among them.
  static Address unix_path(std::string_view path);

  // As the kernel says it: `size` bytes of `storage`. See unix(7) for abstract names,
  // of which path() begins with a NUL.
  static Address from(const struct sockaddr_storage& storage, socklen_t size);

  // AF_INET, AF_INET6, AF_UNIX, or AF_UNSPEC: none.
  int family() const { return storage_.ss_family; }
  std::string ip() const;    // empty if it has none
  uint16_t port() const;     // 0 if it has none
  std::string path() const;  // empty if it has none
  // "127.0.0.1:80", "[::1]:80", or the path.
  std::string text() const;

  const struct sockaddr* data() const { return reinterpret_cast<const struct sockaddr*>(&storage_); }
  struct sockaddr* data() { return reinterpret_cast<struct sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }  // bytes

  friend bool operator==(const Address& one, const Address& other);

 private:
  struct sockaddr_storage storage_ = {};
  socklen_t size_ = 0;
};

}  // namespace vfs::io
