#include "registers.h"

#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

namespace faults {

void give_up(const char* what) {
  perror(what);
  exit(125);
}

#if defined(__x86_64__)

namespace {

void poke(pid_t thread, size_t offset, long value) {
  if (ptrace(PTRACE_POKEUSER, thread, offset, value) != 0) give_up("inject: a register");
}

}  // namespace

void skip_call(pid_t thread) { poke(thread, offsetof(user_regs_struct, orig_rax), -1); }

void set_result(pid_t thread, long result) { poke(thread, offsetof(user_regs_struct, rax), result); }

#elif defined(__aarch64__)

void skip_call(pid_t thread) {
  int number = -1;
  struct iovec piece = {&number, sizeof(number)};
  if (ptrace(PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, &piece) != 0) give_up("inject: a register");
}

void set_result(pid_t thread, long result) {
  struct user_regs_struct registers;
  struct iovec piece = {&registers, sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &piece) != 0) give_up("inject: a register");
  registers.regs[0] = static_cast<unsigned long long>(result);
  if (ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &piece) != 0) give_up("inject: a register");
}

#else
#error "inject knows the registers of x86-64 and aarch64"
#endif

}  // namespace faults
