// openat2: every RESOLVE_* flag, and what is EINVAL.
#include <linux/openat2.h>

#include "harness.h"

static int open_how(int dirfd, const char* path, unsigned long flags, unsigned long resolve) {
  struct open_how how = {.flags = flags, .resolve = resolve};
  if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) how.mode = 0644;
  return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}
static const char kTree[] =
    "f d/ d/f d/s/ d/s/f d/in->f d/up->../f d/abs->/etc d/self->s/../f d/sl->s d/sl2->sl "
    "d/gl->gone "
    "d/loop->loop d/magic->/proc/self/cwd d/dots->s/../../f";

static void every(unsigned long resolve) {
  static const char* const kPaths[] = {"f",
                                       "s/f",
                                       "s/../f",
                                       "../f",
                                       "../d/f",
                                       ".",
                                       "..",
                                       "s/..",
                                       "in",
                                       "up",
                                       "abs",
                                       "abs/passwd",
                                       "self",
                                       "sl",
                                       "sl/f",
                                       "sl2/f",
                                       "gl",
                                       "loop",
                                       "magic",
                                       "magic/f",
                                       "dots",
                                       "/etc/passwd",
                                       "/proc/self/fd/0",
                                       "gone",
                                       "f/x",
                                       "s/",
                                       "sl/",
                                       "f/",
                                       "",
                                       "s/../../d/f",
                                       "/",
                                       "/proc/self/root/etc"};
  const int fd = must(open("d", O_RDONLY | O_DIRECTORY));
  for (size_t i = 0; i < sizeof(kPaths) / sizeof(kPaths[0]); ++i) {
    struct stat status;
    errno = 0;
    const int got = open_how(fd, kPaths[i], O_RDONLY, resolve);
    show_open(kPaths[i], got);
    if (got < 0) continue;
    if (fstat(got, &status) == 0 && S_ISREG(status.st_mode) && kPaths[i][0] != '/') {
      if (status.st_size < 50) show_content(got);
    }
    close(got);
  }
}

CASE("openat2: RESOLVE_BENEATH", kTree) {
  every(RESOLVE_BENEATH);
}
CASE("openat2: RESOLVE_IN_ROOT", kTree) {
  every(RESOLVE_IN_ROOT);
}
CASE("openat2: RESOLVE_NO_SYMLINKS", kTree) {
  every(RESOLVE_NO_SYMLINKS);
}
CASE("openat2: RESOLVE_NO_MAGICLINKS", kTree) {
  every(RESOLVE_NO_MAGICLINKS);
}
CASE("openat2: RESOLVE_NO_XDEV", kTree) {
  every(RESOLVE_NO_XDEV);
}
CASE("openat2: no RESOLVE flag", kTree) {
  every(0);
}
CASE("openat2: RESOLVE flags together", kTree) {
  every(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  every(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  every(RESOLVE_IN_ROOT | RESOLVE_BENEATH);
}
CASE("openat2: RESOLVE_CACHED", "f d/ d/f") {
  struct stat status;
  must(stat("f", &status));
  // The kernel may say EAGAIN; nothing else.
  int fd = open_how(AT_FDCWD, "f", O_RDONLY, RESOLVE_CACHED);
  say("there: %s", fd >= 0 || errno == EAGAIN ? "right" : strerrorname_np(errno));
  fd = open_how(AT_FDCWD, "new", O_RDWR | O_CREAT, RESOLVE_CACHED);
  say("made: %s", fd >= 0 ? "open" : strerrorname_np(errno));
  fd = open_how(AT_FDCWD, "f", O_WRONLY | O_TRUNC, RESOLVE_CACHED);
  say("truncated: %s", fd >= 0 ? "open" : strerrorname_np(errno));
}
CASE("openat2: makes and writes with RESOLVE flags", kTree) {
  const int fd = must(open("d", O_RDONLY | O_DIRECTORY));
  FD(open_how(fd, "n1", O_CREAT | O_WRONLY, RESOLVE_BENEATH));
  FD(open_how(fd, "../n2", O_CREAT | O_WRONLY, RESOLVE_BENEATH));
  FD(open_how(fd, "../n3", O_CREAT | O_WRONLY, RESOLVE_IN_ROOT));
  FD(open_how(fd, "/n4", O_CREAT | O_WRONLY, RESOLVE_IN_ROOT));
  FD(open_how(fd, "gl", O_CREAT | O_WRONLY, RESOLVE_NO_SYMLINKS));
  FD(open_how(fd, "gl", O_CREAT | O_WRONLY, RESOLVE_BENEATH));
  FD(open_how(fd, "f", O_WRONLY | O_TRUNC, RESOLVE_BENEATH));
  FD(open_how(fd, "s/f", O_RDWR, RESOLVE_IN_ROOT));
  FD(open_how(fd, ".", O_TMPFILE | O_RDWR, RESOLVE_BENEATH));
  FD(open_how(fd, "in", O_RDONLY | O_NOFOLLOW, RESOLVE_BENEATH));
  FD(open_how(fd, "in", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS));
}
CASE("openat2: EINVAL of flags, mode, resolve", "f") {
  struct open_how how = {0};
#define HOW(flags_, mode_, resolve_)                      \
  how = (struct open_how){(flags_), (mode_), (resolve_)}; \
  show_open(#flags_ ", " #mode_ ", " #resolve_,           \
            (errno = 0, syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof(how))))
  HOW(O_RDONLY, 0644, 0);
  HOW(1UL << 40, 0, 0);
  HOW(O_CREAT | O_WRONLY, 0200000, 0);
  HOW(O_CREAT | O_WRONLY, 07777, 0);
  HOW(O_RDONLY, 0, 1 << 30);
  HOW(O_RDONLY | 0x40000000, 0, 0);
  HOW(O_PATH | O_TRUNC, 0, 0);
  HOW(O_PATH | O_CLOEXEC, 0, 0);
  HOW(O_ACCMODE, 0, 0);
  HOW(O_CREAT | O_DIRECTORY | O_RDONLY, 0644, 0);
  HOW(O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, 0);
}
CASE("openat2: sizes of the structure", "f") {
  struct {
    struct open_how how;
    unsigned long more[2];
  } wide = {{O_RDONLY, 0, 0}, {0, 0}};
  R(syscall(SYS_openat2, AT_FDCWD, "f", &wide, sizeof(wide.how)) < 0 ? -1 : 0);
  R(syscall(SYS_openat2, AT_FDCWD, "f", &wide, sizeof(wide)) < 0 ? -1 : 0);
  wide.more[1] = 1;
  FD(syscall(SYS_openat2, AT_FDCWD, "f", &wide, sizeof(wide)));
  FD(syscall(SYS_openat2, AT_FDCWD, "f", &wide, 0));
  FD(syscall(SYS_openat2, AT_FDCWD, "f", &wide, 8));
  FD(syscall(SYS_openat2, AT_FDCWD, "f", &wide, 5000));
  R(syscall(SYS_openat2, 999, "f", &wide, sizeof(wide.how)));
  CHILD(R(syscall(SYS_openat2, AT_FDCWD, "f", null, sizeof(wide.how))));
  CHILD(R(syscall(SYS_openat2, AT_FDCWD, "f", bad, sizeof(wide.how))));
  CHILD(R(syscall(SYS_openat2, AT_FDCWD, null, &wide, sizeof(wide.how))));
}
