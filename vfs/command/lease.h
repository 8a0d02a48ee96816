// Leases: how a command learns whether a program writes to a file, and keeps it
// from beginning to (fcntl(2), F_SETLEASE).
#pragma once

#include <signal.h>

namespace vfs {

// A read lease on a file, for as long as it lives. Who wants to write to the file
// waits in open(2) meanwhile, for as long as the kernel lets us have it (45 s).
class Lease {
 public:
  explicit Lease(int fd);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Not if someone has the file open for writing; errno says so with EAGAIN.
  bool held() const { return held_; }
  // Someone waits for us to let go, to write.
  bool wanted() const;

 private:
  int fd_;
  bool held_;
};

// Whether someone has a file open for writing or mapped writable, which the
// kernel says by refusing a read lease. False too if it will not tell.
bool has_writer(int fd);

// Takes the flock(2) of a file. True if a program has that, or a lock on a part:
// a lock belongs to the inode, and who holds one and who asks next must meet.
bool is_locked(int fd);

// A lease that is broken announces itself with SIGIO, which would end the
// process. Leases are taken only while one of these exists.
class IgnoreLeaseSignal {
 public:
  IgnoreLeaseSignal();
  ~IgnoreLeaseSignal();
  IgnoreLeaseSignal(const IgnoreLeaseSignal&) = delete;
  IgnoreLeaseSignal& operator=(const IgnoreLeaseSignal&) = delete;

 private:
  struct sigaction old_;
};

}  // namespace vfs
