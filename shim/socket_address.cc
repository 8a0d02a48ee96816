#include "shim/socket_address.h"

#include "vfs/core/sys.h"

namespace shim {

namespace sys = vfs::sys;

bool path_of(const struct sockaddr* address, socklen_t size, vfs::PathBuffer& path) {
  if (address == nullptr || size <= kPathOffset || size > sizeof(struct sockaddr_un) ||
      address->sa_family != AF_UNIX) {
    return false;
  }
  const char* text = reinterpret_cast<const char*>(address) + kPathOffset;
  return *text != '\0' && path.assign(text, strnlen(text, size - kPathOffset));
}

RealAddress::~RealAddress() {
  if (directory_ >= 0) sys::close(directory_);
}

int RealAddress::set(const char* path) {
  vfs::PathBuffer text;
  if (!text.assign(path)) return -ENAMETOOLONG;
  if (text.length >= sizeof(address_.sun_path)) {
    const int result = shorten(text);
    if (result != 0) return result;
  }
  address_.sun_family = AF_UNIX;
  memcpy(address_.sun_path, text.text, text.length + 1);
  size_ = static_cast<socklen_t>(kPathOffset + text.length + 1);
  return 0;
}

int RealAddress::shorten(vfs::PathBuffer& text) {
  vfs::PathBuffer directory;
  vfs::PathBuffer name;
  directory.assign(text);
  directory.pop();
  name.assign(text.name());
  directory_ = sys::open(directory.text, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory_ < 0) return directory_;
  text.assign("/proc/self/fd/");
  text.append_number(static_cast<unsigned>(directory_));
  text.append_character('/');
  if (!text.append(name.text) || text.length >= sizeof(address_.sun_path)) return -ENAMETOOLONG;
  return 0;
}

}  // namespace shim
