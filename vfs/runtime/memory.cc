#include <string.h>

#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

namespace vfs::runtime {

char* give_text(const char* text) {
  char* copy = strdup(text);
  return copy != nullptr ? copy : fail_null(-ENOMEM);
}

}  // namespace vfs::runtime

// glibc's free keeps errno since 2.33; before that munmap in it might not.
void rt_free(void* memory) {
  const int kept = errno;
  free(memory);
  errno = kept;
}
