#include "vfs/io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include <algorithm>

#include "cas/error.h"

namespace vfs::io {
namespace {

template <typename Kind>
const Kind& as(const struct sockaddr* address) {
  return *reinterpret_cast<const Kind*>(address);
}

constexpr size_t kBeforePath = offsetof(struct sockaddr_un, sun_path);

}  // namespace

Address Address::internet(const std::string& ip, uint16_t port) {
  Address result;
  struct sockaddr_in four = {};
  struct sockaddr_in6 six = {};
  if (ip.find('\0') != std::string::npos) throw system_error("an IP address", EINVAL);
  if (::inet_pton(AF_INET, ip.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    result.size_ = sizeof(four);
    memcpy(&result.storage_, &four, sizeof(four));
  } else if (::inet_pton(AF_INET6, ip.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    result.size_ = sizeof(six);
    memcpy(&result.storage_, &six, sizeof(six));
  } else {
    throw system_error(ip, EINVAL, "an IP address is needed: names are not looked up");
  }
  return result;
}

Address Address::unix_path(std::string_view path) {
  struct sockaddr_un local = {};
  if (path.empty() || path.find('\0') != std::string_view::npos) throw system_error("the path of a socket", EINVAL);
  if (path.size() >= sizeof(local.sun_path)) throw system_error(std::string(path), ENAMETOOLONG);
  local.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), local.sun_path);
  Address result;
  memcpy(&result.storage_, &local, sizeof(local));
  result.size_ = static_cast<socklen_t>(kBeforePath + path.size() + 1);
  return result;
}

Address Address::from(const struct sockaddr_storage& storage, socklen_t size) {
  Address result;
  result.size_ = std::min<socklen_t>(size, sizeof(storage));
  memcpy(&result.storage_, &storage, result.size_);
  return result;
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) ::inet_ntop(AF_INET, &as<struct sockaddr_in>(data()).sin_addr, text, sizeof(text));
  if (family() == AF_INET6) ::inet_ntop(AF_INET6, &as<struct sockaddr_in6>(data()).sin6_addr, text, sizeof(text));
  return text;
}

uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(as<struct sockaddr_in>(data()).sin_port);
  if (family() == AF_INET6) return ntohs(as<struct sockaddr_in6>(data()).sin6_port);
  return 0;
}

std::string Address::path() const {
  if (family() != AF_UNIX || size_ <= kBeforePath) return {};
  const std::string_view name(as<struct sockaddr_un>(data()).sun_path, size_ - kBeforePath);
  if (name.front() == '\0') return std::string(name);  // abstract
  return std::string(name.substr(0, name.find('\0')));
}

std::string Address::text() const {
  switch (family()) {
    case AF_INET: return ip() + ":" + std::to_string(port());
    case AF_INET6: return "[" + ip() + "]:" + std::to_string(port());
    default: return path();
  }
}

bool operator==(const Address& one, const Address& other) {
  return one.size_ == other.size_ && memcmp(&one.storage_, &other.storage_, one.size_) == 0;
}

}  // namespace vfs::io
