#include "vfs/core/write_all.h"
#include "vfs/runtime/output.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

namespace {

constexpr mode_t kNewFile = 0666;  // less the umask

int write_text(const char* path, int how, const char* text, size_t size, unsigned flags) {
  if (path == nullptr || (text == nullptr && size != 0)) return -EINVAL;
  Output output;
  int result = output.open(path, how, kNewFile, flags);
  if (result == 0) result = write_all(output.descriptor(), text, size);
  return result == 0 ? output.finish() : result;
}

}  // namespace

int rt_file_write_text(const char* path, const char* text, size_t size, unsigned flags) {
  if ((flags & ~(RT_ATOMIC | RT_DURABLE | RT_NEW)) != 0) return fail(-EINVAL);
  return answer(write_text(path, O_TRUNC, text, size, flags));
}

int rt_file_append_text(const char* path, const char* text, size_t size, unsigned flags) {
  if ((flags & ~RT_DURABLE) != 0) return fail(-EINVAL);
  return answer(write_text(path, O_APPEND, text, size, flags));
}
