// How results are written: one line an operation, the same for the same behaviour.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "call.h"

namespace differential {

// A failure is the name of errno; a success is the number, and errno if the call changed it. The
// caller sets errno to 0 before the call.
std::string outcome(long result);

// Bytes as runs: A*5,0*4096,B*1.
std::string runs(std::string_view bytes);

// Type, mode, links, owner, size, mtime, inode and device. Sizes of directories mean nothing.
std::string described(const struct stat& status, dev_t device_of_root);
std::string described(const struct stat& status);

// The real root of the tree becomes `@`.
std::string shown_path(const Worker& worker, std::string path);

// Keeps the inode behind a name or a descriptor from being given to another file, if this run is
// the one that is compared with (see Worker::hold).
void hold(const Worker& worker, int at, const std::string& path, bool follow);
void hold(const Worker& worker, int fd);

}  // namespace differential
