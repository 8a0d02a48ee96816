// flock, fcntl and open-file-description locks, lockf, leases, the dup family.
#include <sys/file.h>
#include <sys/resource.h>

#include "harness.h"

static struct flock range(short type, off_t start, off_t length) {
  struct flock lock = {0};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return lock;
}
static long set(int fd, int command, short type, off_t start, off_t length) {
  struct flock lock = range(type, start, length);
  return fcntl(fd, command, &lock);
}
static void ask(int fd, short type) {
  struct flock lock = range(type, 0, 0);
  if (fcntl(fd, F_GETLK, &lock) != 0)
    say("  F_GETLK: %s", strerrorname_np(errno));
  else if (lock.l_type == F_UNLCK)
    say("  free");
  else
    say("  held: type %d start %ld length %ld", lock.l_type, (long)lock.l_start, (long)lock.l_len);
}

CASE("flock: between descriptors and processes", "f") {
  const int one = must(open("f", O_RDWR));
  const int two = must(open("f", O_RDWR));
  R(flock(one, LOCK_EX));
  R(flock(two, LOCK_EX | LOCK_NB));
  R(flock(two, LOCK_SH | LOCK_NB));
  R(flock(dup(one), LOCK_EX | LOCK_NB));
  CHILD(R(flock(open("f", O_RDWR), LOCK_EX | LOCK_NB)));
  CHILD(R(flock(one, LOCK_UN)));
  R(flock(two, LOCK_EX | LOCK_NB));
}
CASE("flock: read-only descriptors of an unchanged file", "f") {
  const int one = must(open("f", O_RDONLY));
  const int two = must(open("f", O_RDONLY));
  R(flock(one, LOCK_EX | LOCK_NB));
  R(flock(two, LOCK_EX | LOCK_NB));
  CHILD(R(flock(open("f", O_RDONLY), LOCK_SH | LOCK_NB)));
  CHILD(R(flock(open("f", O_RDWR), LOCK_SH | LOCK_NB)));
  close(one);
  R(flock(two, LOCK_SH | LOCK_NB));
  CHILD(R(flock(open("f", O_RDONLY), LOCK_SH | LOCK_NB)));
}
CASE("flock: directories", "d/") {
  const int one = must(open("d", O_RDONLY));
  R(flock(one, LOCK_EX | LOCK_NB));
  CHILD(R(flock(open("d", O_RDONLY), LOCK_EX | LOCK_NB)));
  R(flock(one, LOCK_UN));
  CHILD(R(flock(open("d", O_RDONLY), LOCK_EX | LOCK_NB)));
}
CASE("flock: a directory that is changed after", "d/ d/a") {
  const int one = must(open("d", O_RDONLY));
  R(flock(one, LOCK_EX | LOCK_NB));
  put("d/new", "x");
  CHILD(R(flock(open("d", O_RDONLY), LOCK_EX | LOCK_NB)));
}
CASE("flock: errors", "f") {
  R(flock(-1, LOCK_EX));
  R(flock(999, LOCK_EX));
  R(flock(open("f", O_RDONLY), 0));
  R(flock(open("f", O_RDONLY), 64));
  R(flock(open("f", O_RDONLY), LOCK_EX | LOCK_SH));
  R(flock(open("f", O_RDONLY), LOCK_NB));
}
CASE("fcntl locks: between processes", "f#100") {
  const int fd = must(open("f", O_RDWR));
  R(set(fd, F_SETLK, F_WRLCK, 0, 10));
  R(set(fd, F_SETLK, F_RDLCK, 20, 10));
  CHILD({
    const int other = must(open("f", O_RDWR));
    ask(other, F_WRLCK);
    R(set(other, F_SETLK, F_WRLCK, 5, 1));
    R(set(other, F_SETLK, F_RDLCK, 25, 1));
    R(set(other, F_SETLK, F_WRLCK, 25, 1));
    R(set(other, F_SETLK, F_WRLCK, 50, 0));
  });
  R(set(fd, F_SETLK, F_UNLCK, 0, 0));
  CHILD(ask(must(open("f", O_RDWR)), F_WRLCK));
}
CASE("fcntl locks: gone when any descriptor of the file is closed", "f") {
  const int fd = must(open("f", O_RDWR));
  R(set(fd, F_SETLK, F_WRLCK, 0, 0));
  close(must(open("f", O_RDONLY)));
  CHILD(ask(must(open("f", O_RDWR)), F_WRLCK));
}
CASE("fcntl locks: a read lock taken on a read-only descriptor", "f") {
  const int fd = must(open("f", O_RDONLY));
  R(set(fd, F_SETLK, F_RDLCK, 0, 0));
  R(set(fd, F_SETLK, F_WRLCK, 0, 0));
  CHILD(ask(must(open("f", O_RDWR)), F_WRLCK));
  CHILD(ask(must(open("f", O_RDONLY)), F_WRLCK));
}
CASE("fcntl locks: errors", "f p|") {
  const int fd = must(open("f", O_WRONLY));
  R(set(fd, F_SETLK, F_RDLCK, 0, 0));
  R(set(-1, F_SETLK, F_RDLCK, 0, 0));
  R(set(fd, F_SETLK, 7, 0, 0));
  R(set(fd, F_SETLK, F_WRLCK, -1, 1));
  R(set(fd, F_SETLK, F_WRLCK, 10, -5));
  R(set(fd, F_SETLK, F_WRLCK, 10, -15));
  CHILD(R(fcntl(fd, F_SETLK, bad)));
  CHILD(R(fcntl(fd, F_GETLK, null)));
  R(fcntl(fd, 12345));
  R(fcntl(999, F_GETFL));
}
CASE("fcntl locks: EDEADLK", "f#10") {
  const int fd = must(open("f", O_RDWR));
  int ends[2];
  must(pipe(ends));
  R(set(fd, F_SETLK, F_WRLCK, 0, 1));
  const pid_t child = fork();
  if (child == 0) {
    must((int)set(fd, F_SETLK, F_WRLCK, 1, 1));
    must((int)write(ends[1], "x", 1));
    set(fd, F_SETLKW, F_WRLCK, 0, 1);
    _exit(0);
  }
  char byte;
  must((int)read(ends[0], &byte, 1));
  usleep(50000);
  R(set(fd, F_SETLKW, F_WRLCK, 1, 1));
  R(set(fd, F_SETLK, F_UNLCK, 0, 0));
  show_child(child);
}
CASE("open-file-description locks", "f") {
  const int one = must(open("f", O_RDWR));
  const int two = must(open("f", O_RDWR));
  R(set(one, F_OFD_SETLK, F_WRLCK, 0, 5));
  R(set(two, F_OFD_SETLK, F_WRLCK, 0, 5));
  R(set(two, F_OFD_SETLK, F_WRLCK, 5, 5));
  close(must(open("f", O_RDONLY)));
  R(set(two, F_OFD_SETLK, F_RDLCK, 0, 5));
  R(set(dup(one), F_OFD_SETLK, F_UNLCK, 0, 5));
  R(set(two, F_OFD_SETLK, F_RDLCK, 0, 5));
}
CASE("lockf: lock, test, release, errors", "f#100") {
  const int fd = must(open("f", O_RDWR));
  R(lockf(fd, F_LOCK, 10));
  CHILD({
    const int other = must(open("f", O_RDWR));
    R(lockf(other, F_TEST, 10));
    R(lockf(other, F_TLOCK, 10));
    lseek(other, 10, SEEK_SET);
    R(lockf(other, F_TLOCK, 0));
  });
  R(lockf(fd, F_ULOCK, 0));
  CHILD(R(lockf(open("f", O_RDWR), F_TEST, 0)));
  R(lockf(open("f", O_RDONLY), F_LOCK, 0));
  R(lockf(fd, 77, 0));
  R(lockf(-1, F_LOCK, 0));
  R(lockf(fd, F_LOCK, -1));
}
CASE("locks: the file is renamed, its name removed, replaced", "f g") {
  const int fd = must(open("f", O_RDWR));
  R(flock(fd, LOCK_EX));
  R(set(fd, F_SETLK, F_WRLCK, 0, 0));
  R(rename("f", "h"));
  CHILD(R(flock(open("h", O_RDWR), LOCK_EX | LOCK_NB)));
  CHILD(ask(must(open("h", O_RDWR)), F_WRLCK));
  R(rename("g", "h"));
  CHILD(R(flock(open("h", O_RDWR), LOCK_EX | LOCK_NB)));
  CHILD(ask(must(open("h", O_RDWR)), F_WRLCK));
}
CASE("leases", "f g") {
  const int fd = must(open("f", O_RDONLY));
  R(fcntl(fd, F_GETLEASE));
  R(fcntl(fd, F_SETLEASE, F_RDLCK));
  R(fcntl(fd, F_GETLEASE));
  R(fcntl(fd, F_SETLEASE, F_UNLCK));
  R(fcntl(open("g", O_RDWR), F_SETLEASE, F_RDLCK));
  R(fcntl(open("g", O_RDONLY), F_SETLEASE, F_WRLCK));
}
CASE("dup: EBADF, EINVAL, EMFILE", "f") {
  const int fd = must(open("f", O_RDONLY));
  R(dup(-1));
  R(dup(999));
  R(dup2(999, 5));
  R(dup2(fd, -1));
  R(dup2(fd, 1 << 30));
  R(dup2(fd, fd) == fd);
  R(dup3(fd, fd, 0));
  R(dup3(fd, 9, 1));
  R(dup3(999, 9, 0));
  R(fcntl(fd, F_DUPFD, -1));
  R(fcntl(fd, F_DUPFD, 1 << 30));
  R(fcntl(fd, F_DUPFD_CLOEXEC, 50));
  R(fcntl(50, F_GETFD));
  struct rlimit limit = {60, 60};
  must(setrlimit(RLIMIT_NOFILE, &limit));
  while (dup(fd) >= 0) {
  }
  R(dup(fd));
  R(fcntl(fd, F_DUPFD, 10));
}
CASE("dup: one position, one set of flags", "f") {
  char text[8] = "";
  const int fd = must(open("f", O_RDWR));
  const int copy = must(dup(fd));
  R(read(fd, text, 3));
  R(lseek(copy, 0, SEEK_CUR));
  R(fcntl(copy, F_SETFL, O_APPEND));
  R((fcntl(fd, F_GETFL) & O_APPEND) != 0);
  R(write(fd, "end", 3));
  R(close(fd));
  R(lseek(copy, 0, SEEK_CUR));
  CHILD(R(lseek(copy, 2, SEEK_SET)));
  R(lseek(copy, 0, SEEK_CUR));
}
CASE("dup: of a read-only descriptor and of a directory", "f d/ d/a") {
  const int fd = must(open("f", O_RDONLY));
  R(dup2(fd, 40));
  close(fd);
  put("f", "changed\n");
  look_fd("f", 40);
  R(fchmod(40, 0600));
  look("f");
  R(dup2(must(open("d", O_RDONLY)), 41));
  R(faccessat(41, "a", F_OK, 0));
  R(dup2(40, 41));
  R(faccessat(41, "a", F_OK, 0));
  R(fchdir(41));
}
CASE("close: EBADF and close_range", "f") {
  const int fd = must(open("f", O_RDONLY));
  R(close(fd));
  R(close(fd));
  R(close(-1));
  R(close_range(5, 4, 0));
  R(close_range(50, 60, 1 << 20));
  R(close_range(50, 60, 0));
}
