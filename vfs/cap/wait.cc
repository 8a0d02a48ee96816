// Calls that were submitted, and their turn.
#include <poll.h>
#include <string.h>
#include <time.h>

#include "vfs/cap/call.h"

namespace vfs::cap {
namespace {

struct Submission {
  vfs_cap id;
  uint32_t method;
  Bytes parameters;
  Space space;
  uint64_t tag;
};

// In the order in which they came. Who makes one takes it out first.
Submission waiting[VFS_SUBMISSIONS];
uint32_t count;
Lock lock;

// The descriptor whose input a call waits for; -1: it waits for none.
int input_of(const Submission& submission) {
  const Held held(submission.id);
  if (!held) return -1;
  if (held->interface_id == VFS_INTERFACE_CONSOLE) {
    return submission.method == VFS_CONSOLE_READ ? 0 : -1;
  }
  if (held->interface_id != VFS_INTERFACE_FILE) return -1;
  const bool reads = submission.method == VFS_FILE_READ || submission.method == VFS_FILE_PREAD;
  // Regular files always have their input there: poll(2) says so by itself.
  return reads ? held->fd : -1;
}

// Anything but "nothing yet": an error too is an answer that the call will give at once.
bool is_ready(int fd) {
  if (fd < 0) return true;
  struct pollfd one = {fd, POLLIN, 0};
  const struct timespec now = {0, 0};
  return sys::call(SYS_ppoll, sys::as_argument(&one), 1, sys::as_argument(&now), 0, 0) != 0;
}

bool take_ready(Submission& taken) {
  const Locked locked(lock);
  for (uint32_t i = 0; i < count; ++i) {
    if (!is_ready(input_of(waiting[i]))) continue;
    taken = waiting[i];
    --count;
    memmove(waiting + i, waiting + i + 1, (count - i) * sizeof(Submission));
    return true;
  }
  return false;
}

uint64_t now() {
  struct timespec time;
  sys::call(SYS_clock_gettime, CLOCK_MONOTONIC, sys::as_argument(&time));
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

// Until some input is there, or `left` nanoseconds are over. False: nothing is waited for.
bool wait_for_input(uint64_t left) {
  struct pollfd inputs[VFS_SUBMISSIONS];
  uint32_t number = 0;
  {
    const Locked locked(lock);
    for (uint32_t i = 0; i < count; ++i) inputs[number++] = {input_of(waiting[i]), POLLIN, 0};
  }
  if (number == 0) return false;
  // A signal, or a descriptor that was closed meanwhile, only means to look again: in slices, so
  // that what is submitted or closed by other threads is noticed.
  constexpr uint64_t kSlice = 50'000'000;
  const struct timespec time = {0, static_cast<long>(left < kSlice ? left : kSlice)};
  sys::call(SYS_ppoll, sys::as_argument(inputs), number, sys::as_argument(&time), 0, 0);
  return true;
}

}  // namespace
}  // namespace vfs::cap

using namespace vfs::cap;

extern "C" {

int64_t vfs_cap_submit(vfs_cap id, uint32_t method, const void* parameters, size_t parameters_size,
                       void* result, size_t result_size, uint64_t tag) {
  const Locked locked(vfs::cap::lock);
  if (count == VFS_SUBMISSIONS) return -EAGAIN;
  waiting[count++] = {id,
                      method,
                      {static_cast<const char*>(parameters), parameters_size},
                      {static_cast<char*>(result), result_size},
                      tag};
  return 0;
}

int64_t vfs_wait(uint64_t minimum, uint64_t timeout, vfs_completion* completions, size_t capacity) {
  if (minimum > capacity || (completions == nullptr && capacity != 0)) return -EINVAL;
  const uint64_t start = now();
  size_t done = 0;
  for (;;) {
    Submission next;
    while (done < capacity && take_ready(next)) {
      const int64_t result = vfs_cap_call(next.id, next.method, next.parameters.at,
                                          next.parameters.size, next.space.at, next.space.size);
      completions[done++] = {next.tag, result};
    }
    if (done >= minimum) break;
    const uint64_t passed = now() - start;
    if (timeout != VFS_FOREVER && passed >= timeout) break;
    if (!wait_for_input(timeout == VFS_FOREVER ? VFS_FOREVER : timeout - passed)) break;
  }
  return static_cast<int64_t>(done);
}

}  // extern "C"
