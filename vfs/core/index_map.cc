// Mapping an index, and behind a delta its main.
#include <sys/mman.h>

#include "cas/digest.h"
#include "vfs/core/index.h"
#include "vfs/core/path_buffer.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

struct Mapping {
  void* address = nullptr;
  uint64_t size = 0;

  const IndexHeader& header() const { return *static_cast<const IndexHeader*>(address); }
  void drop() { sys::munmap(address, size); }
};

int map_index(const char* path, Mapping& out) {
  const int fd = sys::open_in_store(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fd;
  struct stat status;
  int result = sys::fstat(fd, &status);
  if (result == 0 && static_cast<uint64_t>(status.st_size) < sizeof(IndexHeader)) result = -EUCLEAN;
  if (result == 0) {
    out.size = static_cast<uint64_t>(status.st_size);
    out.address = sys::mmap(nullptr, out.size, PROT_READ, MAP_SHARED, fd, 0);
    if (sys::is_error(out.address)) {
      result = static_cast<int>(sys::as_argument(out.address));
    } else if (!index_header_is_sound(out.header(), out.size)) {
      out.drop();
      result = -EUCLEAN;
    }
  }
  sys::close(fd);
  return result;
}

bool main_path(const IndexHeader& delta, const char* mains, PathBuffer& path) {
  Digest snapshot;
  char name[Digest::kHexLength];
  memcpy(snapshot.bytes, delta.main_snapshot, Digest::kSize);
  digest_to_hex(snapshot, name);
  return path.assign(mains) && path.append_character('/') && path.append(name, sizeof(name)) &&
         path.append(".index");
}

int move_mapping(const Mapping& mapping, char* to) {
  const long moved = sys::call(SYS_mremap, sys::as_argument(mapping.address),
                               static_cast<long>(mapping.size), static_cast<long>(mapping.size),
                               MREMAP_MAYMOVE | MREMAP_FIXED, sys::as_argument(to));
  return moved == sys::as_argument(to) ? 0 : static_cast<int>(moved);
}

// Puts both side by side. Takes `delta` over: it is dropped if this fails.
int join_main(const char* mains, Mapping& delta) {
  PathBuffer path;
  Mapping main;
  int result = main_path(delta.header(), mains, path) ? map_index(path.text, main) : -ENAMETOOLONG;
  if (result == 0 && !is_main_of(main.header(), delta.header())) {
    main.drop();
    result = -EUCLEAN;
  }
  if (result != 0) {
    delta.drop();
    return result;
  }
  const uint64_t offset = delta.header().main_offset;
  Mapping both;
  both.size = offset + main.size;
  both.address = sys::mmap(nullptr, both.size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (sys::is_error(both.address)) {
    result = static_cast<int>(sys::as_argument(both.address));
    main.drop();
    delta.drop();
    return result;
  }
  char* start = static_cast<char*>(both.address);
  result = move_mapping(delta, start);
  if (result != 0) delta.drop();
  const int second = move_mapping(main, start + offset);
  if (second != 0) main.drop();
  if (result == 0) result = second;
  if (result != 0) {
    both.drop();
    return result;
  }
  delta = both;
  return 0;
}

}  // namespace

int Index::open(const char* path, const char* mains) {
  Mapping mapping;
  int result = map_index(path, mapping);
  if (result == 0 && mapping.header().main_offset != 0) result = join_main(mains, mapping);
  if (result == 0) base_ = static_cast<const char*>(mapping.address);
  return result;
}

}  // namespace vfs
