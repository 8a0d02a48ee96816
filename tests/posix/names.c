// link, symlink, readlink, unlink, rmdir, remove.
#include "harness.h"

CASE("link: EEXIST, whatever is there", "f g d/ l->f gl->gone") {
  R(link("f", "g"));
  R(link("f", "f"));
  R(link("f", "d"));
  R(link("f", "l"));
  R(link("f", "gl"));
  R(link("f", "d/"));
  R(link("f", "new/"));
}
CASE("link: EPERM of a directory", "d/ dl->d") {
  R(link("d", "h"));
  R(link(".", "h"));
  R(link("d/", "h"));
  R(link("dl/", "h"));
  R(linkat(AT_FDCWD, "dl", AT_FDCWD, "h", AT_SYMLINK_FOLLOW));
}
CASE("link: of links and through links", "f l->f gl->gone") {
  R(link("l", "l2"));
  same_file("l", "l2");
  R(linkat(AT_FDCWD, "l", AT_FDCWD, "h", AT_SYMLINK_FOLLOW));
  same_file("f", "h");
  R(link("gl", "gl2"));
  R(linkat(AT_FDCWD, "gl", AT_FDCWD, "h2", AT_SYMLINK_FOLLOW));
}
CASE("link: EINVAL of flags", "f") {
  R(linkat(AT_FDCWD, "f", AT_FDCWD, "h", AT_SYMLINK_NOFOLLOW));
  R(linkat(AT_FDCWD, "f", AT_FDCWD, "h", 1 << 30));
  R(linkat(AT_FDCWD, "gone", AT_FDCWD, "h", 1 << 30));
}
CASE("link: counts, content and what stays when one goes", "f g==f d/") {
  look("f");
  R(link("f", "d/h"));
  look("f");
  put("g", "by g\n");
  show_file("d/h");
  R(unlink("f"));
  look("g");
  R(rename("g", "d/h"));
  R(unlink("g"));
  look("d/h");
}
CASE("link: hard links laid in the base", "f g==f d/ d/h==f") {
  same_file("f", "g");
  same_file("f", "d/h");
  R(chmod("d/h", 0600));
  look("f");
  put("g", "by g\n");
  show_file("d/h");
  R(unlink("g"));
  look("f");
  R(truncate("f", 2));
  show_file("d/h");
}
CASE("link: EXDEV to another file system", "f") {
  R(link("f", "/dev/shm/posix_case_f"));
  R(link("/proc/version", "h"));
  R(rename("f", "/dev/shm/posix_case_f"));
  R(rename("/proc/version", "h"));
}
CASE("link: protected hard links of another's files", "f@:0600 r@:0444 w:0666@ own p|") {
  R(link("f", "hf"));
  R(link("r", "hr"));
  R(link("w", "hw"));
  R(link("own", "ho"));
  R(link("p", "hp"));
}
CASE("link: EACCES", "f ro/ ro/g ro~:0555 no/ no/f no~:0444 other/@") {
  R(link("f", "ro/h"));
  R(link("ro/g", "h"));
  R(link("no/f", "h2"));
  R(link("f", "no/h"));
  R(link("f", "other/h"));
}
CASE("link: of a FIFO and a socket", "p|") {
  R(link("p", "h"));
  same_file("p", "h");
}
CASE("symlink: EEXIST and slashes", "f d/ l->f gl->gone") {
  R(symlink("x", "f"));
  R(symlink("x", "d"));
  R(symlink("x", "l"));
  R(symlink("x", "gl"));
  R(symlink("x", "d/"));
  R(symlink("x", "new/"));
  R(symlink("x", "gl/"));
}
CASE("symlink: targets of every kind", "") {
  R(symlink("", "empty"));
  R(symlink("/", "root"));
  R(symlink("a//b/./../c/", "odd"));
  R(symlink(long_name(255), "n255"));
  R(symlink(long_name(4095), "n4095"));
  R(symlink(long_name(4096), "n4096"));
  R(symlink("\001\377 \n*", "bytes"));
  R(symlink(".vfs-object 1", "looks like a record"));
}
CASE("symlink: EFAULT of the target", "") {
  CHILD(R(symlink(null, "l")));
  CHILD(R(symlink(bad, "l")));
}
CASE("symlink: mode, owner, size", "f") {
  umask(077);
  R(symlink("f", "l"));
  look("l");
  R(lchown("l", geteuid(), getegid()));
  R(fchmodat(AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW));
}
CASE("readlink: sizes and errors", "f l->target d/") {
  char text[16] = "................";
  R(readlink("l", text, 3));
  say("%.5s", text);
  R(readlink("l", text, 0));
  R(readlink("l", text, 6));
  volatile size_t most = (size_t)-1;
  R(readlink("l", text, most));
  R(readlink("f", text, sizeof(text)));
  R(readlink("d", text, sizeof(text)));
  R(readlink("l/", text, sizeof(text)));
  CHILD(R(readlink("l", bad, 8)));
  CHILD(R(readlink("l", null, 8)));
  CHILD(R(readlink("l", read_only_page(), 8)));
}
CASE("unlink: errors", "f d/ d/f dl->d l->f gl->gone") {
  R(unlink("d"));
  R(unlink("d/"));
  R(unlink("f/"));
  R(unlink("dl/"));
  R(unlink("l/"));
  R(unlink("."));
  R(unlink(".."));
  R(unlink("d/."));
  R(unlink("d/.."));
  R(unlink("gl"));
  R(unlink("l"));
  R(unlink("dl"));
  R(unlink("f"));
  R(unlink("f"));
}
CASE("unlink: permissions",
     "ro/ ro/f ro~:0555 no/ no/f no~:0666 d/ d/f@ d/zero:0 o/ o/f o~:0755@ x/ x/f x~:0333") {
  R(unlink("ro/f"));
  R(unlink("ro/gone"));
  R(unlink("no/f"));
  R(unlink("d/f"));
  R(unlink("d/zero"));
  R(unlink("o/f"));
  R(unlink("x/f"));
}
CASE("unlink: a sticky directory",
     "s/ s/mine s/f@ s/d/@ s~:01777@ own/ own/f@ own/d/@ own~:01777") {
  R(unlink("s/f"));
  R(rmdir("s/d"));
  R(rename("s/f", "s/g"));
  R(rename("s/mine", "s/f"));
  R(rename("s/f", "out"));
  R(unlink("s/mine"));
  R(unlink("own/f"));
  R(rmdir("own/d"));
}
CASE("unlinkat: flags", "f d/ e/ e/f l->d") {
  R(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
  R(unlinkat(AT_FDCWD, "e", AT_REMOVEDIR));
  R(unlinkat(AT_FDCWD, "l", AT_REMOVEDIR));
  R(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR | 1));
  R(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
  R(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
  R(unlinkat(AT_FDCWD, "f", 1));
}
CASE("rmdir: errors", "f d/ d/f e/ el->e l->f s/ s/t/") {
  R(rmdir("f"));
  R(rmdir("d"));
  R(rmdir("l"));
  R(rmdir("el"));
  R(rmdir("el/"));
  R(rmdir("e/."));
  R(rmdir("e/.."));
  R(rmdir("."));
  R(rmdir(".."));
  R(rmdir("s/t/.."));
  R(rmdir("gone"));
  R(rmdir("f/"));
  R(rmdir("e/"));
}
CASE("rmdir: ENOTEMPTY, a directory whose files went, came, moved", "d/ d/f e/ e/f g/ g/s/ g/s/t") {
  R(unlink("d/f"));
  R(rmdir("d"));
  R(rename("e/f", "f"));
  put("e/new", "x");
  R(rmdir("e"));
  R(unlink("e/new"));
  R(rmdir("e"));
  R(mkdir("e", 0755));
  show_names("e");
  R(rename("g/s", "s"));
  R(rmdir("g"));
}
CASE("rmdir: permissions", "ro/ ro/d/ ro~:0555 o/@") {
  R(rmdir("ro/d"));
  R(rmdir("o"));
}
CASE("rmdir: own directories of mode 0", "zero/ zero~:0 full/ full/f full~:0") {
  R(rmdir("zero"));
  R(rmdir("full"));
}
CASE("rmdir: the working directory", "d/ e/") {
  must(chdir("d"));
  R(rmdir("../d"));
  P(getcwd(null, 0));
  R(open("new", O_CREAT | O_WRONLY, 0644));
  R(mkdir("new", 0755));
  R(access(".", F_OK));
  R(access("..", F_OK));
  show_names(".");
  show_names("..");
  R(chdir(".."));
  show_cwd();
}
CASE("rmdir: a directory that is open", "d/") {
  const int fd = must(open("d", O_RDONLY));
  R(rmdir("d"));
  look_fd("d", fd);
  R(openat(fd, "new", O_CREAT | O_WRONLY, 0644));
  R(fchmod(fd, 0700));
  R(faccessat(fd, ".", F_OK, 0));
  R(mkdir("d", 0700));
  look_fd("d", fd);
  R(faccessat(fd, "gone", F_OK, 0));
}
CASE("remove: of each type", "f d/ e/ e/f l->e p|") {
  R(remove("f"));
  R(remove("d"));
  R(remove("e"));
  R(remove("l"));
  R(remove("p"));
  R(remove("gone"));
  R(remove("."));
}
