#include "vfs/io/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <iterator>

namespace vfs::io {
namespace {

constexpr int kNumbers[] = {SIGINT, SIGTERM, SIGHUP};

// What the handler and all threads share.
std::atomic<int> event = -1;
std::atomic<int> came = 0;   // the signal
std::atomic<bool> told = false;
struct sigaction before[std::size(kNumbers)];

void note(int number) {
  const int saved = errno;
  came = number;
  ::eventfd_write(event, 1);
  errno = saved;
}

// Calls that the work has nothing to do with go on. The second signal finds what was
// there by default: who presses Ctrl-C twice does not want to wait.
void handle(int number, struct sigaction& old) {
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART | SA_RESETHAND;
  ::sigaction(number, nullptr, &old);
  if (old.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);
}

bool begin() {
  if (event >= 0) return false;
  event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return false;
  came = 0;
  told = false;
  for (size_t i = 0; i < std::size(kNumbers); ++i) handle(kNumbers[i], before[i]);
  return true;
}

}  // namespace

Interruptible::Interruptible() : outermost_(begin()) {}

Interruptible::~Interruptible() {
  if (!outermost_) return;
  for (size_t i = 0; i < std::size(kNumbers); ++i) ::sigaction(kNumbers[i], &before[i], nullptr);
  ::close(event.exchange(-1));
  if (came != 0 && !told) ::raise(came);
}

void throw_if_interrupted() {
  const int number = came;
  if (number == 0 || event < 0) return;
  told = true;
  throw Interrupted(number);
}

int interrupt_event() { return event; }

}  // namespace vfs::io
