// open, openat, creat: flags, errors, what they make and what they change.
#include <sys/resource.h>

#include "harness.h"

static int use(int fd) {
  if (fd >= 0) close(fd);
  return fd;
}
#define OPEN(...) use(FD(open(__VA_ARGS__)))

CASE("open: EEXIST, O_CREAT|O_EXCL of what is there", "f d/ l->f gl->gone p|") {
  OPEN("f", O_CREAT | O_EXCL | O_WRONLY, 0644);
  OPEN("d", O_CREAT | O_EXCL | O_WRONLY, 0644);
  OPEN("l", O_CREAT | O_EXCL | O_WRONLY, 0644);
  OPEN("gl", O_CREAT | O_EXCL | O_WRONLY, 0644);
  OPEN("p", O_CREAT | O_EXCL | O_WRONLY | O_NONBLOCK, 0644);
  OPEN(".", O_CREAT | O_EXCL | O_WRONLY, 0644);
}
CASE("open: EISDIR, a directory for writing or creating", "d/ dl->d") {
  OPEN("d", O_WRONLY);
  OPEN("d", O_RDWR);
  OPEN("d", O_RDONLY | O_CREAT, 0644);
  OPEN("d", O_RDONLY | O_TRUNC);
  OPEN("d/", O_RDONLY | O_CREAT, 0644);
  OPEN("dl", O_WRONLY);
  OPEN("dl/", O_WRONLY | O_CREAT, 0644);
  OPEN("new/", O_WRONLY | O_CREAT, 0644);
  OPEN("d/.", O_WRONLY | O_CREAT, 0644);
  OPEN("d/..", O_WRONLY | O_CREAT, 0644);
}
CASE("open: O_DIRECTORY on other types", "f l->f dl->d d/ p| gl->gone loop->loop") {
  OPEN("f", O_RDONLY | O_DIRECTORY);
  OPEN("l", O_RDONLY | O_DIRECTORY);
  OPEN("dl", O_RDONLY | O_DIRECTORY);
  OPEN("d", O_RDONLY | O_DIRECTORY);
  OPEN("p", O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  OPEN("gl", O_RDONLY | O_DIRECTORY);
  OPEN("loop", O_RDONLY | O_DIRECTORY);
  OPEN("d", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  OPEN("dl", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  OPEN("f", O_WRONLY | O_DIRECTORY);
}
CASE("open: O_DIRECTORY with O_CREAT", "f d/") {
  OPEN("f", O_RDONLY | O_DIRECTORY | O_CREAT, 0644);
  OPEN("d", O_RDONLY | O_DIRECTORY | O_CREAT, 0644);
  OPEN("new", O_RDONLY | O_DIRECTORY | O_CREAT, 0644);
}
CASE("open: ELOOP with O_NOFOLLOW", "f l->f gl->gone dl->d d/ d/f loop->loop") {
  OPEN("l", O_RDONLY | O_NOFOLLOW);
  OPEN("l", O_WRONLY | O_NOFOLLOW);
  OPEN("gl", O_RDONLY | O_NOFOLLOW);
  OPEN("gl", O_WRONLY | O_NOFOLLOW | O_CREAT, 0644);
  OPEN("loop", O_RDONLY | O_NOFOLLOW);
  OPEN("dl/f", O_RDONLY | O_NOFOLLOW);
  OPEN("dl/", O_RDONLY | O_NOFOLLOW);
}
CASE("open: EINVAL and odd access modes", "f") {
  OPEN("f", O_ACCMODE);
  OPEN("f", O_RDONLY | 0x40000000);
  OPEN("f", O_RDONLY | __O_TMPFILE);
  OPEN(".", __O_TMPFILE | O_DIRECTORY, 0600);
  OPEN(".", O_TMPFILE | O_RDONLY, 0600);
  OPEN(".", O_TMPFILE | O_RDWR | O_CREAT, 0600);
  OPEN("f", O_RDONLY | O_DIRECT);
  OPEN("f", O_RDONLY | O_ASYNC | O_LARGEFILE);
}
CASE("open: access mode 3 gives neither reading nor writing", "f") {
  char byte = 'x';
  const int fd = FD(open("f", O_ACCMODE));
  R(read(fd, &byte, 1));
  R(write(fd, &byte, 1));
  look_fd("fd", fd);
  R(ftruncate(fd, 2));
}
CASE("open: EBADF of what the mode does not allow", "f") {
  char byte = 'x';
  const int reads = FD(open("f", O_RDONLY));
  const int writes = FD(open("f", O_WRONLY));
  R(write(reads, &byte, 1));
  R(ftruncate(reads, 1));
  R(read(writes, &byte, 1));
  R(fallocate(reads, 0, 0, 10));
  R(pwrite(reads, &byte, 1, 0));
  R(lseek(reads, -1, SEEK_SET));
  R(fsync(reads));
}
CASE("open: a file for writing only", "wo:0200") {
  OPEN("wo", O_RDONLY);
  OPEN("wo", O_WRONLY | O_APPEND);
  OPEN("wo", O_RDWR);
}
CASE("open: EACCES of modes", "no:0 ro:0444 d/ d/f d~:0444 e/ e/f e~:0311 x/ x/f x~:0555") {
  OPEN("no", O_RDONLY);
  OPEN("ro", O_RDONLY);
  OPEN("ro", O_WRONLY);
  OPEN("ro", O_RDWR);
  OPEN("ro", O_RDONLY | O_TRUNC);
  OPEN("ro", O_WRONLY | O_CREAT, 0644);
  OPEN("ro", O_RDONLY | O_CREAT, 0644);
  OPEN("d", O_RDONLY);
  OPEN("d/f", O_RDONLY);
  OPEN("d/new", O_WRONLY | O_CREAT, 0644);
  OPEN("e", O_RDONLY);
  OPEN("e/f", O_RDONLY);
  OPEN("e/new", O_WRONLY | O_CREAT, 0644);
  OPEN("x/f", O_WRONLY | O_CREAT, 0644);
  OPEN("x/new", O_WRONLY | O_CREAT, 0644);
  OPEN("x/f", O_WRONLY | O_CREAT | O_EXCL, 0644);
}
CASE("open: EACCES of another's files", "f@ ro:0600@ w:0666@ d/@ g:0060@ d2/ d2/f@ d2~:0777@") {
  OPEN("f", O_RDONLY);
  OPEN("f", O_WRONLY);
  OPEN("f", O_RDONLY | O_TRUNC);
  OPEN("ro", O_RDONLY);
  OPEN("w", O_RDWR);
  OPEN("w", O_WRONLY | O_TRUNC);
  OPEN("d/new", O_CREAT | O_WRONLY, 0644);
  OPEN("g", O_RDONLY);
  OPEN("d2/new", O_CREAT | O_WRONLY, 0644);
  OPEN("d2/f", O_WRONLY);
}
CASE("open: EPERM, O_NOATIME of another's file", "f@ mine") {
  OPEN("f", O_RDONLY | O_NOATIME);
  OPEN("mine", O_RDONLY | O_NOATIME);
  OPEN("f", O_PATH | O_NOATIME);
}
CASE("open: protected files in a sticky directory", "s/ s/f:0666@ s/mine:0666 s/p| s~:01777@") {
  OPEN("s/f", O_WRONLY);
  OPEN("s/f", O_WRONLY | O_CREAT, 0644);
  OPEN("s/mine", O_WRONLY | O_CREAT, 0644);
  OPEN("s/p", O_RDONLY | O_NONBLOCK | O_CREAT, 0644);
}
CASE("open: ENXIO, a FIFO nobody reads", "p|") {
  OPEN("p", O_WRONLY | O_NONBLOCK);
  const int reads = FD(open("p", O_RDONLY | O_NONBLOCK));
  const int writes = FD(open("p", O_WRONLY | O_NONBLOCK));
  char text[8] = "abc";
  R(write(writes, text, 3));
  R(read(reads, text, 8));
  R(lseek(reads, 0, SEEK_SET));
  look_fd("p", reads);
}
CASE("open: EMFILE", "f d/") {
  struct rlimit limit = {20, 20};
  must(setrlimit(RLIMIT_NOFILE, &limit));
  while (open("/dev/null", O_RDONLY) >= 0) {
  }
  R(open("f", O_RDONLY));
  R(open("f", O_WRONLY));
  R(open("gone", O_RDONLY));
  R(open("new", O_WRONLY | O_CREAT, 0644));
  R(open("d", O_RDONLY | O_DIRECTORY));
  R(dup(0));
  R(access("f", R_OK));
  R(chmod("f", 0600));
  R(rename("f", "f2"));
  R(truncate("f2", 3));
}
CASE("open: the lowest free descriptor", "f") {
  const int first = must(open("/dev/null", O_RDONLY));
  const int second = must(open("/dev/null", O_RDONLY));
  close(first);
  R(open("f", O_RDONLY) == first);
  R(open("f", O_WRONLY) == second + 1);
  close(second);
  R(open("new", O_WRONLY | O_CREAT, 0644) == second);
  R(open(".", O_RDONLY) == second + 2);
}
CASE("open: flags as F_GETFL and F_GETFD tell", "f d/") {
  R(fcntl(open("f", O_RDONLY), F_GETFL));
  R(fcntl(open("f", O_WRONLY), F_GETFL));
  R(fcntl(open("f", O_RDWR | O_APPEND | O_CLOEXEC), F_GETFL));
  R(fcntl(open("f", O_RDWR | O_CLOEXEC), F_GETFD));
  R(fcntl(open("f", O_RDONLY | O_CLOEXEC), F_GETFD));
  R(fcntl(open("f", O_RDONLY), F_GETFD));
  R(fcntl(open("f", O_RDONLY | O_NONBLOCK | O_SYNC), F_GETFL));
  R(fcntl(open("f", O_RDWR | O_CREAT | O_TRUNC | O_DSYNC, 0644), F_GETFL));
  R(fcntl(open("n", O_RDWR | O_CREAT | O_EXCL | O_NOCTTY, 0644), F_GETFL));
  R(fcntl(open("d", O_RDONLY | O_DIRECTORY), F_GETFL));
  R(fcntl(open("d", O_RDONLY), F_GETFL));
  R(fcntl(open("f", O_PATH), F_GETFL));
  R(fcntl(open("d", O_PATH | O_DIRECTORY), F_GETFL));
  R(fcntl(open(".", O_TMPFILE | O_RDWR, 0600), F_GETFL));
}
CASE("fcntl: F_GETFL shows the program's own O_NOFOLLOW", "f") {
  R(fcntl(open("f", O_RDONLY | O_NOFOLLOW), F_GETFL));
}
CASE("open: modes of what is made, and umask", "") {
  OPEN("a", O_CREAT | O_WRONLY, 0666);
  umask(077);
  OPEN("b", O_CREAT | O_WRONLY, 0666);
  umask(0);
  OPEN("c", O_CREAT | O_WRONLY, 07777);
  OPEN("d", O_CREAT | O_WRONLY, 0);
  use(FD(creat("e", 01777)));
  umask(0777);
  const int fd = FD(open("none", O_CREAT | O_RDWR, 0666));
  R(write(fd, "abc", 3));
  OPEN("none", O_RDONLY);
  R(umask(0));
}
CASE("open: O_TRUNC and O_APPEND", "f g l->f") {
  OPEN("f", O_RDONLY | O_TRUNC);
  look("f");
  const int fd = FD(open("g", O_WRONLY | O_APPEND));
  R(lseek(fd, 0, SEEK_SET));
  R(write(fd, "more", 4));
  R(lseek(fd, 0, SEEK_CUR));
  R(pwrite(fd, "end", 3, 0));
  R(fcntl(fd, F_SETFL, 0));
  R(pwrite(fd, "START", 5, 0));
  OPEN("l", O_WRONLY | O_TRUNC);
  OPEN("new", O_WRONLY | O_TRUNC);
}
CASE("open: through a link that goes nowhere",
     "gl->made far->gone/made abs->/gone/made d/ up->d/../made2") {
  OPEN("gl", O_CREAT | O_WRONLY, 0644);
  OPEN("far", O_CREAT | O_WRONLY, 0644);
  OPEN("abs", O_CREAT | O_WRONLY, 0644);
  OPEN("up", O_CREAT | O_WRONLY, 0644);
}
CASE("open: a file that is unlinked while open", "f g") {
  const int fd = FD(open("f", O_RDWR));
  const int reads = FD(open("g", O_RDONLY));
  R(unlink("f"));
  R(unlink("g"));
  R(write(fd, "NEW", 3));
  look_fd("f", fd);
  show_content(fd);
  look_fd("g", reads);
  show_content(reads);
  R(fchmod(reads, 0600));
  look_fd("g", reads);
  R(ftruncate(fd, 2));
  look_fd("f", fd);
  R(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH));
  char name[64];
  sprintf(name, "/proc/self/fd/%d", fd);
  R(linkat(AT_FDCWD, name, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
  OPEN("f", O_RDONLY);
}
CASE("open: what a writer does is seen by readers that open later", "f") {
  const int fd = FD(open("f", O_RDWR));
  R(write(fd, "CHANGED", 7));
  show_file("f");
  const int other = FD(open("f", O_RDONLY));
  R(pwrite(fd, "AGAIN", 5, 0));
  show_content(other);
  R(ftruncate(fd, 5));
  look_fd("other", other);
}
CASE("open: ETXTBSY, a program that runs", "prog+ script*") {
  int ends[2];
  must(pipe(ends));
  const int held = must(open("prog", O_WRONLY));
  CHILD(R(execl("./prog", "prog", (char*)NULL)));
  close(held);
  CHILD(R(execl("./prog", "prog", (char*)NULL)));
}
CASE("open: /dev/fd and /proc/self/fd reopen", "f d/ d/f") {
  char path[64];
  const int fd = must(open("f", O_RDONLY));
  sprintf(path, "/proc/self/fd/%d", fd);
  const int again = FD(open(path, O_RDWR));
  R(write(again, "xy", 2));
  show_file("f");
  sprintf(path, "/dev/fd/%d", fd);
  OPEN(path, O_RDONLY);
  OPEN(path, O_RDONLY | O_NOFOLLOW);
  const int directory = must(open("d", O_RDONLY));
  sprintf(path, "/proc/self/fd/%d/f", directory);
  OPEN(path, O_RDONLY);
  sprintf(path, "/proc/self/fd/%d/new", directory);
  OPEN(path, O_WRONLY | O_CREAT, 0644);
  sprintf(path, "/proc/self/cwd/d/new2");
  OPEN(path, O_WRONLY | O_CREAT, 0644);
}
