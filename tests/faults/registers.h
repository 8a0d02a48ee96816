// What of a traced call has no common name on all processors.
#pragma once

#include <sys/types.h>

namespace faults {

// Both want a thread that is stopped at a system call, and end this program if
// the kernel refuses.

// At the entry of a call: it will not be made, and answers ENOSYS.
void skip_call(pid_t thread);

// At the exit of a call: what the thread gets; a negative errno, or a result.
void set_result(pid_t thread, long result);

// Prints `what` with errno and ends the program with status 125.
[[noreturn]] void give_up(const char* what);

}  // namespace faults
