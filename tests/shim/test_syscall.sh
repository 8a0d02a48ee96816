#!/bin/bash
# syscall(2) by number: every number of the table once, native against both kinds of base.
# shellcheck source-path=SCRIPTDIR/../lib
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need gcc

fixture() {
  mkdir -p dir/sub && echo content >file && echo other >dir/other && ln -s file link && ln -s gone dangling
  cat >numbers.c <<'SOURCE'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

static struct stat status;
static char text[4096];

// One line for each call: result and errno. Descriptors are shown as such.
static long show(const char *what, long result) {
  if (result < 0) printf("%s: %s\n", what, strerrorname_np(errno));
  else printf("%s: %ld\n", what, result);
  return result;
}
static int opened(const char *what, long fd) {
  show(what, fd < 0 ? fd : 0);
  return (int)fd;
}
static void look(const char *path) {
  if (lstat(path, &status) != 0) { printf("  %s: %s\n", path, strerrorname_np(errno)); return; }
  printf("  %s: %o %u:%u links %lu size %ld mtime %ld.%09ld\n", path, status.st_mode, status.st_uid, status.st_gid,
         (unsigned long)status.st_nlink, S_ISDIR(status.st_mode) ? 0 : (long)status.st_size,
         status.st_mtime > 1000000 ? 0 : (long)status.st_mtime,
         status.st_mtime > 1000000 ? 0 : (long)status.st_mtim.tv_nsec);
}

#define CALL(number, ...) show(#number, syscall(SYS_##number, __VA_ARGS__))
#define OPEN(number, ...) opened(#number, syscall(SYS_##number, __VA_ARGS__))

static void reading(void) {
  struct statx wide;
  struct statfs system;
  struct open_how how = {.flags = O_RDONLY};
  CALL(stat, "link", &status); CALL(lstat, "link", &status); CALL(stat, "dangling", &status);
  CALL(newfstatat, AT_FDCWD, "file", &status, 0); CALL(newfstatat, AT_FDCWD, "link", &status, AT_SYMLINK_NOFOLLOW);
  CALL(newfstatat, AT_FDCWD, "", &status, AT_EMPTY_PATH); printf("  directory: %d\n", S_ISDIR(status.st_mode));
  CALL(statx, AT_FDCWD, "file", 0, STATX_ALL, &wide); printf("  size %lld\n", (long long)wide.stx_size);
  CALL(statx, AT_FDCWD, "file", 1 << 30, STATX_ALL, &wide); CALL(statx, AT_FDCWD, "gone", 1 << 30, STATX_ALL, &wide);
  CALL(access, "file", R_OK); CALL(access, "gone", F_OK); CALL(access, "gone", 64);
  CALL(faccessat, AT_FDCWD, "file", X_OK); CALL(faccessat2, AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW);
  CALL(faccessat2, AT_FDCWD, "gone", F_OK, 1 << 30);
  CALL(readlink, "link", text, sizeof text); CALL(readlink, "file", text, sizeof text);
  CALL(readlinkat, AT_FDCWD, "dangling", text, 2); CALL(readlinkat, AT_FDCWD, "gone", text, 0);
  CALL(statfs, "file", &system); CALL(statfs, "gone", &system);
  CALL(getxattr, "file", "user.none", text, 9L); CALL(lgetxattr, "link", "user.none", text, 9L);
  CALL(listxattr, "file", text, sizeof text); CALL(llistxattr, "file", text, sizeof text);
  int fd = OPEN(open, "file", O_RDONLY); show("read", read(fd, text, 9)); CALL(fstat, fd, &status);
  CALL(fgetxattr, fd, "user.none", text, 9L); CALL(flistxattr, fd, text, sizeof text);
  int copy = OPEN(dup, fd); CALL(close, copy); OPEN(dup2, fd, 77); OPEN(dup3, fd, 78, O_CLOEXEC);
  printf("  cloexec %d\n", fcntl(78, F_GETFD)); copy = OPEN(fcntl, fd, F_DUPFD, 80); CALL(fstat, copy, &status);
  CALL(close_range, 77, 90, 0); CALL(fstat, copy, &status); CALL(close, fd);
  fd = OPEN(openat, AT_FDCWD, "dir/other", O_RDONLY); CALL(close, fd);
  fd = OPEN(openat2, AT_FDCWD, "file", &how, sizeof how); CALL(close, fd);
  OPEN(open, "gone", O_RDONLY); OPEN(openat, AT_FDCWD, "file/x", O_RDONLY);
  fd = OPEN(open, "dir", O_RDONLY | O_DIRECTORY); CALL(openat, fd, "gone", O_RDONLY); CALL(fchdir, fd);
  show("getcwd", syscall(SYS_getcwd, text, sizeof text) > 0); printf("  %s\n", strrchr(text, '/'));
  CALL(chdir, ".."); CALL(getcwd, text, 1L); CALL(close, fd); OPEN(close, fd);
  OPEN(inotify_add_watch, inotify_init(), "gone", IN_CREATE);
}

static void writing(void) {
  struct utimbuf old = {5, 6};
  struct timeval micro[2] = {{7, 1}, {8, 2}};
  struct timespec nano[2] = {{9, 1}, {10, 3}};
  int fd = OPEN(open, "made", O_CREAT | O_EXCL | O_WRONLY, 0640); show("write", write(fd, "12345", 5)); look("made");
  CALL(fchmod, fd, 0600); look("made"); CALL(fchown, fd, getuid(), getgid()); CALL(flock, fd, LOCK_EX | LOCK_NB);
  CALL(fsetxattr, fd, "user.x", "y", 1L, 0); CALL(fremovexattr, fd, "user.x"); CALL(close, fd);
  fd = OPEN(creat, "made", 0600); CALL(close, fd); look("made");
  CALL(chmod, "file", 0604); look("file"); CALL(fchmodat, AT_FDCWD, "link", 0644); look("file");
  CALL(chown, "file", getuid(), getgid()); CALL(lchown, "link", getuid(), getgid());
  CALL(fchownat, AT_FDCWD, "file", getuid(), getgid(), 0);
  CALL(truncate, "file", 3L); CALL(utime, "file", &old); look("file"); CALL(utimes, "file", micro); look("file");
  CALL(futimesat, AT_FDCWD, "dir/other", micro); look("dir/other"); CALL(utimensat, AT_FDCWD, "dir", nano, 0); look("dir");
  fd = OPEN(open, "dir/other", O_RDONLY); CALL(utimensat, fd, NULL, nano, 0); look("dir/other"); CALL(close, fd);
  CALL(mkdir, "d1", 0755); CALL(mkdirat, AT_FDCWD, "d2", 0700); look("d2"); CALL(rmdir, "d1"); CALL(mkdir, "d2", 0700);
  CALL(mknod, "fifo", S_IFIFO | 0600, 0); CALL(mknodat, AT_FDCWD, "d2/fifo", S_IFIFO | 0600, 0); look("d2/fifo");
  CALL(symlink, "made", "l1"); CALL(symlinkat, "made", AT_FDCWD, "l2"); look("l2"); CALL(symlink, "x", "file");
  CALL(link, "made", "h1"); CALL(linkat, AT_FDCWD, "l1", AT_FDCWD, "h2", AT_SYMLINK_FOLLOW); look("made"); look("h2");
  CALL(link, "gone", "file/x"); CALL(link, "file", "made");
  CALL(rename, "h1", "h3"); CALL(renameat, AT_FDCWD, "h2", AT_FDCWD, "d2/h4");
  CALL(renameat2, AT_FDCWD, "file", AT_FDCWD, "made", 1); CALL(renameat2, AT_FDCWD, "file", AT_FDCWD, "made", 2); look("file");
  CALL(rename, "gone", "file/x"); CALL(rename, "dir", "dir/sub/x");
  CALL(unlink, "h3"); CALL(unlinkat, AT_FDCWD, "d2", AT_REMOVEDIR); CALL(unlinkat, AT_FDCWD, "gone", 1 << 30); CALL(unlink, "dir");
  CALL(setxattr, "file", "user.a", "b", 1L, 0); CALL(removexattr, "file", "user.a"); CALL(lsetxattr, "made", "user.a", "b", 1L, 0);
  CALL(lremovexattr, "made", "user.none");
}

int main(int argc, char **argv) {
  if (argc > 1) { printf("%s %s\n", argv[0], argv[1]); return 3; }
  setvbuf(stdout, NULL, _IONBF, 0);
  reading();
  writing();
  char *again[] = {"numbers", "execve", NULL};
  char *environment[] = {NULL};
  return (int)CALL(execve, "./numbers", again, environment);
}
SOURCE
  gcc -o numbers numbers.c
}
begin shim_syscall

same "every number of the table" <<'EOF'
./numbers
echo "code $?"; find . -printf '%P %y %m %n %l\n' | sort; cat file made
./numbers
echo "code $?"; find . -printf '%P %y %m %n %l\n' | sort; cat file made
EOF

check_base_unchanged
finish
