// _start, in a member of the archive of its own: in an ordinary program the one of libc's crt1.o is
// there first, and this is not taken.
//
// The kernel enters with the stack pointer aligned to 16, at the number of arguments, and no return
// address; the frame pointer is cleared to mark the outermost frame.
#if defined(__x86_64__)
asm(".text\n"
    ".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "  xorl %ebp, %ebp\n"
    "  movq %rsp, %rdi\n"
    "  leaq main(%rip), %rsi\n"
    "  call vfs_start\n"
    "  hlt\n"
    ".size _start, . - _start\n");
#elif defined(__aarch64__)
asm(".text\n"
    ".globl _start\n"
    ".type _start, %function\n"
    "_start:\n"
    "  mov x29, xzr\n"
    "  mov x30, xzr\n"
    "  mov x0, sp\n"
    "  adrp x1, main\n"
    "  add x1, x1, :lo12:main\n"
    "  bl vfs_start\n"
    "  brk #0\n"
    ".size _start, . - _start\n");
#else
#error "libvfscap knows how programs start on x86-64 and aarch64 only"
#endif
