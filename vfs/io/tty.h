// Terminals: what they are set to. Nothing here waits; to read and write one, have a
// Stream.
#pragma once

#include <termios.h>

#include "cas/descriptor.h"

namespace vfs::io {

// Whether `fd` is a terminal (isatty(3)). False too if it is not open.
bool is_terminal(int fd);

struct TerminalSize {
  long error = 0;  // 0, or -ENOTTY, -EBADF
  unsigned columns = 0;  // characters; 0 if the terminal does not know
  unsigned rows = 0;
};
// SIGWINCH says that it has changed.
TerminalSize terminal_size(int fd);

// Raw mode while it exists: every byte as it is typed, without echo, without editing of
// lines, Ctrl-C as a byte (cfmakeraw(3)). Its destructor, also by an exception, sets
// what was set before. A signal that ends the program does not: wait for it (Signals).
// Of several, the last is destroyed first. The terminal stays open for it, whatever
// happens to `fd`.
class RawMode {
 public:
  // Throws Error: ENOTTY if `fd` is no terminal, EBADF, EMFILE, EIO. In the background
  // the process is stopped by SIGTTOU, as by any change of a terminal.
  explicit RawMode(int fd);
  ~RawMode();
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  Descriptor terminal_;
  struct termios before_ = {};
};

}  // namespace vfs::io
