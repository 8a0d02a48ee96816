// Listing a directory: the base and upper merged into one run of entries.
#pragma once

#include <dirent.h>

#include "vfs/core/lookup.h"

namespace vfs {

// The entries of one directory at one moment, "." and ".." first. Lives in the
// memory it is lent while that is enough, then in a mapping of its own (no
// malloc), freed by the destructor.
class Listing {
 public:
  Listing() = default;
  // `lent` has to live as long, and to be aligned as a struct dirent64. Fresh
  // pages cost more than all else about a small directory.
  Listing(char* lent, uint32_t size) : lent_(lent), lent_size_(size) {}
  ~Listing() { reset(); }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  // Reads the directory `directory` (a look-up that found one; looked up again if
  // a commit has moved it into the base meanwhile). Returns 0 or a negative
  // errno; on failure the listing is empty. Names that are there all the time,
  // and only those, are sure to be in it once.
  int read(Workspace& workspace, const Lookup& directory);

  void reset();

  // Entries lie back to back as the kernel's getdents64 has them (d_reclen
  // leads to the next); d_off is the offset of the entry behind, in bytes.
  const char* begin() const { return data_; }
  uint32_t size() const { return size_; }  // bytes
  // Null at the end. `offset` is 0, a d_off, or what entry_behind() gave.
  const struct dirent64* at(uint32_t offset) const {
    return offset < size_ ? reinterpret_cast<const struct dirent64*>(data_ + offset) : nullptr;
  }
  // The first entry that does not begin before `offset`, whatever that is. Goes
  // through all entries before it.
  uint32_t entry_behind(uint64_t offset) const {
    uint32_t position = 0;
    while (position < size_ && position < offset) position = static_cast<uint32_t>(at(position)->d_off);
    return position;
  }

 private:
  static constexpr int kAttempts = 20;  // one for each commit that comes between

  int read_once(Workspace& workspace, const Lookup& directory);
  int read_again(Workspace& workspace, const PathBuffer& path);
  bool grow();  // false: no memory

  friend struct ListingBuilder;
  char* lent_ = nullptr;
  uint32_t lent_size_ = 0;  // bytes
  char* data_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

// Whether the directory has no entry but "." and "..". Negative errno on failure.
int is_empty_directory(Workspace& workspace, const Lookup& directory, bool& empty);

// st_nlink of a merged directory: 2 and one for every directory in it.
uint64_t count_directory_links(Workspace& workspace, const Lookup& directory);

}  // namespace vfs
