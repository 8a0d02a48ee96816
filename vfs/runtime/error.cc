#include <string.h>

#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

namespace vfs::runtime {
namespace {

thread_local int last_error;

}  // namespace

int fail(long negative_errno) {
  last_error = errno = static_cast<int>(-negative_errno);
  return -1;
}

}  // namespace vfs::runtime

int rt_last_error(void) { return vfs::runtime::last_error; }

const char* rt_error_message(int error) {
  // Neither a locale nor a buffer: safe for threads.
  const char* text = strerrordesc_np(error);
  return text != nullptr ? text : "Unknown error";
}
