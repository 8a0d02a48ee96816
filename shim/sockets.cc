// Sockets with a path (AF_UNIX).
//
// An address in the tree is replaced by the real one on the way into the
// kernel, and back on the way out. A socket is bound in upper, where the
// look-up then finds it. What this process has bound is remembered as the
// program wrote it; another process gets the absolute path.
#include "shim/socket_address.h"
#include "shim/table.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/names.h"
#include "vfs/core/names_internal.h"
#include "vfs/core/open.h"

namespace {

using shim::workspace;
namespace sys = vfs::sys;

using shim::kPathOffset;
using shim::path_of;
using shim::RealAddress;

// --- What this process has bound ----------------------------------------------

struct Bound {
  std::atomic<uint64_t> socket;  // its inode number; 0: free
  socklen_t size;
  struct sockaddr_un address;
};
constinit Bound bound[16] = {};
constinit std::atomic<unsigned> next_bound;

uint64_t socket_number(int fd) {
  struct stat status;
  return sys::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

void remember_bound(int fd, const struct sockaddr* address, socklen_t size) {
  if (shim::in_vfork_child) return;
  Bound& entry = bound[next_bound.fetch_add(1, std::memory_order_relaxed) % 16];
  entry.socket.store(0, std::memory_order_relaxed);
  memcpy(&entry.address, address, size);
  entry.size = size;
  entry.socket.store(socket_number(fd), std::memory_order_release);
}

// --- Into the kernel -------------------------------------------------------------

// Calls `pass` with the address of an existing socket.
template <typename Pass>
auto with_peer(const char* call, const struct sockaddr* address, socklen_t size, Pass pass)
    -> decltype(pass(address, size)) {
  using Result = decltype(pass(address, size));
  vfs::PathBuffer path;
  if (!shim::engaged() || !path_of(address, size, path)) return pass(address, size);
  shim::LocatedPath located;
  shim::locate(AT_FDCWD, path.text, vfs::Follow::yes, located);
  if (located.where == shim::Where::untouched) return pass(address, size);
  vfs::PathBuffer real;
  long result = located.error;
  if (located.where == shim::Where::outside) {
    real.assign(located.found.path);
  } else if (result == 0 && located.found.exists() && !S_ISSOCK(located.found.status.st_mode)) {
    result = vfs::check_access(located.found.status, W_OK, true);
    if (result == 0) result = -ECONNREFUSED;
  } else if (result == 0) {
    result = vfs::real_path(workspace, located.found, real);
  }
  RealAddress translated;
  if (result == 0) result = translated.set(real.text);
  shim::log(call, path.text, real.text, result);
  return result == 0 ? pass(translated.get(), translated.size()) : shim::answer<Result>(result);
}

// The inode that bind makes.
struct BoundSocket final : vfs::NewInode {
  int fd;
  explicit BoundSocket(int socket) : fd(socket) {}
  int make(const char* path) override {
    RealAddress address;
    const int result = address.set(path);
    if (result != 0) return result;
    return static_cast<int>(
        sys::call(SYS_bind, fd, sys::as_argument(address.get()), address.size()));
  }
};

// --- Out of the kernel ------------------------------------------------------------

// Writes the virtual path in place of a real one; `room` is what the caller's
// buffer holds, `size` what the kernel gave.
void translate_back(struct sockaddr* address, socklen_t room, socklen_t* size) {
  vfs::PathBuffer path;
  vfs::PathBuffer rest;
  vfs::PathBuffer absolute;
  if (!shim::engaged() || shim::activity != shim::Activity::active || size == nullptr ||
      *size > room || !path_of(address, *size, path) ||
      strncmp(path.text, workspace.upper.text, workspace.upper.length) != 0 ||
      !workspace.to_virtual(path.text, path.length, rest) ||
      !workspace.live_path(rest, absolute)) {
    return;
  }
  *size = static_cast<socklen_t>(kPathOffset + absolute.length + 1);
  const size_t fits = (*size < room ? *size : room) - kPathOffset;
  memcpy(reinterpret_cast<char*>(address) + kPathOffset, absolute.text, fits);
}

void translate_back(struct msghdr* message, socklen_t room) {
  translate_back(static_cast<struct sockaddr*>(message->msg_name), room, &message->msg_namelen);
}

}  // namespace

VFS_INTERPOSE(int, bind, (int fd, const struct sockaddr* address, socklen_t size)) {
  vfs::PathBuffer path;
  if (!shim::engaged() || !path_of(address, size, path)) return VFS_NEXT(bind)(fd, address, size);
  shim::LocatedPath located;
  long result = shim::retry_while_stale([&]() -> long {
    shim::locate(AT_FDCWD, path.text, vfs::Follow::name, located);
    if (located.where == shim::Where::failed) return located.error;
    if (located.where != shim::Where::inside) return 0;
    const int checked = vfs::check_new_name(located.found, false);
    if (checked != 0) return checked;
    BoundSocket inode(fd);
    return vfs::place_new(workspace, located.found, S_IFSOCK, inode);
  });
  if (result == 0 && located.where != shim::Where::inside) {
    RealAddress outside;
    if (located.where == shim::Where::untouched || outside.set(located.found.path.text) != 0) {
      return VFS_NEXT(bind)(fd, address, size);
    }
    return VFS_NEXT(bind)(fd, outside.get(), outside.size());
  }
  if (result == 0) remember_bound(fd, address, size);
  if (result == -EEXIST) result = -EADDRINUSE;
  shim::log("bind", path.text, "tree", result);
  return shim::answer(result);
}

VFS_INTERPOSE(int, connect, (int fd, const struct sockaddr* address, socklen_t size)) {
  return with_peer("connect", address, size, [&](const struct sockaddr* real, socklen_t length) {
    return VFS_NEXT(connect)(fd, real, length);
  });
}

VFS_INTERPOSE(ssize_t, sendto, (int fd, const void* data, size_t count, int flags,
                                const struct sockaddr* address, socklen_t size)) {
  return with_peer("sendto", address, size, [&](const struct sockaddr* real, socklen_t length) {
    return VFS_NEXT(sendto)(fd, data, count, flags, real, length);
  });
}

namespace {

ssize_t send_message(int fd, const struct msghdr* message, int flags) {
  const auto* address = static_cast<const struct sockaddr*>(message->msg_name);
  return with_peer("sendmsg", address, message->msg_namelen,
                   [&](const struct sockaddr* real, socklen_t length) {
                     struct msghdr copy = *message;
                     copy.msg_name = const_cast<struct sockaddr*>(real);
                     copy.msg_namelen = length;
                     return VFS_NEXT(sendmsg)(fd, &copy, flags);
                   });
}

}  // namespace

VFS_INTERPOSE(ssize_t, sendmsg, (int fd, const struct msghdr* message, int flags)) {
  if (message == nullptr) return VFS_NEXT(sendmsg)(fd, message, flags);
  return send_message(fd, message, flags);
}

VFS_INTERPOSE(int, sendmmsg, (int fd, struct mmsghdr* messages, unsigned count, int flags)) {
  const auto names_path = [&](const struct msghdr& message) {
    vfs::PathBuffer path;
    return path_of(static_cast<const struct sockaddr*>(message.msg_name), message.msg_namelen,
                   path);
  };
  bool any = false;
  for (unsigned i = 0; shim::engaged() && messages != nullptr && i < count; ++i) {
    any = any || names_path(messages[i].msg_hdr);
  }
  if (!any) return VFS_NEXT(sendmmsg)(fd, messages, count, flags);
  for (unsigned i = 0; i < count; ++i) {
    const ssize_t sent = send_message(fd, &messages[i].msg_hdr, flags);
    if (sent < 0) return i > 0 ? static_cast<int>(i) : -1;
    messages[i].msg_len = static_cast<unsigned>(sent);
  }
  return static_cast<int>(count);
}

VFS_INTERPOSE(int, getsockname, (int fd, struct sockaddr* address, socklen_t* size)) {
  const socklen_t room = size != nullptr ? *size : 0;
  const int result = VFS_NEXT(getsockname)(fd, address, size);
  if (result != 0 || !shim::engaged() || room < sizeof(sa_family_t) ||
      address->sa_family != AF_UNIX) {
    return result;
  }
  const uint64_t number = socket_number(fd);
  for (const Bound& entry : bound) {
    if (number == 0 || entry.socket.load(std::memory_order_acquire) != number) continue;
    // The kernel counts a zero behind the path, whether or not it was given.
    const char* path = entry.address.sun_path;
    *size = static_cast<socklen_t>(kPathOffset +
                                   strnlen(path, entry.size - kPathOffset) + 1);
    memcpy(address, &entry.address, *size < room ? *size : room);
    return result;
  }
  translate_back(address, room, size);
  return result;
}

VFS_INTERPOSE(int, getpeername, (int fd, struct sockaddr* address, socklen_t* size)) {
  const socklen_t room = size != nullptr ? *size : 0;
  const int result = VFS_NEXT(getpeername)(fd, address, size);
  if (result == 0) translate_back(address, room, size);
  return result;
}

VFS_INTERPOSE(int, accept, (int fd, struct sockaddr* address, socklen_t* size)) {
  const socklen_t room = size != nullptr ? *size : 0;
  const int result = VFS_NEXT(accept)(fd, address, size);
  if (result >= 0) translate_back(address, room, size);
  return result;
}
VFS_INTERPOSE(int, accept4, (int fd, struct sockaddr* address, socklen_t* size, int flags)) {
  const socklen_t room = size != nullptr ? *size : 0;
  const int result = VFS_NEXT(accept4)(fd, address, size, flags);
  if (result >= 0) translate_back(address, room, size);
  return result;
}

VFS_INTERPOSE(ssize_t, recvfrom, (int fd, void* data, size_t count, int flags,
                                  struct sockaddr* address, socklen_t* size)) {
  const socklen_t room = size != nullptr ? *size : 0;
  const ssize_t result = VFS_NEXT(recvfrom)(fd, data, count, flags, address, size);
  if (result >= 0) translate_back(address, room, size);
  return result;
}

VFS_INTERPOSE(ssize_t, recvmsg, (int fd, struct msghdr* message, int flags)) {
  const socklen_t room = message != nullptr ? message->msg_namelen : 0;
  const ssize_t result = VFS_NEXT(recvmsg)(fd, message, flags);
  if (result >= 0) translate_back(message, room);
  return result;
}

VFS_INTERPOSE(int, recvmmsg, (int fd, struct mmsghdr* messages, unsigned count, int flags,
                              struct timespec* timeout)) {
  // More than these are not received in one call.
  constexpr unsigned kMost = 256;
  socklen_t rooms[kMost];
  if (!shim::engaged()) return VFS_NEXT(recvmmsg)(fd, messages, count, flags, timeout);
  if (count > kMost) count = kMost;
  for (unsigned i = 0; messages != nullptr && i < count; ++i) {
    rooms[i] = messages[i].msg_hdr.msg_namelen;
  }
  const int result = VFS_NEXT(recvmmsg)(fd, messages, count, flags, timeout);
  for (int i = 0; i < result; ++i) translate_back(&messages[i].msg_hdr, rooms[i]);
  return result;
}

#define VFS_TABLE_SOCKETS
#include "shim/entry_points.def"
