// PROGRAM fixture DIR UID: lay the fixture of every case below DIR, owned by UID.
// PROGRAM run DIR UID [PATTERN]: run every case (whose name contains PATTERN).
#include "harness.h"

#include <signal.h>

enum { kMostCases = 1000, kSeconds = 20 };

static const struct test_case* cases[kMostCases];
static int case_count;
const struct test_case* current;
const char* case_name;
uid_t fixture_owner;

void add_case(const struct test_case* added) {
  if (case_count == kMostCases) abort();
  cases[case_count++] = added;
}

static void directory_name(char* out, int number) {
  sprintf(out, "%03d", number);
}

static void lay_all(void) {
  char name[16];
  for (int i = 0; i < case_count; ++i) {
    case_name = cases[i]->name;
    directory_name(name, i);
    must(mkdir(name, 0755));
    must(chdir(name));
    lay_fixture(cases[i]->fixture);
    must(chdir(".."));
    if (chown(name, fixture_owner, fixture_owner) != 0 && geteuid() == 0) must(-1);
  }
}

static void run_case(int number) {
  char name[16];
  directory_name(name, number);
  current = cases[number];
  case_name = current->name;
  const pid_t child = fork();
  if (child == 0) {
    // A group of its own, so that what it leaves behind can be ended with it.
    setpgid(0, 0);
    alarm(kSeconds);
    umask(022);
    if (chdir(name) != 0)
      say("no directory: %s", strerrorname_np(errno));
    else
      current->run();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  kill(-child, SIGKILL);
  if (WIFSIGNALED(status)) say("killed by %s", sigabbrev_np(WTERMSIG(status)));
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) say("exit %d", WEXITSTATUS(status));
  if (chdir(name) == 0) {
    show_tree(".");
    must(chdir(".."));
  }
}

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: %s fixture|run DIR UID [PATTERN]\n", argv[0]);
    return 2;
  }
  fixture_owner = (uid_t)atoi(argv[3]);
  must(chdir(argv[2]));
  if (strcmp(argv[1], "fixture") == 0) {
    umask(0);
    lay_all();
    return 0;
  }
  for (int i = 0; i < case_count; ++i) {
    if (argc < 5 || strstr(cases[i]->name, argv[4]) != NULL) run_case(i);
  }
  return 0;
}
