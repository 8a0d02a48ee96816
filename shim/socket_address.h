// AF_UNIX addresses: their path, and one for a real path.
#pragma once

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "vfs/core/path_buffer.h"

namespace shim {

constexpr size_t kPathOffset = offsetof(struct sockaddr_un, sun_path);

// The path of an address, or false: another family, unnamed, or abstract.
bool path_of(const struct sockaddr* address, socklen_t size, vfs::PathBuffer& path);

// An address for a real path. One that is too long goes through a descriptor of
// its directory, open as long as the object lives.
class RealAddress {
 public:
  RealAddress() = default;
  ~RealAddress();
  RealAddress(const RealAddress&) = delete;
  RealAddress& operator=(const RealAddress&) = delete;

  // 0 or a negative errno.
  int set(const char* path);
  const struct sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return size_; }

 private:
  int shorten(vfs::PathBuffer& text);

  struct sockaddr_un address_ = {};
  socklen_t size_ = 0;
  int directory_ = -1;
};

}  // namespace shim
