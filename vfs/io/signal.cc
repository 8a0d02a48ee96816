#include "vfs/io/signal.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cas/error.h"
#include "vfs/io/stream.h"

namespace vfs::io {
namespace {

constexpr int kSignals = 65;  // 1 to 64

// Of one signal, on this thread.
struct Blocked {
  unsigned objects = 0;
  bool ours = false;  // it was not blocked before
};
thread_local Blocked blocked[kSignals];

template <typename Function>
void for_each(const sigset_t& set, Function function) {
  for (int number = 1; number < kSignals; ++number) {
    if (sigismember(&set, number) == 1) function(number);
  }
}

sigset_t current_mask() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}

void block(const sigset_t& set) {
  const sigset_t before = current_mask();
  for_each(set, [&](int number) {
    if (blocked[number].objects++ == 0) blocked[number].ours = sigismember(&before, number) == 0;
  });
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void unblock(const sigset_t& set) {
  sigset_t free;
  sigemptyset(&free);
  for_each(set, [&](int number) {
    if (--blocked[number].objects == 0 && blocked[number].ours) sigaddset(&free, number);
  });
  pthread_sigmask(SIG_UNBLOCK, &free, nullptr);
}

}  // namespace

Signals::Signals(std::initializer_list<int> numbers) {
  sigemptyset(&set_);
  for (const int number : numbers) {
    if (number == SIGKILL || number == SIGSTOP || sigaddset(&set_, number) != 0) {
      throw system_error("signal " + std::to_string(number), EINVAL);
    }
  }
  descriptor_ = Descriptor(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor_) throw system_error("signalfd", errno);
  block(set_);
}

Signals::~Signals() { unblock(set_); }

// Read here, and not by an operation: a signal of this thread is for no worker.
Task<Signal> Signals::next() {
  Signal result;
  for (;;) {
    Task<long> waiting = wait_until_ready(descriptor_.get(), POLLIN);
    result.error = co_await std::move(waiting);
    if (result.error < 0) break;
    struct signalfd_siginfo info;
    const ssize_t size = ::read(descriptor_.get(), &info, sizeof(info));
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;  // somebody else had it
    result.error = size < 0 ? -errno : 0;
    if (size < 0) break;
    result.number = static_cast<int>(info.ssi_signo);
    result.sender = static_cast<pid_t>(info.ssi_pid);
    result.user = info.ssi_uid;
    result.status = info.ssi_status;
    break;
  }
  co_return result;
}

sigset_t signal_mask_of_children() {
  sigset_t mask = current_mask();
  for (int number = 1; number < kSignals; ++number) {
    if (blocked[number].objects > 0 && blocked[number].ours) sigdelset(&mask, number);
  }
  return mask;
}

Task<long> wait_for_interrupt() {
  Signals interrupt{SIGINT};
  Task<Signal> waiting = interrupt.next();
  const Signal signal = co_await std::move(waiting);
  co_return signal.error;
}

}  // namespace vfs::io
