// Which calls move which times: of the file, of its directory, of both directories of a rename.
// The rules of POSIX: "shall mark for update".
#include <dirent.h>
#include <sys/xattr.h>

#include "harness.h"

// What the base has (b) and what was made before in upper (u) are told apart: one case each.
#define RULE(name, fixture, paths, call) \
  CASE("times: " name, fixture) {        \
    watch(paths);                        \
    R(call);                             \
    moved();                             \
    watch(paths);                        \
    moved();                             \
  }

RULE("open for reading", "d/ d/f", "d d/f", close(open("d/f", O_RDONLY)))
RULE("open for writing, nothing written", "d/ d/f", "d d/f", close(open("d/f", O_RDWR)))
RULE("open with O_CREAT of what is there", "d/ d/f", "d d/f",
     close(open("d/f", O_RDWR | O_CREAT, 0644)))
RULE("open with O_CREAT", "d/", "d", close(open("d/f", O_RDWR | O_CREAT, 0644)))
RULE("open with O_TRUNC", "d/ d/f", "d d/f", close(open("d/f", O_WRONLY | O_TRUNC)))
RULE("open with O_TRUNC of an empty file", "d/ d/f#0", "d d/f",
     close(open("d/f", O_WRONLY | O_TRUNC)))
RULE("open with O_EXCL that fails", "d/ d/f", "d d/f",
     open("d/f", O_WRONLY | O_CREAT | O_EXCL, 0644))
RULE("open with O_TMPFILE", "d/", "d", close(open("d", O_TMPFILE | O_RDWR, 0644)))
RULE("creat", "d/ d/f", "d d/f", close(creat("d/f", 0644)))
RULE("truncate to the same size", "d/ d/f#10", "d d/f", truncate("d/f", 10))
RULE("truncate to another size", "d/ d/f#10", "d d/f", truncate("d/f", 4))
RULE("truncate that fails", "d/ d/f#10", "d d/f", truncate("d/f", -1))
RULE("chmod", "d/ d/f", "d d/f", chmod("d/f", 0600))
RULE("chmod to the same", "d/ d/f", "d d/f", chmod("d/f", 0644))
RULE("chmod of a directory", "d/ d/s/ d/s/f", "d d/s d/s/f", chmod("d/s", 0700))
RULE("chown", "d/ d/f", "d d/f", chown("d/f", geteuid(), getegid()))
RULE("chown of nothing", "d/ d/f", "d d/f", chown("d/f", -1, -1))
RULE("chown of a directory", "d/ d/s/", "d d/s", chown("d/s", geteuid(), getegid()))
RULE("lchown of a link", "d/ d/l->f", "d d/l", lchown("d/l", geteuid(), getegid()))
RULE("utimensat to now", "d/ d/f", "d d/f", utimensat(AT_FDCWD, "d/f", NULL, 0))
RULE("utimensat omitting both", "d/ d/f", "d d/f",
     utimensat(AT_FDCWD, "d/f", (struct timespec[2]){{0, UTIME_OMIT}, {0, UTIME_OMIT}}, 0))
RULE("utimensat of atime only", "d/ d/f", "d d/f",
     utimensat(AT_FDCWD, "d/f", (struct timespec[2]){{5, 0}, {0, UTIME_OMIT}}, 0))
RULE("utimensat of a directory", "d/ d/s/", "d d/s",
     utimensat(AT_FDCWD, "d/s", (struct timespec[2]){{5, 0}, {6, 0}}, 0))
