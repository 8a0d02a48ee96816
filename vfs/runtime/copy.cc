#include "vfs/core/copy_content.h"
#include "vfs/runtime/output.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

namespace {

int copy_file(const char* from, const char* to, unsigned flags) {
  const Descriptor input(open_file(AT_FDCWD, from, O_RDONLY));
  if (input.failed()) return input.get();
  struct stat status;
  int result = sys::fstat(input.get(), &status);
  if (result != 0) return result;
  if (S_ISDIR(status.st_mode)) return -EISDIR;
  Output output;
  // Not emptied while it is opened: it may be the one that is to be read.
  result = output.open(to, 0, status.st_mode & 0777, flags);
  if (result != 0) return result;
  if (output.is(status)) return -EINVAL;
  // What cannot be emptied is a pipe or a device, and has nothing to empty.
  result = sys::ftruncate(output.descriptor(), 0);
  if (result != 0 && result != -EINVAL) return result;
  result = copy_content(input.get(), output.descriptor());
  return result == 0 ? output.finish() : result;
}

}  // namespace

int rt_file_copy(const char* from, const char* to, unsigned flags) {
  const bool known = (flags & ~(RT_ATOMIC | RT_DURABLE | RT_NEW)) == 0;
  return answer(from == nullptr || to == nullptr || !known ? -EINVAL : copy_file(from, to, flags));
}
