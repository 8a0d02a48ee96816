// Children: how they start, and what they are given.
#include <fcntl.h>

#include <algorithm>

#include "tests/io/backends.h"
#include "tests/io/children.h"
#include "vfs/io/signal.h"

namespace vfs::io::test {
namespace {

// Descriptors of this process that a child has too, among them the standard ones.
size_t count_inherited() {
  size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (fd <= STDERR_FILENO || (flags >= 0 && (flags & FD_CLOEXEC) == 0)) ++count;
  }
  return count;
}

// A descriptor of this process is a copy of another one while this exists.
class Placed {
 public:
  Placed(int fd, int target) : target_(target), before_(::fcntl(target, F_DUPFD_CLOEXEC, 3)) { ::dup2(fd, target); }
  ~Placed() { ::dup2(before_.get(), target_); }
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;

 private:
  const int target_;
  const Descriptor before_;
};

}  // namespace

TEST_CASE("what cannot be started is an errno, and leaves nothing") {
  const auto before = count_descriptors();
  Command command;
  command.input = command.output = command.error_output = Stdio::pipe();
  command.program = "no-such-program-of-this-name";
  CHECK(start(command).error == -ENOENT);
  command.program = "/no/such/program";
  CHECK(start(command).error == -ENOENT);
  command.program = "";
  CHECK(start(command).error == -ENOENT);
  command.program = std::string(100'000, 'x');
  CHECK(start(command).error == -ENAMETOOLONG);
  command.program = "/dev/null";
  CHECK(start(command).error == -EACCES);
  command.program = std::string("sh\0x", 4);
  CHECK(start(command).error == -EINVAL);
  command.program = "true";
  command.directory = "/no/such/directory";
  CHECK(start(command).error == -ENOENT);
  command.directory = "/dev/null";
  CHECK(start(command).error == -ENOTDIR);
  command.directory = std::string("/\0", 2);
  CHECK(start(command).error == -EINVAL);
  command.directory = "";
  command.arguments = {std::string("a\0b", 3)};
  CHECK(start(command).error == -EINVAL);
  command.arguments = {std::string(64 << 20, 'x')};
  CHECK(start(command).error == -E2BIG);
  command.arguments = {};
  command.environment = std::vector<std::string>{std::string("A=\0", 3)};
  CHECK(start(command).error == -EINVAL);
  command.environment.reset();
  command.error_output = Stdio::descriptor(-1);
  CHECK(start(command).error == -EBADF);
  CHECK(count_descriptors() == before);
  check_no_children();
}

TEST_CASE("arguments, environment and directory are what the command says") {
  on_both([](Executor& executor) {
    Command command = shell("echo \"$0,$1,$HOME,$ONLY\"; pwd");
    command.arguments.insert(command.arguments.end(), {"zero", "two words"});
    command.directory = "/usr";
    command.environment = std::vector<std::string>{"ONLY=this", "PATH=/usr/bin:/bin"};
    const std::string output = output_of(executor, command);
    CHECK(output == "zero,two words,,this\n/usr\n");
    ::setenv("IO_TEST_VARIABLE", "inherited", 1);
    CHECK(output_of(executor, shell("echo $IO_TEST_VARIABLE")) == "inherited\n");
    ::unsetenv("IO_TEST_VARIABLE");
  });
}

TEST_CASE("the standard descriptors are what the command says, and nothing else is open") {
  on_both([](Executor& executor) {
    Command command = shell("echo out; echo err >&2");
    command.error_output = Stdio::null();
    CHECK(output_of(executor, command) == "out\n");
    command = shell("cat");
    command.input = Stdio::null();
    CHECK(output_of(executor, command) == "");
    // Two that are exchanged: what is written to one comes out of the other.
    bool succeeded = false;
    Pipe one = make_pipe();
    Pipe two = make_pipe();
    {
      const Placed output(one.writer.fd(), STDOUT_FILENO);
      const Placed error_output(two.writer.fd(), STDERR_FILENO);
      command = shell("echo first; echo second >&2");
      command.output = Stdio::descriptor(STDERR_FILENO);
      command.error_output = Stdio::descriptor(STDOUT_FILENO);
      succeeded = status_of(executor, command).succeeded();
    }
    CHECK(succeeded);
    CHECK(executor.run(one.reader.read(Buffer(100))).buffer.text() == "second\n");
    CHECK(executor.run(two.reader.read(Buffer(100))).buffer.text() == "first\n");
    // ls has one of its own, of the directory.
    const std::string open = output_of(executor, shell("exec ls /proc/self/fd"));
    CHECK(static_cast<size_t>(std::count(open.begin(), open.end(), '\n')) == count_inherited() + 1);
  });
}

TEST_CASE("children start with the signals from before, and ignore what is ignored here") {
  on_both([](Executor& executor) {
    const Ignored sigpipe(SIGPIPE);
    const Ignored hangup(SIGHUP);
    Command command;
    command.program = "grep";
    command.arguments = {"-E", "SigBlk|SigIgn", "/proc/self/status"};
    const std::string usual = output_of(executor, command);
    const Signals signals{SIGINT, SIGTERM, SIGCHLD};
    CHECK(output_of(executor, command) == usual);
    const size_t at = usual.find("SigIgn:");
    REQUIRE(at != std::string::npos);
    const unsigned long ignored = std::stoul(usual.substr(at + 7), nullptr, 16);
    CHECK((ignored >> (SIGPIPE - 1) & 1) == 1);
    CHECK((ignored >> (SIGHUP - 1) & 1) == 1);
    // And a child that is waited for ends by Ctrl-C, as it is used to.
    Child child = started(shell("exec sleep 1000"));
    CHECK(child.kill(SIGINT) == 0);
    bool in_time = true;
    CHECK(executor.run(within(10'000'000'000, child.wait(), in_time)).signal == SIGINT);
  });
}

}  // namespace vfs::io::test
