// Environment, processes, the machine.
#include <pwd.h>
#include <sched.h>

#include <vector>

#include "tests/runtime/fixture.h"

using namespace rt_test;

namespace {

int run(std::vector<const char*> words) {
  words.push_back(nullptr);
  return rt_process_run(words.data());
}

int shell(const char* script) { return run({"sh", "-c", script}); }

}  // namespace

TEST_CASE("the working directory") {
  Place place;
  CHECK(text_of(rt_env_cwd()) == fs::current_path());
  CHECK(in_child([] {
    ::mkdir("gone", 0755);
    if (::chdir("gone") != 0 || ::rmdir("../gone") != 0) return string("cannot");
    return name_of(error_of([] { return rt_env_cwd(); }));
  }) == "ENOENT");
  CHECK(in_child([] {
    const string name(250, 'd');
    for (int i = 0; i < 20; ++i) {
      ::mkdir(name.c_str(), 0755);
      if (::chdir(name.c_str()) != 0) return string("cannot");
    }
    return name_of(error_of([] { return rt_env_cwd(); }));
  }) == "ENAMETOOLONG");
}

TEST_CASE("variables: what is given is a copy") {
  CHECK(rt_env_set("RT_TEST", "one=1") == 0);
  char* value = rt_env_get("RT_TEST");
  CHECK(string(::getenv("RT_TEST")) == "one=1");
  CHECK(rt_env_set("RT_TEST", "two") == 0);
  CHECK(text_of(value) == "one=1");
  CHECK(text_of(rt_env_get("RT_TEST")) == "two");
  CHECK(rt_env_set("RT_TEST", "") == 0);
  CHECK(text_of(rt_env_get("RT_TEST")).empty());
  CHECK(rt_env_set("RT_TEST", nullptr) == 0);
  CHECK(error_of([] { return rt_env_get("RT_TEST"); }) == ENOENT);
  CHECK(rt_env_set("RT_TEST", nullptr) == 0);
  for (const char* name : {"", "=", "A=B"}) {
    CHECK(error_of([&] { return rt_env_get(name); }) == EINVAL);
    CHECK(error_of([&] { return rt_env_set(name, "x"); }) == EINVAL);
    CHECK(error_of([&] { return rt_env_set(name, nullptr); }) == EINVAL);
  }
}

TEST_CASE("the home directory: HOME, else the user's entry") {
  CHECK(in_child([] {
    ::setenv("HOME", "/some/where", 1);
    return text_of(rt_env_home());
  }) == "/some/where");
  const struct passwd* entry = ::getpwuid(::getuid());
  const string expected = entry != nullptr ? entry->pw_dir : "ENOENT";
  for (const bool empty : {false, true}) {
    CHECK(in_child([empty] {
      empty ? ::setenv("HOME", "", 1) : ::unsetenv("HOME");
      char* home = rt_env_home();
      return home != nullptr ? text_of(home) : name_of(errno);
    }) == expected);
  }
  if (::geteuid() != 0) return;  // nobody else can become a user without an entry
  CHECK(in_child([] {
    ::unsetenv("HOME");
    if (::setuid(54321) != 0) return string("cannot become another user");
    return name_of(error_of([] { return rt_env_home(); }));
  }) == "ENOENT");
}

TEST_CASE("a program's exit status, and the signal that ended it") {
  CHECK(run({"true"}) == 0);
  CHECK(run({"false"}) == 1);
  CHECK(run({"/bin/true", "ignored"}) == 0);
  CHECK(shell("exit 255") == 255);
  CHECK(shell("exit 137") == 137);
  CHECK(shell("kill -9 $$") == RT_SIGNALLED + SIGKILL);
  CHECK(shell("kill -TERM $$") == RT_SIGNALLED + SIGTERM);
  CHECK(run({"sh", "-c", "[ \"$1\" = 'a b' ] && [ -z \"$2\" ] && [ $# = 2 ]", "sh", "a b", ""}) == 0);
  CHECK(rt_env_set("RT_TEST", "seen") == 0);
  CHECK(shell("[ $RT_TEST = seen ]") == 0);
  CHECK(rt_env_set("RT_TEST", nullptr) == 0);
}

TEST_CASE("a program runs here, with no descriptor of ours") {
  Place place;
  CHECK(run({"touch", "made"}) == 0);
  CHECK(fs::exists("made"));
  put("tool", "#!/bin/sh\nexit 42\n");
  ::chmod("tool", 0755);
  CHECK(run({"./tool"}) == 42);
  const int lock = rt_file_lock("made", 0);
  const string script = "[ ! -e /proc/self/fd/" + std::to_string(lock) + " ]";
  CHECK(shell(script.c_str()) == 0);
  CHECK(rt_file_unlock(lock) == 0);
}

TEST_CASE("a program that cannot be started") {
  Place place;
  put("plain", "no format");
  fs::create_directory("dir");
  CHECK(in_child([] {
    ::setenv("PATH", "/usr/bin:/bin", 1);  // one that cannot be searched would be EACCES
    return name_of(error_of([] { return run({"no-such-program-anywhere"}); }));
  }) == "ENOENT");
  CHECK(error_of([] { return run({"./none"}); }) == ENOENT);
  CHECK(error_of([] { return run({""}); }) == ENOENT);
  CHECK(error_of([] { return run({"./plain"}); }) == EACCES);
  CHECK(error_of([] { return run({"./dir"}); }) == EACCES);
  CHECK(error_of([] { return run({"./plain/below"}); }) == ENOTDIR);
  ::chmod("plain", 0755);
  CHECK(error_of([] { return run({"./plain"}); }) == ENOEXEC);
  const string large(4 << 20, 'x');
  CHECK(error_of([&] { return run({"true", large.c_str()}); }) == E2BIG);
  CHECK(error_of([] { return run({}); }) == EINVAL);
  CHECK(in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    return name_of(error_of([] { return run({"true"}); }));
  }) == "ECHILD");
  // No zombie is left of any.
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("waiting for a program is not interrupted") {
  Interruptions interruptions;
  CHECK(shell("sleep 0.1; exit 7") == 7);
  CHECK(Interruptions::count() > 10);
}

TEST_CASE("the process and the machine") {
  CHECK(rt_getpid() == ::getpid());
  CHECK(in_child([] { return string(rt_getpid() == ::getpid() ? "own" : "other"); }) == "own");
  cpu_set_t mask;
  REQUIRE(::sched_getaffinity(0, sizeof(mask), &mask) == 0);
  CHECK(rt_system_cpu_count() == CPU_COUNT(&mask));
  int first = 0;
  while (!CPU_ISSET(first, &mask)) ++first;
  CHECK(in_child([first] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ::sched_setaffinity(0, sizeof(one), &one);
    return std::to_string(rt_system_cpu_count());
  }) == "1");
  char name[256] = {};
  REQUIRE(::gethostname(name, sizeof(name)) == 0);
  CHECK(text_of(rt_hostname()) == name);
}
