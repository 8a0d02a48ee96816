// Views: a page of our own that says how long all of it is, then the file, then
// as much of another page as a NUL needs.
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "vfs/runtime/bytes.h"
#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

namespace vfs::runtime {
namespace {

size_t page_size() { return getauxval(AT_PAGESZ); }

// Zeros for `size` bytes behind a head that rt_unmap knows. Takes no memory
// before it is touched. Null, or a pointer behind the head.
char* reserve_view(size_t size) {
  const size_t page = page_size();
  if (size > PTRDIFF_MAX - 2 * page) return nullptr;
  const size_t whole = page + (size + page - 1) / page * page;
  void* mapped = sys::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (sys::is_error(mapped)) return nullptr;
  *static_cast<size_t*>(mapped) = whole;
  return static_cast<char*>(mapped) + page;
}

// The content of what cannot be mapped. 0 or a negative errno.
int read_into_view(int fd, size_t more, char*& view, size_t& size) {
  Bytes bytes;
  const int result = read_all(fd, bytes);
  if (result != 0) return result;
  size = bytes.size;
  view = reserve_view(size + more);
  if (view == nullptr) return -ENOMEM;
  memcpy(view, bytes.at, size);
  return 0;
}

// `more` is how many zeros have to be behind it.
int make_view(const char* path, size_t more, char*& view, size_t& size) {
  const Descriptor file(open_file(AT_FDCWD, path, O_RDONLY));
  if (file.failed()) return file.get();
  struct stat status;
  const int known = sys::fstat(file.get(), &status);
  if (known != 0) return known;
  if (!S_ISREG(status.st_mode) || status.st_size == 0) return read_into_view(file.get(), more, view, size);
  size = static_cast<size_t>(status.st_size);
  if (size > PTRDIFF_MAX - 2 * page_size()) return -EFBIG;
  view = reserve_view(size + more);
  if (view == nullptr) return -ENOMEM;
  const void* mapped = sys::mmap(view, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file.get(), 0);
  if (!sys::is_error(mapped)) return 0;
  rt_unmap(view);
  // ENODEV: a file system that does not map, as /sys.
  const long error = sys::as_argument(mapped);
  return error == -ENODEV ? read_into_view(file.get(), more, view, size) : static_cast<int>(error);
}

}  // namespace
}  // namespace vfs::runtime

using namespace vfs;
using namespace vfs::runtime;

const char* rt_file_mmap_read_text(const char* path, size_t* size) {
  if (path == nullptr) return fail_null(-EINVAL);
  char* view;
  size_t length;
  const int result = make_view(path, 1, view, length);
  if (result != 0) return fail_null(result);
  if (size != nullptr) *size = length;
  return view;
}

const unsigned char* rt_file_mmap_read_bytes(const char* path, size_t* size) {
  if (path == nullptr || size == nullptr) return fail_null(-EINVAL);
  char* view;
  size_t length;
  const int result = make_view(path, 0, view, length);
  if (result != 0) return fail_null(result);
  *size = length;
  return reinterpret_cast<const unsigned char*>(view);
}

void rt_unmap(const void* view) {
  if (view == nullptr) return;
  char* head = static_cast<char*>(const_cast<void*>(view)) - page_size();
  size_t whole;
  memcpy(&whole, head, sizeof(whole));
  sys::munmap(head, whole);
}
