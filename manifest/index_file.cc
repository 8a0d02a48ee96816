#include "manifest/index_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "cas/descriptor.h"

namespace vfs {
namespace {

std::string header_problem(const IndexHeader& header, uint64_t size) {
  if (memcmp(header.magic, kIndexMagic, sizeof(kIndexMagic)) != 0) return "not an index";
  if (header.version != kIndexVersion) return "of another version";
  if (header.header_checksum != header_checksum(header)) return "the header is damaged";
  if (header.file_size != size) return "of the wrong size";
  // Sound: no multiplication below can overflow.
  const bool fits =
      index_header_is_sound(header, size) && header.entries_offset == sizeof(header) &&
      header.buckets_offset == header.entries_offset + header.entry_count * sizeof(IndexEntry) &&
      header.groups_offset == header.buckets_offset + header.bucket_count * sizeof(uint32_t) &&
      header.names_offset == header.groups_offset + header.group_count * sizeof(IndexGroup) &&
      header.names_offset + header.names_size == size;
  return fits ? "" : "the parts of the file do not fit together";
}

}  // namespace

IndexFile::IndexFile(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status;
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    problem_ = strerrordesc_np(errno);
    return;
  }
  size_ = static_cast<uint64_t>(status.st_size);
  if (size_ < sizeof(IndexHeader)) {
    problem_ = "too short";
    return;
  }
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) {
    problem_ = strerrordesc_np(errno);
    return;
  }
  base_ = static_cast<const char*>(mapped);
  problem_ = header_problem(header(), size_);
}

IndexFile::~IndexFile() {
  if (base_ != nullptr) ::munmap(const_cast<char*>(base_), size_);
}

bool IndexFile::body_is_sound() const {
  return XXH3_64bits(base_ + sizeof(IndexHeader), size_ - sizeof(IndexHeader)) ==
         header().body_checksum;
}

}  // namespace vfs
