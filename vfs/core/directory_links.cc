// st_nlink of a directory that upper and base both have.
#include "vfs/core/listing.h"
#include "vfs/core/listing_internal.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

// Of a snapshot the index knows how many directories there are: only what upper
// has made of them has to be looked at. (A shell asks about the directory it
// starts in twice, and that of a build may hold a thousand files.)
bool count_by_index(Workspace& workspace, const Lookup& directory, uint64_t& count) {
  const Index index = workspace.index();
  const IndexEntry* base = entry_of(index, directory);
  PathBuffer real;
  PathBuffer path;
  if (base == nullptr || !path.assign(directory.base_path()) ||
      !open_upper(workspace, directory, real)) {
    return false;
  }
  const uint32_t length = path.length;
  const uint64_t hash = path_hash(path.text, length);
  count = 2 + base->children.subdirectories;
  return for_each_entry(real.text, [&](const struct dirent64& entry) {
    if (strcmp(entry.d_name, kDirectoryRecordName) == 0) return 0;
    unsigned char type = entry.d_type;
    uint64_t inode;
    const int classified = type == DT_DIR || type == DT_UNKNOWN
                               ? classify(workspace, directory, entry, type, inode)
                               : 0;
    if (classified != 0) return classified;
    const uint32_t name_length = static_cast<uint32_t>(strlen(entry.d_name));
    if (!path.push(entry.d_name, name_length)) return -ENAMETOOLONG;
    const IndexEntry* hidden =
        index.find(path.text, path.length, path_hash_append(hash, entry.d_name, name_length));
    path.truncate(length);
    if (hidden != nullptr && S_ISDIR(hidden->mode)) --count;
    if (type == DT_DIR) ++count;
    return 0;
  }) == 0;
}

}  // namespace

uint64_t count_directory_links(Workspace& workspace, const Lookup& directory) {
  uint64_t links = 0;
  if (workspace.has_snapshot_base() && count_by_index(workspace, directory, links)) return links;
  alignas(8) char memory[4096];
  Listing listing(memory, sizeof(memory));
  uint64_t count = 0;
  if (listing.read(workspace, directory) != 0) return directory.status.st_nlink;
  for (const struct dirent64* entry = listing.at(0); entry != nullptr;
       entry = listing.at(static_cast<uint32_t>(entry->d_off))) {
    if (entry->d_type == DT_DIR) ++count;  // "." and ".." are the two
  }
  return count;
}

}  // namespace vfs
