// mkdir, mknod, mkfifo.
#include <sys/sysmacros.h>

#include "harness.h"

CASE("mkdir: EEXIST", "f d/ l->f gl->gone dl->d") {
  R(mkdir("f", 0755));
  R(mkdir("d", 0755));
  R(mkdir("d/", 0755));
  R(mkdir("l", 0755));
  R(mkdir("gl", 0755));
  R(mkdir("gl/", 0755));
  R(mkdir("dl/", 0755));
  R(mkdir(".", 0755));
  R(mkdir("..", 0755));
  R(mkdir("d/.", 0755));
  R(mkdir("/", 0755));
  R(mkdir("new/", 0755));
  R(mkdir("new2//", 0755));
  R(mkdir("new3/.", 0755));
}
CASE("mkdir: modes and umask", "") {
  R(mkdir("a", 0777));
  umask(0);
  R(mkdir("b", 07777));
  R(mkdir("c", 0));
  R(mkdir("c/d", 0755));
  umask(0777);
  R(mkdir("e", 0777));
}
CASE("mkdir: EACCES", "ro/ ro~:0555 no/ no~:0666 o/@") {
  R(mkdir("ro/d", 0755));
  R(mkdir("no/d", 0755));
  R(mkdir("o/d", 0755));
  R(mkdir("ro", 0755));
}
CASE("mkdir: set-group-id is inherited", "g/ g~:02775 o/@ o~:02777@") {
  R(mkdir("g/d", 0755));
  put("g/f", "x");
  R(mkdir("o/d", 0755));
  put("o/f", "x");
  R(mkfifo("o/p", 0600));
  R(symlink("x", "o/l"));
  look("o/d");
  look("o/f");
  look("o/l");
}
CASE("mknod: types", "f") {
  R(mknod("a", S_IFREG | 0640, 0));
  R(mknod("b", 0640, 0));
  R(mknod("c", S_IFIFO | 0640, 0));
  R(mknod("d", S_IFSOCK | 0640, 0));
  R(mknod("e", S_IFDIR | 0640, 0));
  R(mknod("g", S_IFLNK | 0640, 0));
  R(mknod("h", 0110000 | 0640, 0));
  R(mknod("f", S_IFREG | 0640, 0));
  R(mkfifo("f", 0600));
  R(mkfifo("new/", 0600));
  R(mknod("new/", S_IFREG | 0600, 0));
  umask(0);
  R(mkfifo("all", 07777));
}
CASE("mknod: EPERM of devices", "") {
  R(mknod("a", S_IFCHR | 0600, makedev(1, 3)));
  R(mknod("b", S_IFBLK | 0600, makedev(7, 0)));
  look("a");
}
CASE("mknod: a device 0:0 of a program's own", "") {
  R(mknod("a", S_IFCHR | 0600, makedev(0, 0)));
  look("a");
  show_names(".");
}
