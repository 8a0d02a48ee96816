#include "vfs/io/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cas/error.h"

namespace vfs::io {
namespace {

// At once: to wait until all output is gone may last for as long as it is held up.
int set(int fd, const struct termios& wanted) {
  int result;
  do {
    result = ::tcsetattr(fd, TCSANOW, &wanted);
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

TerminalSize terminal_size(int fd) {
  TerminalSize result;
  struct winsize size = {};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) {
    result.error = -errno;
  } else {
    result.columns = size.ws_col;
    result.rows = size.ws_row;
  }
  return result;
}

RawMode::RawMode(int fd) : terminal_(::fcntl(fd, F_DUPFD_CLOEXEC, 0)) {
  if (!terminal_ || ::tcgetattr(terminal_.get(), &before_) != 0) throw system_error("raw mode", errno);
  struct termios raw = before_;
  ::cfmakeraw(&raw);
  if (set(terminal_.get(), raw) != 0) throw system_error("raw mode", errno);
}

RawMode::~RawMode() { set(terminal_.get(), before_); }

}  // namespace vfs::io
