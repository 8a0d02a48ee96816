// exec, posix_spawn, system and popen: errors and what is inherited.
#include <spawn.h>

#include "harness.h"

extern char** environ;
static char* const arguments[] = {(char*)"name", (char*)"one", NULL};

static void run(const char* path) {
  CHILD({
    // What it prints would have no name of a case.
    const int quiet = open("/dev/null", O_WRONLY);
    const int saved = fcntl(1, F_DUPFD_CLOEXEC, 100);
    dup2(quiet, 1);
    dup2(quiet, 2);
    execv(path, arguments);
    const int error = errno;
    dup2(saved, 1);
    errno = error;
    say("execv %s: %s", path, strerrorname_np(errno));
  });
}
static int spawn(const char* path, int search) {
  pid_t child = -1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const int error =
      (search ? posix_spawnp : posix_spawn)(&child, path, &actions, NULL, arguments, environ);
  if (error == 0) show_child(child);
  return error;
}

static const char kPrograms[] =
    "prog+ script* no+:0644 nos*:0644 xonly+:0111 xs*:0111 d/ d/prog+ l->prog gl->gone loop->loop "
    "text:0755 empty#0:0755 "
    "inter=#!/none/such:0755 self=#!./self:0755 shut/ shut/prog+ shut~:0 other+:0700@ "
    "text2=echo:0755 p|:0755 "
    "nul=#!:0755 dirint=#!/tmp:0755 noexec=#!./no:0755 chain=#!./script:0755";

