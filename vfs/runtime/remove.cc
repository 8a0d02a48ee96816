#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

int rt_file_delete(const char* path) { return answer(path == nullptr ? -EINVAL : sys::unlink(path)); }

int rt_file_remove(const char* path) __attribute__((alias("rt_file_delete")));
