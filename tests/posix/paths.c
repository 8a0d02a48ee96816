// Names and paths at their limits: 255 and 256 bytes, 4095 and 4096, 40 links, odd bytes, slashes.
#include "harness.h"

CASE("names: 255 bytes", "{255} d/ d/{255}/ d/{255}/{255} l->{255}") {
  const char* name = long_name(255);
  char other[300];
  look(name);
  show_file("l");
  R(rename(name, "short"));
  R(rename("short", name));
  R(chmod(name, 0600));
  put(name, "changed");
  sprintf(other, "m%s", long_name(254));
  R(link(name, other));
  R(unlink(name));
  R(mkdir(name, 0755));
  R(rename(other, long_name(256)));
  sprintf(other, "d/%s/%s", name, name);
  R(unlink(other));
  R(access(other, F_OK));
  sprintf(other, "d/%s", name);
  R(rmdir(other));
}
CASE("names: made of 255 bytes of every kind", "") {
  char name[300];
  for (int i = 0; i < 255; ++i)
    name[i] = (char)(i == 46 ? 'x' : i % 254 + 1 == '/' ? 'y' : i % 254 + 1);
  name[255] = '\0';
  put(name, "x");
  R(symlink(name, "l"));
  show_file(name);
  R(rename(name, "plain"));
}
CASE("names: odd bytes", "") {
  static const char* const kNames[] = {
      " ",    "\n",       "\t",   "\\",   "*",   "?",      "[",   "\"",       "'",
      "$x",   "`x`",      "-",    "--",   "...", "....",   ".x",  "\001",     "\177",
      "\200", "\377\376", "a\nb", "%s%n", "~",   "#",      ";",   "\303\244", "\303",
      "a b",  "&",        "|",    "<",    ">",   ".vfs-x", "vfs", ".wh.x",    ".wh..wh..opq"};
  for (size_t i = 0; i < sizeof(kNames) / sizeof(kNames[0]); ++i) {
    put(kNames[i], "x\n");
    look(kNames[i]);
    if (i % 2 == 0) R(unlink(kNames[i]));
  }
  show_names(".");
}
CASE("names: odd ones laid in the base",
     "$x *x ? [ \" ' \\ `x` ... ....  .x %s%n ; & < .vfs-x .wh.x") {
  put("*x", "changed");
  R(rename("?", "??"));
  R(unlink("["));
  R(chmod("...", 0600));
  R(unlink(".wh.x"));
  R(rename(".vfs-x", ".vfs-y"));
}
CASE("names: a reserved one in the base", ".vfs-directory") {
  look(".vfs-directory");
}
CASE("paths: 4095 bytes and more", "f d/ d/f") {
  R(access(long_path(4095, "f"), F_OK));
  R(access(long_path(4095, "d/f"), R_OK));
  R(access(long_path(4096, "f"), F_OK));
  FD(open(long_path(4095, "new"), O_CREAT | O_WRONLY, 0644));
  R(mkdir(long_path(4095, "newd"), 0755));
  R(rename(long_path(4095, "f"), long_path(4095, "g")));
  R(rename(long_path(4095, "g"), long_path(4096, "h")));
  R(symlink("x", long_path(4095, "l")));
  R(unlink(long_path(4095, "g")));
  R(link(long_path(4095, "d/f"), long_path(4095, "h")));
  R(chdir(long_path(4095, "d")));
  show_cwd();
}
CASE("paths: a tree deeper than PATH_MAX", "") {
  const char* name = long_name(200);
  int depth = 0;
  for (; depth < 25; ++depth) {
    if (mkdir(name, 0755) != 0 || chdir(name) != 0) break;
  }
  say("depth %d %s", depth, depth < 25 ? strerrorname_np(errno) : "");
  FD(open("f", O_CREAT | O_WRONLY, 0644));
  R(access("f", F_OK));
  P(getcwd(NULL, 0));
  char text[8192];
  R(syscall(SYS_getcwd, text, 4096));
  R(syscall(SYS_getcwd, text, sizeof(text)));
  R(unlink("f"));
  for (; depth > 0; --depth) {
    if (chdir("..") != 0 || rmdir(name) != 0) break;
  }
  say("depth %d", depth);
}
CASE("links: 40 in a row and 41", "") {
  char name[16];
  char target[16] = "f";
  put("f", "found\n");
  for (int i = 1; i <= 41; ++i) {
    sprintf(name, "l%d", i);
    must(symlink(target, name));
    strcpy(target, name);
  }
  FD(open("l40", O_RDONLY));
  FD(open("l41", O_RDONLY));
  R(access("l40", F_OK));
  R(access("l41", F_OK));
  R(chmod("l40", 0600));
  R(chmod("l41", 0600));
  FD(open("l41", O_RDONLY | O_NOFOLLOW));
  R(readlink("l41", name, sizeof(name)));
}
CASE(
    "links: 40 on the way, in the base",
    "d/ d/f d/l->. l0->d/l/l/l/l/l/l/l/l/l/l l1->l0/l/l/l/l/l/l/l/l/l/l l2->l1/l/l/l/l/l/l/l/l/l/l "
    "l3->l2/l/l/l/l/l/l") {
  R(access("l3", F_OK));
  R(access("l3/f", F_OK));
  R(access("l3/l/f", F_OK));
  R(access("l2/l/l/l/l/l/f", F_OK));
  R(access("l2/l/l/l/l/l/l/f", F_OK));
  R(access("l2/l/l/l/l/l/l/l/f", F_OK));
  R(access("l2/l/l/l/l/l/l/l/l/f", F_OK));
  FD(open("l3/l/f", O_WRONLY));
}
CASE("links: .. after a link, to what is outside and back",
     "a/ a/b/ a/b/f l->a/b f up->a/b/../../f out->../../../tree") {
  show_file("l/../b/f");
  R(access("l/../f", F_OK));
  R(access("l/../../f", F_OK));
  R(access("up", F_OK));
  R(access("out/paths", F_OK));
  R(access("out/../tree/paths/..", F_OK));
  FD(open("l/../new", O_CREAT | O_WRONLY, 0644));
  R(access("a/new", F_OK));
}
CASE("links: absolute ones into the tree", "d/ d/f") {
  char path[PATH_MAX];
  P(getcwd(path, sizeof(path) - 10));
  strcat(path, "/d");
  R(symlink(path, "abs"));
  show_file("abs/f");
  FD(open("abs/new", O_CREAT | O_WRONLY, 0644));
  R(unlink("abs/f"));
  show_names("d");
  // It would show the temporary part of the place.
  must(unlink("abs"));
}
CASE("slashes: at the end of what is made", "f d/ dl->d fl->f gl->gone") {
  R(mkdir("m1/", 0755));
  R(mkdir("m2///", 0755));
  R(mkdir("gl/", 0755));
  FD(open("n/", O_CREAT | O_WRONLY, 0644));
  FD(open("f/", O_CREAT | O_WRONLY, 0644));
  FD(open("fl/", O_RDONLY));
  FD(open("d/", O_RDONLY));
  FD(open("dl/", O_RDONLY | O_NOFOLLOW));
  R(rename("m1/", "m3/"));
  R(rename("m3", "m4/"));
  R(rename("f", "g/"));
  R(rename("dl/", "x"));
  R(rmdir("dl/"));
  R(unlink("fl/"));
  R(rmdir("m2/"));
  R(link("f", "h/"));
  R(link("f/", "h"));
  R(readlink("dl/", (char[8]){0}, 8));
  R(chmod("f/", 0600));
  R(truncate("f/", 0));
  R(utimensat(AT_FDCWD, "dl/", NULL, AT_SYMLINK_NOFOLLOW));
  R(lchown("dl/", geteuid(), getegid()));
}