CASE("execve: every error", kPrograms) {
  static const char* const kPaths[] = {
      "./prog",   "./script",    "./no",    "./nos",  "./xonly",  "./xs",    "./d",
      "./d/prog", "./l",         "./gl",    "./loop", "./text",   "./empty", "./inter",
      "./self",   "./shut/prog", "./other", "./gone", "./prog/x", "./p",     "./nul",
      "./dirint", "./noexec",    "./chain", "",       ".",        "./prog/"};
  for (size_t i = 0; i < sizeof(kPaths) / sizeof(kPaths[0]); ++i) run(kPaths[i]);
}
CASE("posix_spawn: every error", kPrograms) {
  static const char* const kPaths[] = {
      "./prog",  "./script", "./no",   "./xs",        "./d",    "./gl",     "./loop",   "./text",
      "./empty", "./inter",  "./self", "./shut/prog", "./gone", "./prog/x", "./noexec", "./chain"};
  for (size_t i = 0; i < sizeof(kPaths) / sizeof(kPaths[0]); ++i) {
    show_error(kPaths[i], spawn(kPaths[i], 0));
    show_error("  searched", spawn(kPaths[i], 1));
  }
}
CASE("execvp and posix_spawnp: search, errors on the way",
     "a/ a/tool:0644 b/ b/tool* c/ c/only:0644 shut/ shut/tool* shut~:0 plain:0755") {
  setenv("PATH", "none:shut:a:b", 1);
  CHILD({
    dup2(open("/dev/null", O_WRONLY), 1);
    execlp("tool", "tool", (char*)NULL);
  });
  show_error("tool", spawn("tool", 1));
  setenv("PATH", "a:c:none", 1);
  show_error("only", spawn("only", 1));
  show_error("gone", spawn("gone", 1));
  setenv("PATH", "shut:none", 1);
  show_error("tool", spawn("tool", 1));
  setenv("PATH", "", 1);
  show_error("plain", spawn("plain", 1));
  CHILD(R(execlp("gone", "gone", (char*)NULL)));
  CHILD(R(execlp("", "x", (char*)NULL)));
  show_error("empty", spawn("", 1));
}
CASE("execve: E2BIG, EFAULT, null argument lists", "prog+") {
  char* large = long_name(200000);
  char* const long_list[] = {(char*)"prog", large, NULL};
  CHILD(R(execv("./prog", long_list)));
  CHILD(R(execve("./prog", (char* const*)bad, environ)));
  CHILD(R(execve("./prog", arguments, (char* const*)bad)));
  CHILD(R(execve("./prog", (char* const[]){bad, NULL}, environ)));
  CHILD(R(execve("./prog", (char* const*)null, (char* const*)null)));
}
CASE("execve: EMFILE does not hinder, ETXTBSY does", "prog+ script*") {
  const int held = must(open("prog", O_RDWR));
  run("./prog");
  show_error("spawn", spawn("./prog", 0));
  close(held);
  run("./prog");
}
CASE("execve: a script that is open for writing", "script*") {
  const int script = must(open("script", O_RDWR));
  run("./script");
  close(script);
}
CASE("writing to what is being run", "d/") {
  // A copy made here, so that it is a draft.
  must(system("cp /bin/sleep d/sleeper") == 0 ? 0 : -1);
  const pid_t child = fork();
  if (child == 0) {
    execl("d/sleeper", "sleeper", "5", (char*)NULL);
    _exit(1);
  }
  usleep(100000);
  FD(open("d/sleeper", O_WRONLY));
  FD(open("d/sleeper", O_RDWR | O_TRUNC));
  R(truncate("d/sleeper", 0));
  R(unlink("d/sleeper"));
  kill(child, 9);
  show_child(child);
}
CASE("writing to a program of the base that is being run", "prog+") {
  // /bin/true ends at once: the shell holds it open for nobody, so only its being replaced is seen.
  run("./prog");
  FD(open("prog", O_WRONLY | O_TRUNC));
  run("./prog");
}
CASE("fexecve and execveat", "prog+ script* l->prog no+:0644 d/ d/prog+") {
  const int fd = must(open("prog", O_RDONLY));
  CHILD(R(fexecve(fd, arguments, environ)));
  CHILD(R(fexecve(open("prog", O_PATH), arguments, environ)));
  CHILD(R(fexecve(open("no", O_RDONLY), arguments, environ)));
  CHILD(R(fexecve(open("d", O_RDONLY), arguments, environ)));
  CHILD(R(fexecve(-1, arguments, environ)));
  CHILD(R(syscall(SYS_execveat, open("d", O_RDONLY), "prog", arguments, environ, 0)));
  CHILD(R(syscall(SYS_execveat, AT_FDCWD, "l", arguments, environ, AT_SYMLINK_NOFOLLOW)));
  CHILD(R(syscall(SYS_execveat, AT_FDCWD, "l", arguments, environ, 0)));
  CHILD(R(syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH)));
  CHILD(R(syscall(SYS_execveat, fd, "", arguments, environ, 0)));
  CHILD(R(syscall(SYS_execveat, AT_FDCWD, "prog", arguments, environ, 1)));
}
CASE("posix_spawn: file actions that fail and that work", "prog+ f d/ d/prog+") {
  pid_t child;
  posix_spawn_file_actions_t actions;
#define SPAWN(path)                                                                         \
  E(posix_spawn(&child, path, &actions, NULL, arguments, environ)) == 0 ? show_child(child) \
                                                                        : (void)0
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 5, "gone/x", O_RDONLY, 0);
  SPAWN("./prog");
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 5, "made", O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addclose(&actions, 5);
  SPAWN("./prog");
  posix_spawn_file_actions_init(&actions);
  E(posix_spawn_file_actions_addchdir_np(&actions, "d"));
  SPAWN("./prog");
  posix_spawn_file_actions_init(&actions);
  E(posix_spawn_file_actions_addchdir_np(&actions, "none"));
  SPAWN("./prog");
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, 999, 5);
  SPAWN("./prog");
  posix_spawn_file_actions_init(&actions);
  E(posix_spawn_file_actions_addopen(&actions, -1, "f", O_RDONLY, 0));
}
CASE("system and popen", "script* f") {
  R(WEXITSTATUS(system("./script >out; exit 3")));
  R(WEXITSTATUS(system("./gone 2>/dev/null")));
  R(WEXITSTATUS(system("exec 2>/dev/null; ./f")));
  R(system(NULL) != 0);
  char text[64] = "";
  FILE* stream = P(popen("./script a b; cat f", "r"));
  R(fread(text, 1, sizeof(text) - 1, stream));
  say_text("read", text);
  R(pclose(stream));
  P(popen("true", "q"));
  stream = P(popen("cat >written", "w"));
  R(fputs("given", stream) >= 0);
  R(pclose(stream));
  show_file("written");
}
CASE("exec: descriptors, working directory, umask are inherited", "f d/ d/g") {
  const int fd = must(open("f", O_RDONLY));
  must(dup2(fd, 9));
  must(fcntl(fd, F_SETFD, FD_CLOEXEC));
  must(chdir("d"));
  umask(077);
  R(system("cat <&9 >copied; echo changed >../f; cat g >>copied; mkdir m; test -e "
           "/proc/self/fd/9") == 0);
}
