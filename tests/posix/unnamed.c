// O_PATH, O_TMPFILE, AT_EMPTY_PATH: files by descriptor, without a name.
#include <dirent.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "harness.h"

static const char* fd_path(int fd) {
  static char path[64];
  sprintf(path, "/proc/self/fd/%d", fd);
  return path;
}

CASE("O_PATH: what works on it and what is EBADF", "f:0600") {
  char text[16];
  const int fd = FD(open("f", O_PATH));
  R(read(fd, text, 1));
  R(write(fd, "x", 1));
  R(fchmod(fd, 0644));
  R(fchown(fd, geteuid(), getegid()));
  R(ftruncate(fd, 1));
  R(futimens(fd, NULL));
  R(ioctl(fd, 0x5401));
  R(fsync(fd));
  R(fgetxattr(fd, "user.x", text, 9));
  R(fsetxattr(fd, "user.x", "y", 1, 0));
  P(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0));
  R(lseek(fd, 0, SEEK_SET));
  R(fcntl(fd, F_GETFD));
  R(fcntl(fd, F_SETFL, O_APPEND));
  R(flock(fd, LOCK_SH));
  look_fd("f", fd);
  FD(dup(fd));
  R(close(fd));
}
CASE("O_PATH: of modes that shut out", "no:0 d/ d/f d~:0 x/ x/f x~:0111") {
  FD(open("no", O_PATH));
  FD(open("d", O_PATH));
  FD(open("d/f", O_PATH));
  const int fd = FD(open("x", O_PATH));
  FD(openat(fd, "f", O_RDONLY));
  R(fchdir(fd));
}
CASE("O_PATH: of links", "f l->f gl->gone loop->loop") {
  char text[64] = "";
  const int fd = FD(open("l", O_PATH | O_NOFOLLOW));
  look_fd("l", fd);
  R(readlinkat(fd, "", text, sizeof(text)));
  R(readlink(fd_path(fd), text, sizeof(text)) > 0);
  FD(open("gl", O_PATH | O_NOFOLLOW));
  FD(open("gl", O_PATH));
  FD(open("loop", O_PATH | O_NOFOLLOW));
  FD(open("loop", O_PATH));
  FD(open("l", O_PATH));
  R(fchownat(fd, "", geteuid(), getegid(), AT_EMPTY_PATH));
  R(linkat(fd, "", AT_FDCWD, "l2", AT_EMPTY_PATH));
}
CASE("O_PATH: reopened by /proc/self/fd", "f ro:0444 d/ d/f") {
  const int fd = must(open("f", O_PATH));
  const int again = FD(open(fd_path(fd), O_RDWR));
  R(write(again, "NEW", 3));
  R(chmod(fd_path(fd), 0600));
  look("f");
  R(truncate(fd_path(fd), 2));
  const int directory = must(open("d", O_PATH));
  FD(open(fd_path(directory), O_RDONLY | O_DIRECTORY));
  FD(openat(directory, ".", O_RDONLY));
  FD(openat(directory, "new", O_CREAT | O_WRONLY, 0644));
  show_names("d");
  R(fchdir(directory));
  show_cwd();
}
CASE("O_PATH: other flags are ignored", "f") {
  FD(open("new", O_PATH | O_CREAT, 0644));
  FD(open("f", O_PATH | O_TRUNC | O_WRONLY));
  FD(open("f", O_PATH | O_CREAT | O_EXCL, 0644));
  FD(open("f", O_PATH | O_DIRECTORY));
}
CASE("O_PATH: as directory of other calls", "d/ d/f d/s/") {
  const int fd = must(open("d", O_PATH | O_DIRECTORY));
  R(mkdirat(fd, "m", 0755));
  R(unlinkat(fd, "f", 0));
  R(renameat(fd, "s", AT_FDCWD, "s"));
  R(symlinkat("x", fd, "l"));
  R(fchmodat(fd, "m", 0700, 0));
  R(faccessat(fd, "m", W_OK, 0));
  P(fdopendir(fd));
}
CASE("AT_EMPTY_PATH: every call that takes it", "f d/") {
  struct stat status;
  struct statx wide;
  char text[16];
  const int file = must(open("f", O_RDONLY));
  const int directory = must(open("d", O_PATH));
  R(fstatat(file, "", &status, AT_EMPTY_PATH));
  R(fstatat(directory, "", &status, AT_EMPTY_PATH));
  R(fstatat(AT_FDCWD, "", &status, AT_EMPTY_PATH));
  R(fstatat(999, "", &status, AT_EMPTY_PATH));
  R(statx(file, "", AT_EMPTY_PATH, STATX_ALL, &wide));
  R(faccessat(file, "", W_OK, AT_EMPTY_PATH));
  R(syscall(SYS_faccessat2, file, "", X_OK, AT_EMPTY_PATH));
  R(fchmodat(file, "", 0600, AT_EMPTY_PATH));
  R(fchownat(file, "", geteuid(), getegid(), AT_EMPTY_PATH));
  R(fchownat(AT_FDCWD, "", geteuid(), getegid(), AT_EMPTY_PATH));
  R(utimensat(file, "", NULL, AT_EMPTY_PATH));
  R(readlinkat(file, "", text, sizeof(text)));
  FD(openat(file, "", O_RDONLY));
  R(unlinkat(file, "", 0));
  R(fstatat(file, "x", &status, AT_EMPTY_PATH));
}
CASE("O_TMPFILE: written, linked, seen", "d/") {
  const int fd = FD(open("d", O_TMPFILE | O_RDWR, 0640));
  look_fd("unnamed", fd);
  R(write(fd, "abc", 3));
  show_names("d");
  R(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "d/named", AT_SYMLINK_FOLLOW));
  look("d/named");
  look_fd("unnamed", fd);
  R(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "d/named", AT_SYMLINK_FOLLOW));
  R(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "second", AT_SYMLINK_FOLLOW));
  same_file("d/named", "second");
  R(write(fd, "def", 3));
  show_file("second");
  R(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "third", 0));
}
CASE("O_TMPFILE: O_EXCL is never linked", "d/") {
  const int fd = FD(open("d", O_TMPFILE | O_RDWR | O_EXCL, 0600));
  R(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "d/named", AT_SYMLINK_FOLLOW));
  R(linkat(fd, "", AT_FDCWD, "d/named", AT_EMPTY_PATH));
}
CASE("O_TMPFILE: where it cannot be", "f ro/ ro~:0555 l->f dl->d d/") {
  FD(open("f", O_TMPFILE | O_RDWR, 0600));
  FD(open("gone", O_TMPFILE | O_RDWR, 0600));
  FD(open("ro", O_TMPFILE | O_RDWR, 0600));
  FD(open("l", O_TMPFILE | O_RDWR, 0600));
  FD(open("dl", O_TMPFILE | O_WRONLY, 0600));
  FD(open("d", O_TMPFILE | O_RDONLY, 0600));
}
CASE("O_TMPFILE: mode, umask, group, attributes", "g/ g~:02755") {
  umask(027);
  int fd = FD(open("g", O_TMPFILE | O_RDWR, 0666));
  look_fd("unnamed", fd);
  R(fchmod(fd, 0604));
  R(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "g/made", AT_SYMLINK_FOLLOW));
}
CASE("linkat: an open file of the base by its descriptor", "f") {
  const int fd = must(open("f", O_RDONLY));
  R(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "h", AT_SYMLINK_FOLLOW));
  same_file("f", "h");
  put("h", "written by h\n");
  show_file("f");
}
CASE("linkat: AT_EMPTY_PATH of an open file of the base", "f") {
  const int fd = must(open("f", O_RDONLY));
  R(linkat(fd, "", AT_FDCWD, "h", AT_EMPTY_PATH));
  same_file("f", "h");
  if (access("h", F_OK) == 0) put("h", "written by h\n");
  show_content(fd);
}
CASE("linkat: AT_EMPTY_PATH of an unlinked file of the base", "f") {
  const int fd = must(open("f", O_RDONLY));
  R(unlink("f"));
  R(linkat(fd, "", AT_FDCWD, "h", AT_EMPTY_PATH));
  R(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "h2", AT_SYMLINK_FOLLOW));
}
CASE("unlinked: fchmod, fchown, futimens, fsetxattr of a file of the base", "f") {
  const int fd = must(open("f", O_RDONLY));
  R(unlink("f"));
  R(fchmod(fd, 0606));
  look_fd("f", fd);
  R(fchown(fd, geteuid(), getegid()));
  R(futimens(fd, (struct timespec[2]){{5, 0}, {6, 0}}));
  struct stat status;
  R(fstat(fd, &status));
  R(status.st_mtime);
  R(fsetxattr(fd, "user.x", "y", 1, 0));
  R(chmod(fd_path(fd), 0600));
  look_fd("f", fd);
}
CASE("fchmodat2: by number, with AT_EMPTY_PATH", "f d/ d/f l->f") {
  enum { kFchmodat2 = 452 };
  const int fd = must(open("f", O_RDONLY));
  R(syscall(kFchmodat2, fd, "", 0640, AT_EMPTY_PATH));
  R(syscall(kFchmodat2, AT_FDCWD, "d/f", 0604, 0));
  R(syscall(kFchmodat2, AT_FDCWD, "l", 0604, AT_SYMLINK_NOFOLLOW));
  R(syscall(kFchmodat2, AT_FDCWD, "d/f", 0604, 1 << 30));
}
