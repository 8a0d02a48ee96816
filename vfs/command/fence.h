// A fence that the kernel keeps (Landlock): what a process that is behind it, and all that
// it starts, may do with files.
#pragma once

#include <stdint.h>

#include <string>

#include "cas/descriptor.h"

namespace vfs {

// What may be done with a file, or with all in a directory; the kernel's bits
// (landlock(7)), and groups of them.
namespace access {
constexpr uint64_t kExecute = 1 << 0;
constexpr uint64_t kWriteFile = 1 << 1;
constexpr uint64_t kReadFile = 1 << 2;
constexpr uint64_t kReadDirectory = 1 << 3;
constexpr uint64_t kRemove = 1 << 4 | 1 << 5;           // directories, others
constexpr uint64_t kMake = 0x1fc0;                      // whatever has a name
constexpr uint64_t kRefer = 1 << 13;                    // to another directory (ABI 2)
constexpr uint64_t kTruncate = 1 << 14;                 // (ABI 3)
constexpr uint64_t kDeviceControl = 1 << 15;            // ioctl(2) of devices (ABI 5)

constexpr uint64_t kRead = kReadFile | kReadDirectory;
constexpr uint64_t kChangeNames = kRemove | kMake | kRefer;
constexpr uint64_t kChangeContent = kWriteFile | kTruncate | kDeviceControl;
constexpr uint64_t kWrite = kChangeNames | kChangeContent;
constexpr uint64_t kAll = kRead | kWrite | kExecute;
}  // namespace access

// The version of Landlock that this kernel has; 0: none, or it is not enabled.
int fence_version();
// What --only needs at least: before, truncate(2) passes any fence.
constexpr int kFenceVersion = 3;      // Linux 6.2
constexpr int kNetworkVersion = 4;    // Linux 6.7: TCP can be refused

class Fence {
 public:
  // `handled`: what is refused wherever it is not allowed. With `network`, also to bind
  // and to connect TCP sockets. With `scoped`, where the kernel knows that (ABI 6), also
  // signals to processes outside and abstract Unix-domain sockets of theirs. Throws Error
  // if the kernel has none of it.
  struct Wanted {
    uint64_t handled = access::kAll;
    bool network = false;
    bool scoped = false;
  };
  explicit Fence(const Wanted& wanted);

  // Allows `rights` at and below `path`, links followed; of a file, those that files have.
  // What does not exist is nothing to be allowed. Throws Error.
  void allow(const std::string& path, uint64_t rights);
  // The same for what stands there itself, if that is no link.
  void allow_itself(const std::string& path, uint64_t rights);

  // Puts the calling thread behind it, for good, and whatever it starts. Programs that gain
  // privileges when they are started (setuid) no longer do. Throws Error.
  void enter() const;

 private:
  void add(const std::string& path, uint64_t rights, int flags);

  uint64_t handled_;
  Descriptor ruleset_;
};

}  // namespace vfs
