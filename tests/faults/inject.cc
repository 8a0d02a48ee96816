// inject: runs a command and disturbs it at the N-th system call that changes
// something. README.md here says how to use it.
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <set>

#include "calls.h"
#include "registers.h"

namespace faults {
namespace {

enum class Fault { none, kill_before, kill_after, error };

struct Options {
  unsigned long at = 0;  // 1 is the first call; 0: no fault
  Fault fault = Fault::none;
  int error = 0;
  bool onwards = false;
  FILE* report = nullptr;
};

class Tracer {
 public:
  Tracer(const Options& options, pid_t leader) : options_(options), leader_(leader) {}

  // Until all processes are gone: the exit status of the first, or 128 and the
  // signal that ended it.
  int run();
  unsigned long count() const { return count_; }

 private:
  void stopped(pid_t thread, int status);
  void at_call(pid_t thread);
  void enter(const Call& call);
  void leave(pid_t thread);
  bool is_due(const Rule& rule) const;
  void report(const std::string& call, const char* fault);
  void kill_all() { ::kill(-leader_, SIGKILL); }

  const Options& options_;
  const pid_t leader_;
  unsigned long count_ = 0;
  std::set<pid_t> known_;
  std::map<pid_t, Fault> pending_;  // at the exit of the call that the thread is in
};

void Tracer::report(const std::string& call, const char* fault) {
  if (options_.report == nullptr) return;
  fprintf(options_.report, "%lu %s%s%s\n", count_, call.c_str(), *fault != '\0' ? " <- " : "", fault);
  fflush(options_.report);
}

// A full disk goes on refusing what needs room, a broken one everything.
bool Tracer::is_due(const Rule& rule) const {
  if (options_.fault == Fault::none || count_ < options_.at) return false;
  if (!options_.onwards) return count_ == options_.at;
  const bool full = options_.error == ENOSPC || options_.error == EDQUOT;
  return !full || needs_room(rule);
}

void Tracer::enter(const Call& call) {
  const Rule* const rule = changing(call);
  if (rule == nullptr) return;
  ++count_;
  const std::string text = describe(*rule, call);
  if (!is_due(*rule)) return report(text, "");
  switch (options_.fault) {
    case Fault::kill_before:
      report(text, "killed before");
      skip_call(call.thread);
      return kill_all();
    case Fault::kill_after: report(text, "killed after"); break;
    default:
      report(text, strerrorname_np(options_.error));
      skip_call(call.thread);
  }
  pending_[call.thread] = options_.fault;
}

void Tracer::leave(pid_t thread) {
  const auto pending = pending_.extract(thread);
  if (pending.empty()) return;
  if (pending.mapped() == Fault::kill_after) return kill_all();
  set_result(thread, -options_.error);
}

void Tracer::at_call(pid_t thread) {
  struct __ptrace_syscall_info information;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(information), &information) < 0) {
    if (errno == ESRCH) return;  // killed meanwhile
    give_up("inject: a call");
  }
  if (information.op == PTRACE_SYSCALL_INFO_ENTRY) {
    Call call = {thread, information.entry.nr, {}};
    memcpy(call.arguments, information.entry.args, sizeof(call.arguments));
    enter(call);
  } else if (information.op == PTRACE_SYSCALL_INFO_EXIT) {
    leave(thread);
  }
}

void Tracer::stopped(pid_t thread, int status) {
  constexpr int kCall = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD
  const bool is_new = known_.insert(thread).second;
  const int signal = WSTOPSIG(status);
  int deliver = 0;
  if (signal == kCall) {
    at_call(thread);
  } else if (status >> 16 == 0 && !(is_new && signal == SIGSTOP)) {
    deliver = signal;  // the thread's own; a new one begins with a stop of ours
  }
  if (ptrace(PTRACE_SYSCALL, thread, 0, deliver) != 0 && errno != ESRCH) give_up("inject: go on");
}

int Tracer::run() {
  int result = 125;
  for (;;) {
    int status;
    const pid_t thread = waitpid(-1, &status, __WALL);
    if (thread < 0 && errno == EINTR) continue;
    if (thread < 0) return result;
    if (WIFSTOPPED(status)) {
      stopped(thread, status);
      continue;
    }
    known_.erase(thread);
    pending_.erase(thread);
    if (thread != leader_) continue;
    result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

// One processor: what uses a thread for each does all by itself, in one order.
void use_one_processor() {
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof(all), &all) != 0) give_up("inject: sched_getaffinity");
  int first = 0;
  while (!CPU_ISSET(first, &all)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  if (sched_setaffinity(0, sizeof(one), &one) != 0) give_up("inject: sched_setaffinity");
}

pid_t start(char** command) {
  const pid_t child = fork();
  if (child < 0) give_up("inject: fork");
  if (child == 0) {
    setpgid(0, 0);
    use_one_processor();
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) give_up("inject: ptrace");
    raise(SIGSTOP);
    execvp(command[0], command);
    give_up(command[0]);
  }
  int status;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) give_up("inject: the command");
  constexpr long kFollow = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                           PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SETOPTIONS, child, 0, kFollow) != 0) give_up("inject: ptrace");
  return child;
}

int errno_by_name(const char* name) {
  for (int error = 1; error < 200; ++error) {
    const char* const known = strerrorname_np(error);
    if (known != nullptr && strcmp(known, name) == 0) return error;
  }
  fprintf(stderr, "inject: no errno is called %s\n", name);
  exit(125);
}

[[noreturn]] void usage() {
  fputs("usage: inject [--report FILE] [--at N (--kill | --kill-after | --error ERRNO [--onwards])]\n"
        "              COMMAND [ARGUMENT...]\n", stderr);
  exit(125);
}

FILE* open_report(const char* path) {
  FILE* const file = fopen(path, "we");
  if (file == nullptr) give_up(path);
  return file;
}

Options read_options(int count, char** words) {
  static const struct option kOptions[] = {
      {"at", required_argument, nullptr, 'n'},    {"kill", no_argument, nullptr, 'k'},
      {"kill-after", no_argument, nullptr, 'a'},  {"error", required_argument, nullptr, 'e'},
      {"onwards", no_argument, nullptr, 'o'},     {"report", required_argument, nullptr, 'r'},
      {nullptr, 0, nullptr, 0}};
  Options options;
  for (int option; (option = getopt_long(count, words, "+", kOptions, nullptr)) != -1;) {
    switch (option) {
      case 'n': options.at = strtoul(optarg, nullptr, 10); break;
      case 'k': options.fault = Fault::kill_before; break;
      case 'a': options.fault = Fault::kill_after; break;
      case 'e':
        options.fault = Fault::error;
        options.error = errno_by_name(optarg);
        break;
      case 'o': options.onwards = true; break;
      case 'r': options.report = open_report(optarg); break;
      default: usage();
    }
  }
  const bool disturbs = options.fault != Fault::none;
  if (optind >= count || disturbs != (options.at != 0)) usage();
  return options;
}

}  // namespace
}  // namespace faults

int main(int count, char** words) {
  const faults::Options options = faults::read_options(count, words);
  const pid_t leader = faults::start(words + optind);
  faults::Tracer tracer(options, leader);
  // The stop it made itself: from here on every call is looked at.
  if (ptrace(PTRACE_SYSCALL, leader, 0, 0) != 0) faults::give_up("inject: ptrace");
  const int result = tracer.run();
  if (options.fault == faults::Fault::none) fprintf(stderr, "inject: %lu calls\n", tracer.count());
  return result;
}
