// rename, renameat, renameat2.
#include "harness.h"

static long rename2(const char* from, const char* to, unsigned flags) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

CASE("rename: EINVAL, a directory into itself", "d/ d/s/ d/s/t/ dl->d") {
  R(rename("d", "d/x"));
  R(rename("d", "d/s/t"));
  R(rename("d", "d/s/t/x"));
  R(rename("d", "dl/x"));
  R(rename("d/s", "d"));
  R(rename("d/s/t", "d"));
}
CASE("rename: EISDIR and ENOTDIR", "f d/ e/ l->d") {
  R(rename("f", "d"));
  R(rename("d", "f"));
  R(rename("f", "d/"));
  R(rename("f/", "new"));
  R(rename("d", "l"));
  R(rename("l", "d"));
  R(rename("f", "new/"));
  R(rename("d", "new/"));
  R(rename("new/", "d2/"));
  R(rename("l/", "other"));
}
CASE("rename: ENOTEMPTY", "d/ d/f e/ e/f empty/") {
  R(rename("d", "e"));
  R(rename("empty", "e"));
  R(rename("d", "empty"));
  R(rename("empty/", "d"));
}
CASE("rename: over a directory that was emptied", "d/ d/f e/ e/f") {
  R(unlink("e/f"));
  R(rename("d", "e"));
  show_names("e");
}
CASE("rename: over a directory that is not empty only in upper", "d/ d/f e/") {
  put("e/new", "x");
  R(rename("d", "e"));
}
CASE("rename: EBUSY and dots", "d/ d/s/ f") {
  R(rename(".", "x"));
  R(rename("..", "x"));
  R(rename("d/.", "x"));
  R(rename("d/..", "x"));
  R(rename("f", "."));
  R(rename("f", ".."));
  R(rename("f", "d/."));
  R(rename("d", "."));
  R(rename("d", "d/s/.."));
}
CASE("rename: ENOENT and empty", "f d/ gl->gone/x") {
  R(rename("gone", "x"));
  R(rename("gone", "f"));
  R(rename("f", "gone/x"));
  R(rename("f", "gl"));
  R(rename("", "x"));
  R(rename("gl", ""));
}
CASE("rename: one onto itself", "f g==f d/ l->f") {
  watch("f g");
  R(rename("f", "f"));
  R(rename("f", "g"));
  R(rename("d", "d"));
  R(rename("d", "d/"));
  R(rename("l", "f"));
  moved();
}
CASE("rename: replaces, and what was open stays", "f g d/") {
  const int fd = must(open("g", O_RDONLY));
  const int writes = must(open("f", O_RDWR));
  R(rename("f", "g"));
  show_content(fd);
  look_fd("old g", fd);
  R(write(writes, "NEW", 3));
  show_file("g");
  look("f");
}
CASE("rename: of links, FIFOs, sockets", "l->gone p| f s->f") {
  R(rename("l", "l2"));
  R(rename("p", "p2"));
  R(rename("s", "p2"));
  R(rename("f", "l2"));
}
CASE("rename: populated directories", "d/ d/a d/s/ d/s/b d/s/l->../a d/gone e/") {
  R(unlink("d/gone"));
  put("d/new", "new\n");
  R(rename("d", "e/d2"));
  show_tree("e");
  show_file("e/d2/s/b");
  R(access("d", F_OK));
  R(mkdir("d", 0755));
  show_names("d");
  put("e/d2/s/b", "changed\n");
  R(rename("e/d2/s", "d/s"));
  R(rename("e/d2", "back"));
}
CASE("rename: a directory, then what it held", "d/ d/a d/s/ d/s/b") {
  R(rename("d", "e"));
  R(rename("e/s", "s"));
  R(rename("e", "s/e"));
  R(rename("s/b", "b"));
  R(rmdir("s/e"));
  R(unlink("s/e/a"));
  R(rmdir("s/e"));
  R(rename("s", "d"));
}
CASE("rename: two directories change places by a third", "a/ a/x b/ b/y") {
  R(rename("a", "t"));
  R(rename("b", "a"));
  R(rename("t", "b"));
}
CASE("rename: an open directory, and the working directory", "d/ d/f d/s/ e/") {
  const int fd = must(open("d", O_RDONLY));
  must(chdir("d/s"));
  R(rename("../../d", "../../e/d2"));
  show_cwd();
  R(faccessat(fd, "f", F_OK, 0));
  show_file("../f");
  R(openat(fd, "new", O_CREAT | O_WRONLY, 0644) >= 0);
  R(fchdir(fd));
  show_cwd();
  R(chdir("../.."));
  show_cwd();
}
CASE("rename: permissions",
     "f ro/ ro/f ro/d/ ro~:0555 no/ no/f no~:0666 dro/ dro/f dro~:0555 e/ x/ x~:0333 x2/") {
  R(rename("ro/f", "g"));
  R(rename("f", "ro/g"));
  R(rename("no/f", "g"));
  R(rename("dro", "dro2"));
  R(rename("dro2", "e/dro"));
  R(rename("x2", "x/d"));
  R(rename("f", "x/f"));
}
CASE("rename: another's directories and files", "d/@ f@ e/ s/ s/f@ s/d/@ s/mine s~:01777@") {
  R(rename("d", "d2"));
  R(rename("d2", "e/d"));
  R(rename("f", "e/f"));
  R(rename("s/d", "e/x"));
  R(rename("s/f", "e/y"));
  R(rename("s/mine", "s/f"));
  R(rename("e", "s/e"));
}
CASE("renameat2: EINVAL of flags", "f g") {
  R(rename2("f", "g", RENAME_NOREPLACE | RENAME_EXCHANGE));
  R(rename2("f", "g", RENAME_WHITEOUT | RENAME_EXCHANGE));
  R(rename2("f", "g", 8));
  R(rename2("gone", "g", 1u << 31));
}
CASE("renameat2: NOREPLACE", "f g d/ e/ l->gone h==f") {
  R(rename2("f", "g", RENAME_NOREPLACE));
  R(rename2("d", "e", RENAME_NOREPLACE));
  R(rename2("f", "l", RENAME_NOREPLACE));
  R(rename2("f", "f", RENAME_NOREPLACE));
  R(rename2("f", "h", RENAME_NOREPLACE));
  R(rename2("f", ".", RENAME_NOREPLACE));
  R(rename2("f", "new/", RENAME_NOREPLACE));
  R(rename2("d", "new/", RENAME_NOREPLACE));
  R(rename2("f", "new", RENAME_NOREPLACE));
}
CASE("renameat2: EXCHANGE", "f d/ d/a d/s/ d/s/b g l->f e/ e/c") {
  R(rename2("f", "gone", RENAME_EXCHANGE));
  R(rename2("gone", "f", RENAME_EXCHANGE));
  R(rename2("f", "d", RENAME_EXCHANGE));
  R(rename2("l", "g", RENAME_EXCHANGE));
  R(rename2("f", "e", RENAME_EXCHANGE));
  R(rename2("f", "f", RENAME_EXCHANGE));
  R(rename2("d/", "f", RENAME_EXCHANGE));
}
CASE("renameat2: EXCHANGE of a directory and what is in it", "d/ d/s/ d/s/f") {
  R(rename2("d", "d/s", RENAME_EXCHANGE));
  R(rename2("d/s", "d", RENAME_EXCHANGE));
  R(rename2(".", "d", RENAME_EXCHANGE));
}
CASE("renameat2: EXCHANGE moves what is inside", "a/ a/x b/ b/y") {
  R(rename2("a", "b", RENAME_EXCHANGE));
  show_file("a/y");
  show_file("b/x");
  put("a/new", "n");
  R(rename2("a", "b", RENAME_EXCHANGE));
}
CASE("renameat2: WHITEOUT", "f d/ d/f") {
  R(rename2("f", "g", RENAME_WHITEOUT));
  look("f");
  R(rename2("d", "e", RENAME_WHITEOUT));
  look("d");
  R(rename2("g", "e/f", RENAME_WHITEOUT | RENAME_NOREPLACE));
}
CASE("renameat2: EFAULT, bad second pointer", "f") {
  CHILD(R(rename2("f", bad, 0)));
  CHILD(R(rename2("f", null, 0)));
  CHILD(R(rename("gone", null)));
}
