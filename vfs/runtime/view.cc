// Views. What comes before one tells rt_unmap what it is: the end of a page of
// our own before a file that is mapped, or the beginning of memory that a file
// was read into.
#include <sys/auxv.h>
#include <sys/mman.h>

#include "vfs/runtime/bytes.h"
#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

namespace vfs::runtime {
namespace {

// Below that reading is faster than what mapping takes: two mappings, a fault,
// and the way back.
constexpr off_t kLeastToMap = 64 * 1024;

struct Head {
  size_t mapped;  // bytes, from the page in which this is; 0: read into memory
  size_t unused;  // views begin where any type may
};

size_t page_size() { return getauxval(AT_PAGESZ); }

Head* head_of(const void* view) { return static_cast<Head*>(const_cast<void*>(view)) - 1; }

int read_into_view(int fd, char*& view, size_t& size) {
  Bytes bytes;
  int result = bytes.reserve(sizeof(Head));
  if (result != 0) return result;
  bytes.size = sizeof(Head);
  result = read_all(fd, bytes);
  if (result != 0) return result;
  size = bytes.size - sizeof(Head);
  view = bytes.take() + sizeof(Head);
  head_of(view)->mapped = 0;
  return 0;
}

// The file behind a page of our own, and before as many zeros as `more` says: a
// mapping of zeros, with the file over it. Takes no memory before it is touched.
int map_view(int fd, size_t size, size_t more, char*& view) {
  const size_t page = page_size();
  if (size > PTRDIFF_MAX - 3 * page) return -EFBIG;
  const size_t whole = page + (size + more + page - 1) / page * page;
  void* zeros = sys::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (sys::is_error(zeros)) return static_cast<int>(sys::as_argument(zeros));
  view = static_cast<char*>(zeros) + page;
  head_of(view)->mapped = whole;
  const void* mapped = sys::mmap(view, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
  if (!sys::is_error(mapped)) return 0;
  rt_unmap(view);
  return static_cast<int>(sys::as_argument(mapped));
}

// `more` is how many zeros have to be behind it.
int make_view(const char* path, size_t more, char*& view, size_t& size) {
  const Descriptor file(open_file(AT_FDCWD, path, O_RDONLY));
  if (file.failed()) return file.get();
  struct stat status;
  int result = sys::fstat(file.get(), &status);
  if (result != 0) return result;
  if (!S_ISREG(status.st_mode) || status.st_size < kLeastToMap) return read_into_view(file.get(), view, size);
  size = static_cast<size_t>(status.st_size);
  result = map_view(file.get(), size, more, view);
  // A file system that does not map.
  return result == -ENODEV ? read_into_view(file.get(), view, size) : result;
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
  Head* head = head_of(view);
  if (head->mapped == 0) return rt_free(head);
  sys::munmap(reinterpret_cast<char*>(head + 1) - page_size(), head->mapped);
}
