// Children that tests start.
#pragma once

#include <signal.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "tests/io/support.h"
#include "vfs/io/process.h"

namespace vfs::io::test {

inline Command shell(std::string script) {
  Command command;
  command.program = "sh";
  command.arguments = {"-c", std::move(script)};
  return command;
}

inline Child started(const Command& command) {
  Started result = start(command);
  REQUIRE(result.error == 0);
  REQUIRE(result.child.pid() > 0);
  return std::move(result.child);
}

inline ExitStatus status_of(Executor& executor, const Command& command) {
  Child child = started(command);
  return executor.run(child.wait());
}

inline std::string output_of(Executor& executor, Command command) {
  command.output = Stdio::pipe();
  Child child = started(command);
  const Contents contents = executor.run(read_to_end(child.output, 1 << 20));
  CHECK(contents.error == 0);
  CHECK(executor.run(child.wait()).succeeded());
  return contents.bytes;
}

// No child is left, neither running nor as a zombie.
inline void check_no_children() {
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

}  // namespace vfs::io::test
