// opendir, fdopendir, readdir and its positions, scandir, getdents64; chdir, getcwd, realpath.
#include <dirent.h>

#include "harness.h"

static const char kMany[] = "d/ d/a d/b d/c/ d/e->a d/f| d/g d/h d/i d/j d/k";

CASE("readdir: types, dots, numbers", kMany) {
  DIR* stream = P(opendir("d"));
  int dots = 0;
  for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
    char path[300];
    struct stat status;
    sprintf(path, "d/%s", entry->d_name);
    must(lstat(path, &status));
    if (entry->d_name[0] == '.') ++dots;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != (status.st_mode >> 12 & 15)) {
      say("%s: type %d", path, entry->d_type);
    }
    if (entry->d_ino != status.st_ino) say("%s: d_ino is not st_ino", path);
  }
  R(dots);
  R(closedir(stream));
}
CASE("readdir: d_ino after changes", kMany) {
  put("d/a", "changed");
  put("d/new", "new");
  R(rename("d/b", "d/b2"));
  R(rename("d/c", "d/c2"));
  R(mkdir("d/m", 0755));
  R(chmod("d/g", 0600));
  DIR* stream = P(opendir("d"));
  for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
    char path[300];
    struct stat status;
    sprintf(path, "d/%s", entry->d_name);
    must(lstat(path, &status));
    if (entry->d_ino != status.st_ino) say("%s: d_ino is not st_ino", path);
    if (entry->d_type != (status.st_mode >> 12 & 15)) say("%s: type %d", path, entry->d_type);
  }
}
CASE("telldir and seekdir: every place again", kMany) {
  DIR* stream = P(opendir("d"));
  long places[32];
  char names[32][300];
  int count = 0;
  for (;;) {
    places[count] = telldir(stream);
    struct dirent* entry = readdir(stream);
    if (entry == NULL) break;
    strcpy(names[count++], entry->d_name);
  }
  R(count);
  for (int i = count - 1; i >= 0; --i) {
    seekdir(stream, places[i]);
    struct dirent* entry = readdir(stream);
    if (entry == NULL || strcmp(entry->d_name, names[i]) != 0) say("place %d differs", i);
  }
  seekdir(stream, places[count]);
  P(readdir(stream));
  rewinddir(stream);
  P(readdir(stream));
  seekdir(stream, 0);
  P(readdir(stream));
}
CASE("rewinddir: shows what was made and removed", "d/ d/a d/b") {
  DIR* stream = P(opendir("d"));
  int count = 0;
  while (readdir(stream) != NULL) ++count;
  R(count);
  put("d/new", "x");
  put("d/new2", "x");
  R(unlink("d/a"));
  rewinddir(stream);
  for (count = 0; readdir(stream) != NULL;) ++count;
  R(count);
}
CASE("readdir: removing while reading", "d/ d/a d/b d/c d/e d/f d/g") {
  DIR* stream = P(opendir("d"));
  int count = 0;
  for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
    char path[300];
    if (entry->d_name[0] == '.') continue;
    sprintf(path, "d/%s", entry->d_name);
    if (unlink(path) == 0) ++count;
  }
  R(count);
  R(closedir(stream));
  R(rmdir("d"));
}
CASE("readdir: NULL without errno at the end, again and again", "d/") {
  DIR* stream = P(opendir("d"));
  while (readdir(stream) != NULL) {
  }
  P(readdir(stream));
  P(readdir(stream));
  R(fcntl(dirfd(stream), F_GETFD));
  R(closedir(stream));
}
CASE("fdopendir: errors and what becomes of the descriptor", "f d/ d/a") {
  P(fdopendir(-1));
  P(fdopendir(999));
  P(fdopendir(open("f", O_RDONLY)));
  const int fd = must(open("d", O_RDONLY));
  DIR* stream = P(fdopendir(fd));
  R(dirfd(stream) == fd);
  R(closedir(stream));
  R(fcntl(fd, F_GETFD));
}
CASE("fdopendir: two streams of one position", "d/ d/a") {
  const int again = must(open("d", O_RDONLY));
  DIR* first = P(fdopendir(dup(again)));
  int count = 0;
  while (readdir(first) != NULL) ++count;
  R(count);
  // The position is one for both.
  DIR* second = P(fdopendir(again));
  for (count = 0; readdir(second) != NULL;) ++count;
  R(count);
}
CASE("opendir: permissions", "no/ no/f no~:0 x/ x/f x~:0111 r/ r/f r~:0444 o/ o/f o~:0700@") {
  show_names("no");
  show_names("x");
  show_names("r");
  show_names("o");
  look("r/f");
  look("x/f");
}
CASE("getdents64: by number", "d/ d/a d/b") {
  char buffer[4096];
  put("d/new", "x");
  R(unlink("d/a"));
  const int fd = must(open("d", O_RDONLY));
  R(syscall(SYS_getdents64, fd, buffer, 1));
  long got;
  int count = 0;
  while ((got = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
    for (long at = 0; at < got;) {
      const struct dirent64* entry = (const struct dirent64*)(buffer + at);
      at += entry->d_reclen;
      // In any order: what is removed, what is made, what is none of the program's.
      if (strcmp(entry->d_name, "a") == 0) say("a is shown");
      if (strcmp(entry->d_name, "new") == 0) R(entry->d_type == DT_REG);
      ++count;
    }
  }
  R(count);
  R(syscall(SYS_getdents64, open("d/b", O_RDONLY), buffer, sizeof(buffer)));
  R(syscall(SYS_getdents64, -1, buffer, sizeof(buffer)));
}
CASE("read and lseek of a directory", "d/ d/a") {
  char text[8];
  const int fd = must(open("d", O_RDONLY));
  R(read(fd, text, 8));
  R(write(fd, text, 8));
  R(pread(fd, text, 8, 0));
  R(lseek(fd, 0, SEEK_SET));
  R(lseek(fd, -1, SEEK_SET));
  R(ftruncate(fd, 0));
  R(fsync(fd));
  P(mmap(NULL, 10, PROT_READ, MAP_PRIVATE, fd, 0));
}
CASE("chdir: errors and .. after links",
     "f d/ d/s/ l->d/s no/ no/s/ no~:0 nox/ nox~:0666 gl->gone loop->loop") {
  R(chdir("f"));
  R(chdir("no"));
  R(chdir("no/s"));
  R(chdir("nox"));
  R(chdir("gl"));
  R(chdir("loop"));
  R(chdir("l"));
  show_cwd();
  R(chdir(".."));
  show_cwd();
  R(chdir("../l/.."));
  show_cwd();
  R(chdir("s/../.././//d//"));
  show_cwd();
}
CASE("fchdir: errors", "f d/ no/ no~:0 x/ x~:0444") {
  R(fchdir(-1));
  R(fchdir(999));
  R(fchdir(open("f", O_RDONLY)));
  R(fchdir(open("no", O_PATH)));
  R(fchdir(open("x", O_RDONLY)));
  R(fchdir(open("d", O_RDONLY)));
  show_cwd();
  R(fchdir(open("..", O_PATH)));
  show_cwd();
}
CASE("getcwd: sizes and pointers", "d/") {
  char text[PATH_MAX];
  must(chdir("d"));
  P(getcwd(text, 1));
  P(getcwd(text, 0));
  char* whole = getcwd(NULL, 0);
  P(getcwd(text, strlen(whole)));
  P(getcwd(text, strlen(whole) + 1));
  R(strcmp(text, whole));
  R(syscall(SYS_getcwd, text, sizeof(text)) == (long)strlen(whole) + 1);
  R(syscall(SYS_getcwd, text, 2));
  CHILD(R(syscall(SYS_getcwd, bad, 4096)));
  CHILD(P(getcwd(bad, 4096)));
}
CASE("getcwd: below directories that are renamed and made anew", "d/ d/s/ d/s/t/") {
  must(chdir("d/s/t"));
  R(rename("../../../d", "../../../e"));
  show_cwd();
  R(mkdir("../../../d", 0755));
  show_cwd();
  R(chdir(".."));
  show_cwd();
  R(rename("t", "../u"));
  R(chdir("../u"));
  show_cwd();
}
CASE("realpath: links, dots, errors",
     "f d/ d/s/ d/s/f l->d/s l2->l/f gl->gone loop->loop no/ no/f no~:0") {
  static const char* const kPaths[] = {"f",   "l",    "l2",   "l/..", "l/../..", "./d//s/./f",
                                       "gl",  "loop", "no/f", "gone", "f/",      "f/.",
                                       "l2/", "",     "d/..", "no",   "gl/x",    "d/s/../../l2"};
  for (size_t i = 0; i < sizeof(kPaths) / sizeof(kPaths[0]); ++i) {
    char found[PATH_MAX];
    errno = 0;
    if (realpath(kPaths[i], found) == NULL)
      say("%s: %s", kPaths[i], strerrorname_np(errno));
    else
      say("%s: %s", kPaths[i], strstr(found, "/tree/"));
  }
  P(realpath(null, NULL));
  P(realpath("f", NULL));
}
