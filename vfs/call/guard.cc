#include "vfs/call/guard.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

namespace vfs::call {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGABRT};
constexpr size_t kCount = sizeof(kSignals) / sizeof(kSignals[0]);

struct State {
  sigjmp_buf target;
  Crash crash;
  volatile sig_atomic_t armed = 0;
  struct sigaction before[kCount];
  stack_t stack_before;
  alignas(16) char stack[64 * 1024];
};
State state;

void on_signal(int number, siginfo_t* info, void*) {
  // Outside of a call: as if there were no handler.
  if (state.armed == 0) {
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  state.crash.signal = number;
  // Sent by a process (raise, kill, abort): the address means nothing.
  state.crash.has_address = info->si_code > 0 && number != SIGABRT && number != SIGSYS;
  state.crash.address = reinterpret_cast<uintptr_t>(info->si_addr);
  siglongjmp(state.target, 1);
}

}  // namespace

std::string crash_text(const Crash& crash) {
  const char* name = sigabbrev_np(crash.signal);
  const std::string text = fmt::format("SIG{}", name != nullptr ? name : "?");
  return crash.has_address ? fmt::format("{} at address {:#x}", text, crash.address) : text;
}

Guard::Guard() {
  const stack_t own = {state.stack, 0, sizeof(state.stack)};
  sigaltstack(&own, &state.stack_before);
  struct sigaction action = {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kCount; ++i) sigaction(kSignals[i], &action, &state.before[i]);
}

Guard::~Guard() {
  for (size_t i = 0; i < kCount; ++i) sigaction(kSignals[i], &state.before[i], nullptr);
  sigaltstack(&state.stack_before, nullptr);
}

Crash& Guard::last() { return state.crash; }
sigjmp_buf* Guard::target() { return &state.target; }
void Guard::arm(bool armed) { state.armed = armed ? 1 : 0; }

}  // namespace vfs::call
