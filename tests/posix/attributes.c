// chmod, chown, truncate, ftruncate, extended attributes.
#include <sys/xattr.h>

#include "harness.h"

CASE("chmod: all bits", "f d/ prog+") {
  R(chmod("f", 07777));
  look("f");
  R(chmod("f", 0));
  look("f");
  R(chmod("d", 07777));
  look("d");
  R(chmod("d", 0));
  look("d");
  R(access("d/x", F_OK));
  R(chmod("d", 0755));
  R(chmod("f", 0170644));
  look("f");
  R(chmod("prog", 06755));
  look("prog");
}
CASE("chmod: EPERM of another's", "f@ d/@ w:0666@") {
  R(chmod("f", 0600));
  R(chmod("d", 0700));
  R(chmod("w", 0600));
  R(fchmod(open("f", O_RDONLY), 0600));
}
CASE("chmod: flags", "f l->f gl->gone") {
  R(fchmodat(AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW));
  R(fchmodat(AT_FDCWD, "f", 0600, AT_SYMLINK_NOFOLLOW));
  R(fchmodat(AT_FDCWD, "f", 0600, 1));
  R(fchmodat(AT_FDCWD, "gl", 0600, 0));
  R(lchmod("l", 0600));
  R(lchmod("f", 0640));
  R(fchmod(-1, 0600));
  R(fchmod(999, 0600));
}
CASE("chmod: set-user-id goes when written or owned anew",
     "a:06755 b:06755 c:06755 d:02644 e:06755") {
  const int fd = must(open("a", O_WRONLY));
  R(write(fd, "x", 1));
  look("a");
  R(chown("b", geteuid(), getegid()));
  look("b");
  R(truncate("c", 3));
  look("c");
  R(chown("d", geteuid(), getegid()));
  look("d");
  R(close(open("e", O_WRONLY | O_TRUNC)));
  look("e");
}
CASE("chmod: set-group-id of a group that is not the user's", "f d/") {
  R(chmod("f", 02755));
  look("f");
  R(chown("f", -1, 65533));
  R(chmod("f", 02755));
  look("f");
}
CASE("chown: EPERM", "f mine d/") {
  R(chown("mine", 65533, -1));
  R(chown("mine", -1, 65533));
  look("mine");
  R(chown("mine", geteuid(), getegid()));
  R(chown("d", 65533, 65533));
  look("d");
  R(lchown("f", 1, 1));
  R(fchown(open("f", O_RDONLY), 2, 2));
  R(fchown(-1, 0, 0));
  R(fchownat(AT_FDCWD, "f", -1, -1, 1));
}
CASE("chown: another's", "f@ l->f") {
  R(chown("f", geteuid(), -1));
  R(chown("f", -1, getegid()));
  R(chown("f", -1, -1));
  R(chown("l", geteuid(), getegid()));
}
CASE("chown: a link and what it points to", "f l->f gl->gone") {
  R(lchown("l", geteuid(), getegid()));
  R(lchown("gl", geteuid(), getegid()));
  R(chown("gl", geteuid(), getegid()));
  R(fchownat(AT_FDCWD, "gl", geteuid(), getegid(), AT_SYMLINK_NOFOLLOW));
}
CASE("truncate: errors", "f d/ ro:0444 no:0 l->f gl->gone p| o@ prog+") {
  R(truncate("f", -1));
  R(truncate("d", 0));
  R(truncate("d", -1));
  R(truncate("ro", 0));
  R(truncate("no", 0));
  R(truncate("gl", 0));
  R(truncate("p", 0));
  R(truncate("o", 0));
  R(truncate("f", 0x7fffffffffffffffL));
  R(truncate("gone", -1));
  R(truncate("l", 3));
  R(ftruncate(-1, 0));
  R(ftruncate(open("f", O_RDONLY), 0));
  R(ftruncate(open("f", O_RDWR), -1));
  R(ftruncate(open("d", O_RDONLY), 0));
  int ends[2];
  must(pipe(ends));
  R(ftruncate(ends[1], 0));
}
CASE("truncate: longer, shorter, sparse", "f#10 g#5000") {
  R(truncate("f", 20));
  look("f");
  R(truncate("g", 4999));
  R(truncate("g", 100000));
  look("g");
  R(truncate("g", 0));
  look("g");
}

#define NAME "user.case"
static char value[256];

