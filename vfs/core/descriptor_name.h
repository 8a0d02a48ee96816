// "/proc/self/fd/N": a descriptor as a path.
#pragma once

namespace vfs {

struct DescriptorName {
  char text[32] = "/proc/self/fd/";

  explicit DescriptorName(int fd) {
    char* end = text + 14;
    int divisor = 1;
    while (fd / divisor >= 10) divisor *= 10;
    for (; divisor > 0; divisor /= 10) *end++ = static_cast<char>('0' + fd / divisor % 10);
    *end = '\0';
  }
};

}  // namespace vfs
