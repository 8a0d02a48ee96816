// A function that crashes must not take the command with it: it is told which, and where.
#pragma once

#include <setjmp.h>
#include <stdint.h>

#include <string>

namespace vfs::call {

struct Crash {
  int signal = 0;  // 0: none
  bool has_address = false;
  uintptr_t address = 0;
};

std::string crash_text(const Crash& crash);  // "SIGSEGV at address 0x0"

// While there is one, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS and SIGABRT come back into run(), also
// from a stack that has no room left. After a crash nothing of libc is to be relied on (its locks may be held):
// write(2) and _exit(2). Not reentrant, and one at a time in a process. A handler that the script sets itself stays.
class Guard {
 public:
  Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard();

  // What `work` does must not own anything that has to be let go of: its frames are jumped over.
  template <typename Work>
  Crash run(const Work& work) {
    struct Disarm {
      ~Disarm() { arm(false); }
    } const disarm;  // also where `work` throws
    Crash& crash = last();
    crash = {};
    if (sigsetjmp(*target(), 1) == 0) {
      arm(true);
      work();
    }
    return crash;
  }

 private:
  static Crash& last();
  static sigjmp_buf* target();
  static void arm(bool armed);
};

}  // namespace vfs::call
