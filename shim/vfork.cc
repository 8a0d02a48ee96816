// vfork: the child runs in the parent's memory and on its stack until it execs
// or exits.
//
// So it cannot be an ordinary function around libc's: when it returned in the
// child, the child's next calls would overwrite the frame that the parent
// still has to return through. The return address is kept in a register, which
// each of the two has for itself, and put back on the stack after the call.
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/interpose.h"
#include "shim/scratch.h"
#include "shim/state.h"

namespace {

// How many vfork children deep this thread is; a child may vfork again.
thread_local unsigned depth = 0;

}  // namespace

// Both processes come by here, the child first: what it sets in the thread's
// memory the parent finds there and takes back.
extern "C" __attribute__((visibility("hidden"), used)) long vfs_after_vfork(long result) {
  if (result == 0) {
    if (depth++ == 0) shim::vfork_child_copied = false;
    shim::in_vfork_child = true;
    return 0;
  }
  if (result < 0) return shim::answer<long>(result);
  // An emulated vfork (qemu, valgrind) is a fork: then nothing was set here.
  if (depth > 0) --depth;
  shim::in_vfork_child = depth > 0;
  if (depth == 0) shim::release_scratch_of_vfork_child();
  return result;
}

#if defined(__x86_64__)

#define VFS_TEXT(x) #x
#define VFS_TO_TEXT(x) VFS_TEXT(x)

asm(R"(
  .pushsection .text
  .globl vfork
  .type vfork, @function
vfork:
  .cfi_startproc
  endbr64
  popq %rdi
  .cfi_adjust_cfa_offset -8
  .cfi_register %rip, %rdi
)"
    "  movl $" VFS_TO_TEXT(SYS_vfork) ", %eax\n"
    R"(
  syscall
  # The kernel keeps rdi. Each process writes its return address anew.
  pushq %rdi
  .cfi_adjust_cfa_offset 8
  .cfi_offset %rip, -8
  # Calls want the stack aligned to 16 bytes.
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  movq %rax, %rdi
  call vfs_after_vfork
  addq $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
  .cfi_endproc
  .size vfork, . - vfork
  .popsection
)");

#else

// A copy of the memory instead of the parent's own: slower, and all that POSIX
// asks for.
VFS_INTERPOSE(pid_t, vfork, ()) { return fork(); }

#endif
