// Programs that are started and waited for.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "cas/descriptor.h"
#include "vfs/io/stream.h"
#include "vfs/io/task.h"

namespace vfs::io {

// What one of a child's standard descriptors is.
struct Stdio {
  enum class Kind : uint8_t { inherit, null, pipe, descriptor };

  static Stdio inherit() { return {}; }          // what it is here
  static Stdio null() { return {Kind::null, -1}; }  // /dev/null
  static Stdio pipe() { return {Kind::pipe, -1}; }  // the other end is in Child
  // A copy of `fd`, which stays the caller's and has to be open until start() returns.
  static Stdio descriptor(int fd) { return {Kind::descriptor, fd}; }

  Kind kind = Kind::inherit;
  int fd = -1;
};

struct Command {
  // With a slash a path (one that is relative begins in `directory`); without, it is
  // looked for in PATH of this process. It is the first argument too (argv[0]).
  std::string program;
  std::vector<std::string> arguments;  // behind argv[0]
  std::optional<std::vector<std::string>> environment;  // NAME=VALUE, all there is; else as here
  std::string directory;  // empty: the working directory
  // Blocked at the start; else what this thread had before any Signals.
  std::optional<sigset_t> signal_mask;
  Stdio input;
  Stdio output;
  Stdio error_output;
};

struct ExitStatus {
  long error = 0;  // a negative errno: then nothing else is known
  int code = 0;    // what it gave to exit(3), 0 to 255
  int signal = 0;  // what ended it, or 0
  bool dumped_core = false;

  bool succeeded() const { return error == 0 && code == 0 && signal == 0; }
};

// A child, which its owner waits for. A child that is not waited for to the end is
// killed (SIGKILL) and waited for by the destructor: neither it nor a zombie is left.
// (Its own children are.) Not thread-safe; stays where it is while wait() is under way.
class Child {
 public:
  Child() = default;
  Child(Child&& other) noexcept { swap(other); }
  Child& operator=(Child&& other) noexcept {
    Child old(std::move(*this));
    swap(other);
    return *this;
  }
  ~Child();

  // Waits for its end, and tells it; again as often as it is asked. -ECANCELED: it goes
  // on, and may be waited for again. -ECHILD: somebody else has waited for it, or
  // SIGCHLD is ignored. Does not close the pipes: a child that reads until the end of
  // its input may wait for that.
  Task<ExitStatus> wait();

  // Sends a signal. 0; -ESRCH once it was waited for; -EINVAL, -EPERM.
  long kill(int signal) const;

  // 0: none. While it was not waited for, no other process has it.
  pid_t pid() const { return pid_; }
  // Of the process (pidfd_open(2)), or -1: the kernel (before 5.3) has none, or there
  // was no descriptor left.
  int pidfd() const { return pidfd_.get(); }

  // The other ends of what Stdio::pipe() stood for.
  Stream input;         // to be written
  Stream output;        // to be read
  Stream error_output;  // to be read

 private:
  friend struct Started start(const Command& command);
  void swap(Child& other) noexcept;
  bool has_ended(long& error);

  pid_t pid_ = 0;
  Descriptor pidfd_;
  std::optional<ExitStatus> status_;
};

struct Started {
  long error = 0;  // a negative errno, or 0
  Child child;
};

// Starts a program: when it returns, the program runs, or it is known why not: -ENOENT
// and -EACCES (also of `directory`, a script's interpreter), -ENOEXEC, -E2BIG, -EAGAIN,
// -ENOMEM, -EMFILE, -ENFILE, -ENOTDIR; -EBADF for a descriptor that is not open;
// -EINVAL for a text with a NUL in it. Takes as long as the kernel needs to load it.
//
// The child gets the standard descriptors and those without FD_CLOEXEC, the signal mask
// from before any Signals of this thread, and the rest of what is inherited over
// execve(2) as it is here: who ignores SIGPIPE starts children that do.
Started start(const Command& command);

}  // namespace vfs::io