CASE("xattr: set, get, list, remove", "f d/ l->f") {
  R(setxattr("f", NAME, "one", 3, 0));
  R(getxattr("f", NAME, value, sizeof(value)));
  R(getxattr("f", NAME, value, 0));
  R(getxattr("f", NAME, value, 2));
  R(listxattr("f", value, sizeof(value)));
  say_text("listed", value);
  R(listxattr("f", value, 0));
  R(listxattr("f", value, 3));
  R(setxattr("f", NAME, "two", 3, XATTR_CREATE));
  R(setxattr("f", NAME, "three", 5, XATTR_REPLACE));
  R(getxattr("l", NAME, value, sizeof(value)));
  R(lgetxattr("l", NAME, value, sizeof(value)));
  R(removexattr("f", NAME));
  R(removexattr("f", NAME));
  R(setxattr("f", NAME, "four", 4, XATTR_REPLACE));
  R(getxattr("f", NAME, value, sizeof(value)));
  R(setxattr("d", NAME, "", 0, 0));
  R(getxattr("d", NAME, value, sizeof(value)));
  R(listxattr("d", value, sizeof(value)));
}
CASE("xattr: errors of names and flags", "f l->f p|") {
  R(setxattr("f", "noprefix", "x", 1, 0));
  R(setxattr("f", "other.name", "x", 1, 0));
  R(setxattr("f", "user.", "x", 1, 0));
  R(setxattr("f", "", "x", 1, 0));
  R(setxattr("f", long_name(256), "x", 1, 0));
  R(setxattr("f", NAME, "x", 1, 4));
  R(setxattr("f", NAME, "x", 1, XATTR_CREATE | XATTR_REPLACE));
  R(setxattr("f", NAME, long_name(70000), 70000, 0));
  R(setxattr("gone", NAME, "x", 1, 0));
  R(lsetxattr("l", NAME, "x", 1, 0));
  R(setxattr("p", NAME, "x", 1, 0));
  R(getxattr("f", "user.none", value, 9));
  R(getxattr("f", "noprefix", value, 9));
  R(getxattr("f", "", value, 9));
  R(removexattr("f", "noprefix"));
  R(removexattr("f", "user.none"));
  R(fgetxattr(-1, NAME, value, 9));
  R(fsetxattr(-1, NAME, "x", 1, 0));
  R(flistxattr(-1, value, 9));
  R(fremovexattr(-1, NAME));
}
CASE("xattr: EFAULT", "f") {
  CHILD(R(setxattr("f", bad, "x", 1, 0)));
  CHILD(R(setxattr("f", NAME, bad, 8, 0)));
  R(setxattr("f", NAME, "x", 1, 0));
  CHILD(R(getxattr("f", bad, value, 9)));
  CHILD(R(getxattr("f", NAME, bad, 9)));
  CHILD(R(listxattr("f", bad, 100)));
}
CASE("xattr: trusted and security", "f") {
  R(setxattr("f", "trusted.case", "x", 1, 0));
  R(getxattr("f", "trusted.case", value, 9));
  R(setxattr("f", "security.case", "x", 1, 0));
  R(removexattr("f", "security.case"));
  R(listxattr("f", value, sizeof(value)));
}
CASE("xattr: a file for writing only", "wo:0200") {
  R(setxattr("wo", NAME, "x", 1, 0));
  R(getxattr("wo", NAME, value, 9));
}
CASE("xattr: permissions", "ro:0444 o@ ow:0666@ s/ s~:01777@ d/ d~:0555") {
  R(setxattr("ro", NAME, "x", 1, 0));
  R(setxattr("o", NAME, "x", 1, 0));
  R(setxattr("ow", NAME, "x", 1, 0));
  R(setxattr("s", NAME, "x", 1, 0));
  R(setxattr("d", NAME, "x", 1, 0));
  R(fsetxattr(open("ro", O_RDONLY), NAME, "y", 1, 0));
}
CASE("xattr: kept by rename, chmod, writing, links", "f d/ d/g") {
  R(setxattr("f", NAME, "one", 3, 0));
  R(setxattr("d", NAME, "dir", 3, 0));
  R(chmod("f", 0600));
  R(rename("f", "h"));
  put("h", "new");
  R(link("h", "k"));
  R(getxattr("k", NAME, value, sizeof(value)));
  R(rename("d", "e"));
  R(getxattr("e", NAME, value, sizeof(value)));
  R(fgetxattr(open("h", O_RDONLY), NAME, value, sizeof(value)));
  R(flistxattr(open("h", O_RDONLY), value, sizeof(value)));
  R(fremovexattr(open("h", O_RDONLY), NAME));
  R(getxattr("k", NAME, value, sizeof(value)));
}
