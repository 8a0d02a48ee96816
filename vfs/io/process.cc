#include "vfs/io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#include "vfs/io/signal.h"
#include "vfs/io/time.h"

namespace vfs::io {
namespace {

// How often a child is looked for where there is no pidfd. (A worker in waitpid(2)
// would be lost for everything else until then, and could not be cancelled.)
constexpr int64_t kFirstPause = 500'000;  // ns
constexpr int64_t kLongestPause = 50'000'000;

int pidfd_open(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

bool has_nul(const Command& command) {
  const auto any = [](const std::vector<std::string>& texts) {
    return std::any_of(texts.begin(), texts.end(), [](const std::string& text) { return has_nul(text); });
  };
  return has_nul(command.program) || has_nul(command.directory) || any(command.arguments) ||
         (command.environment && any(*command.environment));
}

// What is given to posix_spawn(3), which does all that is needed here; fork(2) would
// copy the tables of this process' memory, and run with its locks as they are.
class Plan {
 public:
  explicit Plan(const Command& command) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    const sigset_t mask = command.signal_mask.value_or(signal_mask_of_children());
    posix_spawnattr_setsigmask(&attributes_, &mask);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~Plan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // An errno, or 0. Of a pipe our end goes to `ours`.
  int add(const Stdio& what, int target, Stream& ours) {
    int error = 0;
    switch (what.kind) {
      case Stdio::Kind::inherit: return 0;
      case Stdio::Kind::null: return posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0);
      case Stdio::Kind::descriptor: return put(what.fd, target);
      case Stdio::Kind::pipe: break;
    }
    Pipe pipe = make_pipe();
    if (pipe.error != 0) return static_cast<int>(-pipe.error);
    const bool reads = target == STDIN_FILENO;
    error = put((reads ? pipe.reader : pipe.writer).fd(), target);
    ours = std::move(reads ? pipe.writer : pipe.reader);
    return error;
  }

  int enter(const std::string& directory) {
    return directory.empty() ? 0 : posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }

  int run(const Command& command, pid_t& pid) {
    std::vector<std::string> texts = {command.program};
    texts.insert(texts.end(), command.arguments.begin(), command.arguments.end());
    const std::vector<char*> arguments = pointers_to(texts);
    std::vector<char*> variables;
    if (command.environment) variables = pointers_to(*command.environment);
    return ::posix_spawnp(&pid, command.program.c_str(), &actions_, &attributes_, arguments.data(),
                          command.environment ? variables.data() : environ);
  }

 private:
  // Above the standard ones, so that none is overwritten before it was copied.
  int put(int fd, int target) {
    Descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!copy) return errno;
    const int error = posix_spawn_file_actions_adddup2(&actions_, copy.get(), target);
    copies_.push_back(std::move(copy));
    return error;
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::vector<Descriptor> copies_;
};

ExitStatus status_from(const siginfo_t& info) {
  ExitStatus status;
  if (info.si_code == CLD_EXITED) {
    status.code = info.si_status;
  } else {
    status.signal = info.si_status;
    status.dumped_core = info.si_code == CLD_DUMPED;
  }
  return status;
}

// 0 if it ended and is no zombie any more; -EAGAIN if it runs; or what waitid(2) says.
long reap(pid_t pid, int options, siginfo_t& info) {
  info = {};
  int result;
  do {
    result = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | options);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return -errno;
  return info.si_pid == 0 ? -EAGAIN : 0;
}

}  // namespace

Started start(const Command& command) {
  Started result;
  Child& child = result.child;
  Plan plan(command);
  int error = has_nul(command) ? EINVAL : 0;
  if (error == 0) error = plan.add(command.input, STDIN_FILENO, child.input);
  if (error == 0) error = plan.add(command.output, STDOUT_FILENO, child.output);
  if (error == 0) error = plan.add(command.error_output, STDERR_FILENO, child.error_output);
  if (error == 0) error = plan.enter(command.directory);
  if (error == 0) error = plan.run(command, child.pid_);
  if (error != 0) {
    child.pid_ = 0;
    child = Child();
    result.error = -error;
    return result;
  }
  // It is ours, and not waited for: nobody else can have its number by now.
  child.pidfd_ = Descriptor(pidfd_open(child.pid_));
  return result;
}

void Child::swap(Child& other) noexcept {
  std::swap(input, other.input);
  std::swap(output, other.output);
  std::swap(error_output, other.error_output);
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(status_, other.status_);
}

Child::~Child() {
  if (pid_ == 0 || status_) return;
  siginfo_t info;
  if (reap(pid_, WNOHANG, info) != -EAGAIN) return;
  ::kill(pid_, SIGKILL);
  reap(pid_, 0, info);
}

bool Child::has_ended(long& error) {
  if (status_) return true;
  siginfo_t info;
  error = pid_ == 0 ? -ECHILD : reap(pid_, WNOHANG, info);
  if (error == 0) status_ = status_from(info);
  return error == 0;
}

Task<ExitStatus> Child::wait() {
  ExitStatus failed;
  int64_t pause = kFirstPause;
  while (!has_ended(failed.error)) {
    if (failed.error != -EAGAIN) co_return failed;
    Task<long> waiting = pidfd_ ? wait_until_ready(pidfd_.get(), POLLIN) : sleep_for(pause);
    failed.error = co_await std::move(waiting);
    if (failed.error < 0) co_return failed;
    pause = std::min(2 * pause, kLongestPause);
  }
  co_return *status_;
}

long Child::kill(int signal) const {
  if (pid_ == 0 || status_) return -ESRCH;
  return ::kill(pid_, signal) == 0 ? 0 : -errno;
}

}  // namespace vfs::io
