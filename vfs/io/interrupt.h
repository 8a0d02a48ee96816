// Ctrl-C as something that work comes to an end for, instead of something that ends
// the process wherever it is.
#pragma once

#include <exception>

namespace vfs::io {

// Thrown by what was told to end.
struct Interrupted : std::exception {
  explicit Interrupted(int signal) : number(signal) {}
  const char* what() const noexcept override { return "interrupted"; }
  int number;  // SIGINT, SIGTERM or SIGHUP
};

// While one exists, SIGINT, SIGTERM and SIGHUP do not end the process (one that is
// ignored stays so): for_each() cancels what is under way, begins nothing more and
// throws Interrupted, as throw_if_interrupted() does. A second one ends the process,
// as ever. One that nobody was told of until the object goes does so then.
//
// Not thread-safe: for the thread that works for the user. One within another does
// nothing of its own; nor does one that can have no descriptor.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  const bool outermost_;
};

// For loops that wait for nothing. Thread-safe.
void throw_if_interrupted();

// Becomes readable, for poll(2), when a signal has come; -1 if none would be noticed.
int interrupt_event();

}  // namespace vfs::io
