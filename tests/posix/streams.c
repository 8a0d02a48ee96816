// fopen and freopen modes, mkstemp and its family, tmpfile.
#include <dlfcn.h>

#include "harness.h"

static void close_stream(FILE* stream) {
  if (stream != NULL) fclose(stream);
}
CASE("fopen: modes on what is there and what is not", "") {
  static const char* const kModes[] = {"r",
                                       "r+",
                                       "w",
                                       "w+",
                                       "a",
                                       "a+",
                                       "rb",
                                       "r+b",
                                       "rb+",
                                       "wx",
                                       "w+x",
                                       "re",
                                       "ae",
                                       "ax",
                                       "rm",
                                       "rc",
                                       "x",
                                       "",
                                       "q",
                                       "+r",
                                       "rw",
                                       "r,ccs=UTF-8",
                                       "w,ccs=none-such"};
  for (size_t i = 0; i < sizeof(kModes) / sizeof(kModes[0]); ++i) {
    for (int there = 0; there < 2; ++there) {
      if (there != 0)
        put("f", "content");
      else
        unlink("f");
      errno = 0;
      FILE* stream = fopen("f", kModes[i]);
      say("%s %s: %s", kModes[i], there ? "there" : "missing",
          stream != NULL ? "open" : strerrorname_np(errno));
      if (stream == NULL) continue;
      const int fd = fileno(stream);
      say("  flags %o cloexec %d", fcntl(fd, F_GETFL) & ~O_NOFOLLOW, fcntl(fd, F_GETFD));
      R(fputs("NEW", stream) >= 0);
      fclose(stream);
      show_file("f");
    }
  }
}
CASE("fopen: errors", "d/ no:0 ro:0444 l->gone loop->loop f d2/ d2~:0555") {
  close_stream(P(fopen("d", "r")));
  close_stream(P(fopen("d", "w")));
  close_stream(P(fopen("d", "r+")));
  close_stream(P(fopen("no", "r")));
  close_stream(P(fopen("ro", "r+")));
  close_stream(P(fopen("ro", "a")));
  close_stream(P(fopen("l", "r")));
  close_stream(P(fopen("l", "wx")));
  close_stream(P(fopen("l", "w")));
  close_stream(P(fopen("loop", "r")));
  close_stream(P(fopen("d2/new", "w")));
  close_stream(P(fopen("f/x", "r")));
  close_stream(P(fopen("", "r")));
}
CASE("fopen: reading and writing one stream", "f") {
  char text[64] = "";
  FILE* stream = P(fopen("f", "r+"));
  R(fread(text, 1, 7, stream));
  R(fseek(stream, 0, SEEK_CUR));
  R(fputs("NEW", stream) >= 0);
  R(fseek(stream, 0, SEEK_END));
  R(ftell(stream));
  R(fputs("end", stream) >= 0);
  R(fflush(stream));
  R(ftruncate(fileno(stream), 12));
  rewind(stream);
  P(fgets(text, sizeof(text), stream));
  say_text("read", text);
  R(fclose(stream));
}
CASE("freopen: paths, modes, NULL", "f g d/") {
  char text[64] = "";
  FILE* stream = P(fopen("f", "r"));
  P(freopen("g", "r", stream));
  P(fgets(text, sizeof(text), stream));
  say_text("read", text);
  P(freopen(NULL, "r+", stream));
  R(fputs("NEW", stream) >= 0);
  P(freopen("new", "w", stream));
  R(fputs("made", stream) >= 0);
  P(freopen(NULL, "a", stream));
  R(fputs("more", stream) >= 0);
  P(freopen("gone/x", "r", stream));
}
CASE("fdopen: modes against the descriptor's", "f") {
  P(fdopen(open("f", O_RDONLY), "w"));
  P(fdopen(open("f", O_WRONLY), "r"));
  P(fdopen(open("f", O_RDONLY), "r"));
  P(fdopen(open("f", O_RDWR), "a"));
  P(fdopen(-1, "r"));
  P(fdopen(open("f", O_RDONLY), "q"));
}

static void show_template(const char* template, const char* given) {
  // The part that is random is not shown.
  say("  length %zu, head kept %d, changed %d", strlen(template), strncmp(template, given, 2) == 0,
      strcmp(template, given) != 0);
}
CASE("mkstemp: makes, opens, names", "d/ ro/ ro~:0555") {
  char one[] = "m-XXXXXX";
  int fd = FD(mkstemp(one));
  show_template(one, "m-XXXXXX");
  look_fd("made", fd);
  R((fcntl(fd, F_GETFL) & ~(O_NOFOLLOW | O_LARGEFILE)));
  R(write(fd, "x", 1));
  R(rename(one, "one"));
  char two[] = "m-XXXXXX.c";
  fd = FD(mkstemps(two, 2));
  R(strcmp(two + 8, ".c"));
  R(rename(two, "two"));
  char three[] = "m-XXXXXX";
  fd = FD(mkostemp(three, O_CLOEXEC | O_APPEND));
  R(fcntl(fd, F_GETFD));
  R((fcntl(fd, F_GETFL) & ~(O_NOFOLLOW | O_LARGEFILE)));
  R(rename(three, "three"));
  char four[] = "d/m-XXXXXX";
  umask(0);
  FD(mkostemps(four, 0, 0));
  R(rename(four, "d/four"));
  char five[] = "m-XXXXXX";
  P(mkdtemp(five));
  R(rename(five, "five"));
  // Looked up, since the linker warns of its use.
  char* (*make)(char*) = (char* (*)(char*))dlsym(RTLD_DEFAULT, "mktemp");
  char six[] = "m-XXXXXX";
  P(make(six));
  R(strlen(six));
}
CASE("mkstemp: errors", "f ro/ ro~:0555") {
  char short_one[] = "m-XXXXX";
  R(mkstemp(short_one));
  char empty[] = "";
  R(mkstemp(empty));
  char wrong[] = "XXXXXXm";
  R(mkstemp(wrong));
  char missing[] = "gone/XXXXXX";
  R(mkstemp(missing));
  char below[] = "f/XXXXXX";
  R(mkstemp(below));
  char shut[] = "ro/XXXXXX";
  int fd = mkstemp(shut);
  say("shut: %s", fd >= 0 ? "open" : strerrorname_np(errno));
  if (fd >= 0) R(unlink(shut));
  char suffix[] = "XXXXXX.c";
  R(mkstemps(suffix, 3));
  char negative[] = "XXXXXX";
  R(mkstemps(negative, -1));
  char flags[] = "XXXXXX";
  fd = mkostemp(flags, O_WRONLY);
  say("flags: %s", fd >= 0 ? "open" : strerrorname_np(errno));
  if (fd >= 0) R(unlink(flags));
  char directory[] = "gone/XXXXXX";
  P(mkdtemp(directory));
  char bad_directory[] = "XXXXX";
  P(mkdtemp(bad_directory));
  char* name = long_name(256);
  strcpy(name + 250, "XXXXXX");
  R(mkstemp(name));
}
CASE("tmpfile", "d/") {
  FILE* stream = P(tmpfile());
  R(fputs("x", stream) >= 0);
  look_fd("tmpfile", fileno(stream));
}
CASE("remove, rename of stdio on open streams", "f") {
  FILE* stream = P(fopen("f", "r+"));
  R(rename("f", "g"));
  R(fputs("NEW", stream) >= 0);
  R(fclose(stream));
  show_file("g");
  R(remove("g"));
}
