// What the tests of libvfsrt share: a place to work in that counts descriptors, children for what would change this
// process, signals that interrupt.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <type_traits>

#include "vfs/runtime/vfsrt.h"

namespace rt_test {

namespace fs = std::filesystem;
using std::string;

inline long open_descriptors() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

// The errno of a call that failed, 0 of one that did not. Such a call must leave no descriptor, and say the same twice.
template <typename Call>
int error_of(const Call& call) {
  const long before = open_descriptors();
  errno = 0;
  const auto result = call();
  const int error = errno;
  bool failed;
  if constexpr (std::is_pointer_v<decltype(result)>) failed = result == nullptr;
  else failed = result == -1;
  CHECK(open_descriptors() == before);
  if (failed) CHECK(rt_last_error() == error);
  if (failed) CHECK(error != 0);
  return failed ? error : 0;
}

inline string name_of(int error) {
  const char* name = error == 0 ? "success" : strerrorname_np(error);
  return name != nullptr ? name : std::to_string(error);
}

// A scratch directory, which is the working directory too as long as it lives.
class Place {
 public:
  Place() : before_(open_descriptors()), home_(fs::current_path()) {
    ::umask(022);
    string name = (fs::temp_directory_path() / "vfs-runtime-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    ::chmod(name.c_str(), 0755);
    path = fs::canonical(name);
    fs::current_path(path);
  }
  ~Place() {
    fs::current_path(home_);
    const string command = "chmod -R u+rwx '" + path.string() + "' && rm -rf '" + path.string() + "'";
    CHECK(::system(command.c_str()) == 0);
    CHECK(open_descriptors() == before_);
  }
  fs::path path;

 private:
  long before_;
  fs::path home_;
};

inline void put(const fs::path& path, const string& text) { std::ofstream(path, std::ios::binary) << text; }

inline string get(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// What a call gave, released.
inline string text_of(char* text) {
  REQUIRE(text != nullptr);
  const string copy = text;
  rt_free(text);
  return copy;
}

inline string read_text(const string& path) {
  size_t size = 0;
  char* text = rt_file_read_text(path.c_str(), &size);
  INFO(path << ": " << rt_error_message(errno));
  REQUIRE(text != nullptr);
  CHECK(text[size] == '\0');
  const string copy(text, size);
  rt_free(text);
  return copy;
}

inline int write_text(const string& path, const string& text, unsigned flags = 0) {
  return rt_file_write_text(path.c_str(), text.data(), text.size(), flags);
}

// Every byte says where it is.
inline string pattern(size_t size) {
  string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + (i >> 8) * 7);
  return text;
}

inline struct stat status_of(const fs::path& path) {
  struct stat status = {};
  INFO(path);
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

// New files that were not renamed.
inline int left_behind(const fs::path& directory = ".") {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    count += entry.path().filename().string().starts_with(".rt-");
  }
  return count;
}

// What `work` says in a process of its own: for limits, users, signals. It begins in the same working directory.
inline string in_child(const std::function<string()>& work) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    const string said = work();
    size_t done = 0;
    while (done < said.size()) done += static_cast<size_t>(::write(ends[1], said.data() + done, said.size() - done));
    ::_exit(0);
  }
  ::close(ends[1]);
  string said;
  char buffer[4096];
  for (ssize_t count; (count = ::read(ends[0], buffer, sizeof(buffer))) > 0;) {
    said.append(buffer, static_cast<size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) said += " [status " + std::to_string(status) + "]";
  return said;
}

// The same as a user who may not do everything. Who is no such user already becomes nobody.
inline string as_ordinary_user(const std::function<string()>& work) {
  return in_child([&]() -> string {
    if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0)) {
      return "cannot become another user";
    }
    return work();
  });
}

// A handler without SA_RESTART that runs every millisecond in this thread; others should not start theirs before.
class Interruptions {
 public:
  Interruptions() {
    count() = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) { ++count(); };
    ::sigaction(SIGALRM, &action, &old_);
    const struct itimerval every = {{0, 1000}, {0, 1000}};
    ::setitimer(ITIMER_REAL, &every, nullptr);
  }
  ~Interruptions() {
    const struct itimerval never = {};
    ::setitimer(ITIMER_REAL, &never, nullptr);
    ::sigaction(SIGALRM, &old_, nullptr);
  }
  static std::atomic<int>& count() {
    static std::atomic<int> counted;
    return counted;
  }

 private:
  struct sigaction old_;
};

// A thread that signals leave alone.
inline std::thread quiet_thread(std::function<void()> work) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(work));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

inline void pause_for(int microseconds) { ::usleep(static_cast<useconds_t>(microseconds)); }

}  // namespace rt_test
