#include <dirent.h>
#include <string.h>

#include "vfs/runtime/bytes.h"
#include "vfs/runtime/result.h"
#include "vfs/runtime/vfsrt.h"

using namespace vfs;
using namespace vfs::runtime;

namespace {

// What the kernel is asked for at a time; less than one entry would not do.
constexpr size_t kPiece = 32 * 1024;

bool is_own_or_parent(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

// Moves the names of the entries behind out.size to its end, each with its NUL.
// An entry is longer than its name, so they never meet.
size_t keep_names(Bytes& out, size_t length) {
  size_t count = 0;
  const char* entries = out.at + out.size;
  for (size_t at = 0; at < length;) {
    const struct dirent64* entry = reinterpret_cast<const struct dirent64*>(entries + at);
    at += entry->d_reclen;
    if (is_own_or_parent(entry->d_name)) continue;
    const size_t size = strlen(entry->d_name) + 1;
    memmove(out.at + out.size, entry->d_name, size);
    out.size += size;
    ++count;
  }
  return count;
}

// All names, one behind the other. Entries have to lie on multiples of 8, so
// each piece begins at one and the names then move back.
int read_names(int fd, Bytes& names, size_t& count) {
  for (count = 0;;) {
    const int result = names.reserve(kPiece + alignof(struct dirent64));
    if (result != 0) return result;
    const size_t used = names.size;
    const size_t start = (used + alignof(struct dirent64) - 1) / alignof(struct dirent64) * alignof(struct dirent64);
    const long length = sys::getdents64(fd, names.at + start, kPiece);
    if (length == -EINTR) continue;
    if (length <= 0) return static_cast<int>(length);
    names.size = start;
    count += keep_names(names, static_cast<size_t>(length));
    memmove(names.at + used, names.at + start, names.size - start);
    names.size -= start - used;
  }
}

// Pointers before the names, in the same block.
int point_at_names(Bytes& names, size_t count) {
  const size_t head = (count + 1) * sizeof(char*);
  const int result = names.resize(head + names.size);
  if (result != 0) return result;
  memmove(names.at + head, names.at, names.size);
  char** pointers = reinterpret_cast<char**>(names.at);
  char* name = names.at + head;
  for (size_t i = 0; i < count; ++i, name += strlen(name) + 1) pointers[i] = name;
  pointers[count] = nullptr;
  return 0;
}

}  // namespace

char** rt_dir_list(const char* path, size_t* count) {
  if (path == nullptr) return fail_null(-EINVAL);
  const Descriptor directory(open_file(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  if (directory.failed()) return fail_null(directory.get());
  Bytes names;
  size_t found;
  int result = read_names(directory.get(), names, found);
  if (result == 0) result = point_at_names(names, found);
  if (result != 0) return fail_null(result);
  if (count != nullptr) *count = found;
  return reinterpret_cast<char**>(names.take());
}
