#include <sys/utsname.h>

#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

int rt_system_cpu_count(void) {
  // Of 8192, the most that a kernel for either machine can be built for.
  unsigned long mask[8192 / (8 * sizeof(unsigned long))] = {};
  const long length = sys::call(SYS_sched_getaffinity, 0, sizeof(mask), sys::as_argument(mask));
  if (length < 0) return fail(length);
  int count = 0;
  for (unsigned long bits : mask) {
    for (; bits != 0; bits &= bits - 1) ++count;
  }
  return count;
}

char* rt_hostname(void) {
  struct utsname name;
  const long result = sys::call(SYS_uname, sys::as_argument(&name));
  return result == 0 ? give_text(name.nodename) : fail_null(result);
}
