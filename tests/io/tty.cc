// Terminals: a real pair of pseudo-terminals.
#include "vfs/io/tty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cas/error.h"
#include "tests/io/backends.h"
#include "tests/io/support.h"
#include "vfs/io/stream.h"

namespace vfs::io::test {
namespace {

// What a terminal emulator has, and what its programs have.
struct Terminal {
  Stream emulator;
  Stream program;
};

Terminal new_terminal() {
  Descriptor emulator(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(emulator);
  REQUIRE(::grantpt(emulator.get()) == 0);
  REQUIRE(::unlockpt(emulator.get()) == 0);
  char name[100];
  REQUIRE(::ptsname_r(emulator.get(), name, sizeof(name)) == 0);
  Descriptor program(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(program);
  return {Stream(std::move(emulator)), Stream(std::move(program))};
}

struct termios settings(int fd) {
  struct termios result = {};
  REQUIRE(::tcgetattr(fd, &result) == 0);
  return result;
}

bool same(const struct termios& one, const struct termios& other) {
  return one.c_iflag == other.c_iflag && one.c_oflag == other.c_oflag && one.c_cflag == other.c_cflag &&
         one.c_lflag == other.c_lflag && memcmp(one.c_cc, other.c_cc, sizeof(one.c_cc)) == 0;
}

}  // namespace

TEST_CASE("a terminal is one, and has a size") {
  const auto before = count_descriptors();
  {
    const Terminal terminal = new_terminal();
    const Pipe pipe = make_pipe();
    CHECK(is_terminal(terminal.program.fd()));
    CHECK_FALSE(is_terminal(pipe.reader.fd()));
    CHECK_FALSE(is_terminal(-1));
    const struct winsize wanted = {50, 132, 0, 0};
    REQUIRE(::ioctl(terminal.emulator.fd(), TIOCSWINSZ, &wanted) == 0);
    const TerminalSize size = terminal_size(terminal.program.fd());
    CHECK(size.error == 0);
    CHECK(size.columns == 132);
    CHECK(size.rows == 50);
    CHECK(terminal_size(pipe.reader.fd()).error == -ENOTTY);
    CHECK(terminal_size(-1).error == -EBADF);
  }
  CHECK(count_descriptors() == before);
}

TEST_CASE("raw mode is left at the end, also by an exception, and after the descriptor was closed") {
  const auto before = count_descriptors();
  {
    Terminal terminal = new_terminal();
    const int fd = terminal.program.fd();
    const struct termios usual = settings(fd);
    REQUIRE((usual.c_lflag & ICANON) != 0);
    try {
      const RawMode raw(fd);
      CHECK((settings(fd).c_lflag & (ICANON | ECHO | ISIG)) == 0);
      throw 1;
    } catch (int) {
    }
    CHECK(same(settings(fd), usual));
    {
      const RawMode raw(fd);
      const RawMode again(fd);
      terminal.program = Stream();
    }
    CHECK(same(settings(terminal.emulator.fd()), usual));
  }
  CHECK(count_descriptors() == before);
}

TEST_CASE("raw mode of what is no terminal is an error") {
  const Pipe pipe = make_pipe();
  const auto code = [](int fd) {
    try {
      const RawMode raw(fd);
    } catch (const Error& error) {
      return error.code;
    }
    return 0;
  };
  const auto before = count_descriptors();
  CHECK(code(pipe.reader.fd()) == ENOTTY);
  CHECK(code(-1) == EBADF);
  CHECK(count_descriptors() == before);
}

TEST_CASE("a terminal gives a line when it is one, and in raw mode every byte") {
  on_both([](Executor& executor) {
    Terminal terminal = new_terminal();
    executor.run(terminal.emulator.write(Buffer("half")));
    Transfer result = executor.run(cancelled(terminal.program.read(Buffer(100))));
    CHECK(result.count == -ECANCELED);
    executor.run(terminal.emulator.write(Buffer(" a line\n")));
    result = executor.run(terminal.program.read(Buffer(100)));
    CHECK(result.buffer.text() == "half a line\n");
    const RawMode raw(terminal.program.fd());
    executor.run(terminal.emulator.write(Buffer("\x03")));
    result = executor.run(terminal.program.read(Buffer(100)));
    CHECK(result.buffer.text() == "\x03");
  });
}

TEST_CASE("a terminal that somebody has made non-blocking is waited for all the same") {
  on_both([](Executor& executor) {
    const Terminal terminal = new_terminal();
    REQUIRE(::fcntl(terminal.program.fd(), F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    CHECK(executor.run(cancelled(terminal.program.read(Buffer(10)))).count == -ECANCELED);
    executor.run(terminal.emulator.write(Buffer("line\n")));
    CHECK(executor.run(terminal.program.read(Buffer(10))).buffer.text() == "line\n");
  });
}

TEST_CASE("much output to a terminal that shows it slowly does not hold up who shows it") {
  on_both([](Executor& executor) {
    Terminal terminal = new_terminal();
    const RawMode raw(terminal.program.fd());
    const std::string bytes = some_bytes(200'000);
    long count = 0;
    std::string shown;
    executor.run(with_group(2, [&](Group& group) -> Task<> {
      co_await group.add(write_text(terminal.program, bytes, count));
      while (shown.size() < bytes.size()) {
        Transfer piece = co_await terminal.emulator.read(Buffer(1'000));
        REQUIRE(piece.count > 0);
        shown += piece.buffer.text();
      }
    }));
    CHECK(count == 200'000);
    CHECK(shown == bytes);
  });
}

}  // namespace vfs::io::test