RULE("mkdir", "d/", "d", mkdir("d/s", 0755))
RULE("mkdir that fails", "d/ d/s/", "d d/s", mkdir("d/s", 0755))
RULE("rmdir", "d/ d/s/", "d", rmdir("d/s"))
RULE("rmdir that fails", "d/ d/s/ d/s/f", "d d/s", rmdir("d/s"))
RULE("unlink", "d/ d/f", "d", unlink("d/f"))
RULE("unlink of one of two links", "d/ d/f g==d/f", "d g .", unlink("d/f"))
RULE("unlink that fails", "d/", "d", unlink("d/f"))
RULE("link", "d/ d/f e/", "d d/f e", link("d/f", "e/g"))
RULE("link that fails", "d/ d/f e/ e/g", "d d/f e e/g", link("d/f", "e/g"))
RULE("symlink", "d/", "d", symlink("x", "d/l"))
RULE("mkfifo", "d/", "d", mkfifo("d/p", 0644))
RULE("mknod", "d/", "d", mknod("d/p", S_IFREG | 0644, 0))
RULE("rename in a directory", "d/ d/f", "d", rename("d/f", "d/g"))
RULE("rename to another directory", "d/ d/f e/", "d e", rename("d/f", "e/f"))
RULE("rename over another", "d/ d/f e/ e/f h==e/f", "d e h", rename("d/f", "e/f"))
RULE("rename of a directory", "d/ d/s/ d/s/f e/", "d e", rename("d/s", "e/s"))
RULE("rename onto the same file", "d/ d/f d/g==d/f", "d d/f d/g", rename("d/f", "d/g"))
RULE("rename that fails", "d/ d/f e/", "d d/f e", rename("d/f", "e/x/y"))
RULE("rename EXCHANGE", "d/ d/f e/ e/g", "d e", renameat2(AT_FDCWD, "d/f", AT_FDCWD, "e/g", 2))
RULE("setxattr", "d/ d/f", "d d/f", setxattr("d/f", "user.x", "y", 1, 0))
RULE("stat, readlink, access", "d/ d/f d/l->f", "d d/f d/l",
     access("d/f", R_OK) + (readlink("d/l", (char[8]){0}, 8) > 0))
RULE("opendir and readdir", "d/ d/f", "d d/f", closedir(opendir("d")))
RULE("a file below changes its content", "d/ d/s/ d/s/f", "d d/s",
     close(open("d/s/f", O_WRONLY | O_TRUNC)))
RULE("a file two below is made", "d/ d/s/", "d d/s", close(open("d/s/f", O_WRONLY | O_CREAT, 0644)))

CASE("times: write moves mtime and ctime, read neither", "d/ d/f") {
  char byte;
  const int fd = must(open("d/f", O_RDWR));
  watch("d d/f");
  R(read(fd, &byte, 1));
  moved();
  watch("d d/f");
  R(write(fd, "x", 1));
  moved();
  watch("d d/f");
  R(write(fd, "x", 0));
  moved();
  watch("d d/f");
  R(ftruncate(fd, 3));
  moved();
  watch("d d/f");
  R(ftruncate(fd, 3));
  moved();
  watch("d d/f");
  R(fchmod(fd, 0600));
  moved();
  watch("d d/f");
  R(pwrite(fd, "x", 1, 100));
  moved();
}
CASE("times: the file that is renamed", "d/ d/f e/ s/ s/f") {
  struct stat before;
  struct stat after;
  watch("d");
  R(stat("d/f", &before));
  R(rename("d/f", "e/f"));
  R(stat("e/f", &after));
  R(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec &&
    before.st_mtim.tv_sec == after.st_mtim.tv_sec);
  R(before.st_ino == after.st_ino);
  R(before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
    before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
  R(stat("s", &before));
  R(rename("s", "e/s"));
  R(stat("e/s", &after));
  R(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec &&
    before.st_mtim.tv_sec == after.st_mtim.tv_sec);
  R(before.st_ino == after.st_ino);
  R(before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
    before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
}
CASE("times: utimensat values and nanoseconds", "f d/ l->f") {
  static const struct timespec kTimes[][2] = {{{1, 2}, {3, 4}},
                                              {{-5, 999999999}, {-6, 1}},
                                              {{0, UTIME_OMIT}, {7, 8}},
                                              {{9, 10}, {0, UTIME_OMIT}},
                                              {{1, 1000000000}, {1, 0}},
                                              {{1, -1}, {1, 0}},
                                              {{4294967296, 5}, {8589934592, 6}},
                                              {{-2147483648, 0}, {-2147483648, 0}}};
  static const char* const kPaths[] = {"f", "d", "l"};
  for (size_t i = 0; i < sizeof(kTimes) / sizeof(kTimes[0]); ++i) {
    for (int j = 0; j < 3; ++j) {
      struct stat status;
      R(utimensat(AT_FDCWD, kPaths[j], kTimes[i], AT_SYMLINK_NOFOLLOW));
      must(lstat(kPaths[j], &status));
      if (i > 1)
        say("  %s mtime %ld.%09ld", kPaths[j], status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
      else
        say("  %s atime %ld.%09ld mtime %ld.%09ld", kPaths[j], status.st_atim.tv_sec,
            status.st_atim.tv_nsec, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    }
  }
  watch("f");
  R(utimensat(AT_FDCWD, "f", (struct timespec[2]){{0, UTIME_NOW}, {5, 0}}, 0));
  R(utimensat(AT_FDCWD, "f", NULL, 1 << 30));
  R(utimensat(AT_FDCWD, null, NULL, 0));
}
