#include "manifest/index_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <string_view>

#include "cas/descriptor.h"
#include "cas/error.h"
#include "cas/file_io.h"
#include "vfs/core/index_format.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

// Says what is wrong with a header, given the size of the file.
std::string header_problem(const IndexHeader& header, uint64_t size) {
  if (memcmp(header.magic, kIndexMagic, sizeof(kIndexMagic)) != 0) return "not an index";
  if (header.version != kIndexVersion) return "of another version";
  if (header.header_checksum != header_checksum(header)) return "the header is damaged";
  if (header.file_size != size) return "of the wrong size";
  const uint64_t entries = header.entry_count;
  const uint64_t buckets = header.bucket_count;
  const bool fits = header.header_size == sizeof(header) && entries > 0 &&
                    header.entries_offset == sizeof(header) &&
                    entries < size / sizeof(IndexEntry) + 1 &&
                    header.buckets_offset == header.entries_offset + entries * sizeof(IndexEntry) &&
                    buckets > entries && (buckets & (buckets - 1)) == 0 &&
                    buckets < size / sizeof(uint32_t) + 1 &&
                    header.names_offset == header.buckets_offset + buckets * sizeof(uint32_t) &&
                    header.names_offset + header.names_size == size;
  return fits ? "" : "the parts of the file do not fit together";
}

// A whole index in memory whose header is sound.
class Body {
 public:
  Body(const char* bytes, const IndexHeader& header)
      : header_(header),
        entries_(reinterpret_cast<const IndexEntry*>(bytes + header.entries_offset)),
        buckets_(reinterpret_cast<const uint32_t*>(bytes + header.buckets_offset)),
        names_(bytes + header.names_offset, header.names_size) {}

  // The first thing that is wrong, or an empty string.
  std::string problem() const;

 private:
  bool is_text(uint64_t offset, uint64_t length) const {
    return offset + length < names_.size() && names_[offset + length] == '\0';
  }
  std::string_view name(const IndexEntry& entry) const {
    return names_.substr(entry.name_offset, entry.name_length);
  }
  const char* entry_problem(uint32_t number, uint32_t& next_child) const;
  const char* children_problem(uint32_t number, uint32_t& next_child) const;
  const char* ring_problem(uint32_t number) const;
  bool is_found(uint32_t number) const;

  const IndexHeader& header_;
  const IndexEntry* entries_;
  const uint32_t* buckets_;
  std::string_view names_;
};

// Entries stand breadth first: `next_child` is where the children of the next
// directory begin.
const char* Body::children_problem(uint32_t number, uint32_t& next_child) const {
  const auto& children = entries_[number].children;
  if (children.count == 0) return children.subdirectories == 0 ? nullptr : "counts no children";
  if (children.first_child != next_child) return "has its children in the wrong place";
  if (children.count > header_.entry_count - next_child) return "has too many children";
  uint32_t directories = 0;
  for (uint32_t i = next_child; i < next_child + children.count; ++i) {
    const IndexEntry& child = entries_[i];
    if (child.parent != number) return "has a child with another parent";
    if (!is_text(child.name_offset, child.name_length)) return "has a child without a name";
    if (i > next_child && name(entries_[i - 1]) >= name(child)) return "has unsorted children";
    if (S_ISDIR(child.mode)) ++directories;
  }
  if (directories != children.subdirectories) return "counts its subdirectories wrong";
  next_child += children.count;
  return nullptr;
}

const char* Body::ring_problem(uint32_t number) const {
  const IndexEntry& entry = entries_[number];
  if (entry.link_next >= header_.entry_count || entry.link_first > number) return "has a broken ring";
  // Each ring is followed once, from its first name.
  if (entry.link_first != number) return nullptr;
  uint32_t length = 0;
  uint32_t at = number;
  do {
    if (at >= header_.entry_count || entries_[at].link_first != number ||
        entries_[at].link_count != entry.link_count || ++length > entry.link_count) {
      return "has a broken ring of hard links";
    }
    at = entries_[at].link_next;
  } while (at != number);
  return length == entry.link_count ? nullptr : "counts its links wrong";
}

bool Body::is_found(uint32_t number) const {
  const uint64_t mask = header_.bucket_count - 1;
  uint64_t slot = entries_[number].path_hash & mask;
  for (uint64_t steps = 0; steps <= mask; ++steps, slot = (slot + 1) & mask) {
    if (buckets_[slot] == number + 1) return true;
    if (buckets_[slot] == 0) return false;
  }
  return false;
}

const char* Body::entry_problem(uint32_t number, uint32_t& next_child) const {
  const IndexEntry& entry = entries_[number];
  if (!is_text(entry.name_offset, entry.name_length)) return "has no name";
  const std::string_view own = name(entry);
  uint64_t hash = kRootPathHash;
  if (number == 0) {
    if (!own.empty() || entry.parent != 0 || !S_ISDIR(entry.mode)) return "is no root";
  } else {
    if (own.empty() || own.find('/') != own.npos || own.find('\0') != own.npos) {
      return "has an impossible name";
    }
    if (entry.parent >= number) return "stands before its parent";
    hash = path_hash_append(entries_[entry.parent].path_hash, own.data(), entry.name_length);
  }
  if (entry.path_hash != hash) return "has the wrong hash";
  if (entry.mtime_nanoseconds >= 1'000'000'000) return "has an impossible time";
  if (S_ISLNK(entry.mode) &&
      (!is_text(entry.target.offset, entry.target.length) || entry.size != entry.target.length)) {
    return "has no target";
  }
  if (!is_found(number)) return "is not found by its hash";
  if (S_ISDIR(entry.mode)) {
    if (const char* problem = children_problem(number, next_child)) return problem;
  }
  return ring_problem(number);
}

std::string Body::problem() const {
  uint32_t next_child = 1;
  for (uint32_t i = 0; i < header_.entry_count; ++i) {
    if (const char* what = entry_problem(i, next_child)) return fmt::format("entry {} {}", i, what);
  }
  if (next_child != header_.entry_count) return "there are entries that no directory has";
  return {};
}

bool read_header(const Descriptor& fd, IndexHeader& header, uint64_t& size) {
  struct stat status;
  if (!fd || ::fstat(fd.get(), &status) != 0 ||
      ::pread(fd.get(), &header, sizeof(header), 0) != sizeof(header)) {
    return false;
  }
  size = static_cast<uint64_t>(status.st_size);
  return true;
}

}  // namespace

bool check_index_header(const std::filesystem::path& path, const Digest& snapshot) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  IndexHeader header;
  uint64_t size = 0;
  return read_header(fd, header, size) && header_problem(header, size).empty() &&
         memcmp(header.snapshot, snapshot.bytes, Digest::kSize) == 0;
}

std::string check_index(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return strerrordesc_np(errno);
  IndexHeader header;
  uint64_t size = 0;
  if (!read_header(fd, header, size)) return "too short";
  if (std::string problem = header_problem(header, size); !problem.empty()) return problem;
  std::string bytes(size, '\0');
  try {
    if (read_up_to(fd.get(), bytes.data(), size, path.native()) != size) return "too short";
  } catch (const Error& error) {
    return error.why;
  }
  if (XXH3_64bits(bytes.data() + sizeof(header), size - sizeof(header)) != header.body_checksum) {
    return "the body is damaged";
  }
  return Body(bytes.data(), header).problem();
}

}  // namespace vfs
