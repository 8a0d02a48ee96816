#include "vfs/command/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

namespace vfs {

Lease::Lease(int fd) : fd_(fd), held_(::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {}

Lease::~Lease() {
  if (held_) ::fcntl(fd_, F_SETLEASE, F_UNLCK);
}

bool Lease::wanted() const { return ::fcntl(fd_, F_GETLEASE) != F_RDLCK; }

bool has_writer(int fd) {
  const Lease lease(fd);
  return !lease.held() && errno == EAGAIN;
}

bool is_locked(int fd) {
  struct flock range = {};
  range.l_type = F_WRLCK;
  return ::flock(fd, LOCK_EX | LOCK_NB) != 0 ||
         (::fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK);
}

IgnoreLeaseSignal::IgnoreLeaseSignal() {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGIO, &ignore, &old_);
}

IgnoreLeaseSignal::~IgnoreLeaseSignal() { sigaction(SIGIO, &old_, nullptr); }

}  // namespace vfs
