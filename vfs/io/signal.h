// Signals as something that is waited for, instead of something that interrupts.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <initializer_list>

#include "cas/descriptor.h"
#include "vfs/io/task.h"

namespace vfs::io {

struct Signal {
  long error = 0;   // a negative errno, or 0
  int number = 0;   // SIGINT, ...
  pid_t sender = 0;  // the process; 0: the kernel
  uid_t user = 0;    // the real one of the sender
  int status = 0;   // of SIGCHLD: the exit code, or the signal that ended it
};

// While it exists, these signals do nothing by themselves (neither a handler nor the
// default action), and are given by next() instead. A signal that came several times
// before it was asked for is given once, with what is known of the first (signal(7)).
//
// They are blocked for the calling thread, which is the one that calls next() and
// destroys this: threads that exist already must block them too, or the kernel may
// give one to them. (Workers of an executor block all.) Objects may overlap: a signal
// stays blocked until the last one that names it is gone; each is given to one only.
// One that was blocked before stays so. What nobody asked for is pending, and acts, as
// it would have at first, when it is unblocked.
class Signals {
 public:
  // Throws Error: EINVAL for what is no signal, or cannot be blocked (SIGKILL,
  // SIGSTOP); EMFILE, ENFILE.
  explicit Signals(std::initializer_list<int> numbers);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The next one. -ECANCELED loses none.
  Task<Signal> next();

 private:
  sigset_t set_;
  Descriptor descriptor_;
};

// The signals that a child of this thread should start with as blocked: those that
// were before there were objects of Signals.
sigset_t signal_mask_of_children();

// Waits for Ctrl-C (SIGINT), as one signal: 0, or a negative errno; -ECANCELED. One
// that comes between two calls ends the program: have Signals for more than one.
Task<long> wait_for_interrupt();

}  // namespace vfs::io
