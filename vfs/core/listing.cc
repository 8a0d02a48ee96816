#include "vfs/core/listing.h"

#include <sys/mman.h>

#include "vfs/core/directory_mode.h"
#include "vfs/core/listing_internal.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {

// Appends entries; remembers the names of upper so that the base's entry of
// the same name is passed over.
struct ListingBuilder {
  Workspace& workspace;
  const Lookup& directory;
  Listing& listing;
  uint32_t* table = nullptr;  // open addressing: offset + 1 of upper's names
  uint32_t table_size = 0;    // a power of two
  uint32_t upper_end = 0;

  int add(const char* name, uint32_t length, uint64_t inode, unsigned char type);
  int add_dots();
  int add_upper();
  int add_base();
  int index_names();
  bool upper_names(const char* name, uint32_t length) const;
  void drop_hidden();
};

namespace {

constexpr uint32_t kSmall = 4096;  // bytes: what the stack lends to a listing

uint32_t entry_size(uint32_t name_length) {
  return (static_cast<uint32_t>(offsetof(struct dirent64, d_name)) + name_length + 1 + 7) & ~7u;
}

void* map_memory(size_t size) {
  void* memory = sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return sys::is_error(memory) ? nullptr : memory;
}

bool is_root_marker(const Lookup& directory, const char* name) {
  return directory.path.length == 0 && strcmp(name, kMarkerName) == 0;
}

}  // namespace

bool open_upper(Workspace& workspace, const Lookup& directory, PathBuffer& real) {
  if (!workspace.upper_path(directory.path, real)) return false;
  if ((directory.status.st_mode & S_IRWXU) != S_IRWXU) {
    unlock_directory(workspace, real.text, directory.hash);
  }
  return true;
}

const IndexEntry* entry_of(const Index& index, const Lookup& directory) {
  if (directory.entry == nullptr || index.has(*directory.entry)) return directory.entry;
  // The base was replaced since it was looked up, and has every directory where
  // the tree has it.
  const PathBuffer& path = directory.path;
  return index.find(path.text, path.length, path_hash(path.text, path.length));
}

int ListingBuilder::add(const char* name, uint32_t length, uint64_t inode, unsigned char type) {
  const uint32_t size = entry_size(length);
  while (listing.capacity_ - listing.size_ < size) {
    if (!listing.grow()) return -ENOMEM;
  }
  auto* entry = reinterpret_cast<struct dirent64*>(listing.data_ + listing.size_);
  entry->d_ino = inode;
  entry->d_off = static_cast<off64_t>(listing.size_ + size);
  entry->d_reclen = static_cast<unsigned short>(size);
  entry->d_type = type;
  memcpy(entry->d_name, name, length);
  entry->d_name[length] = '\0';
  listing.size_ += size;
  return 0;
}

int ListingBuilder::add_dots() {
  uint64_t above = directory.status.st_ino;
  if (directory.path.length == 0) {
    PathBuffer real;
    struct stat status;
    if (real.assign(workspace.root) && real.append("/..") && sys::lstat(real.text, &status) == 0) {
      above = status.st_ino;
    }
  } else {
    PathBuffer path;
    Lookup parent;
    path.assign(directory.path);
    path.pop();
    if (look_up_canonical(workspace, path, parent) == 0 && parent.exists()) {
      above = parent.status.st_ino;
    }
  }
  const int result = add(".", 1, directory.status.st_ino, DT_DIR);
  return result != 0 ? result : add("..", 2, above, DT_DIR);
}

int ListingBuilder::add_upper() {
  if (directory.source != Source::upper) return 0;
  PathBuffer real;
  if (!open_upper(workspace, directory, real)) return -ENAMETOOLONG;
  const int result = for_each_entry(real.text, [&](const struct dirent64& entry) {
    if (strcmp(entry.d_name, kDirectoryRecordName) == 0) return 0;
    unsigned char type;
    uint64_t inode;
    const int classified = classify(workspace, directory, entry, type, inode);
    if (classified != 0 || type == kAbsent) return classified;
    return add(entry.d_name, static_cast<uint32_t>(strlen(entry.d_name)), inode, type);
  });
  upper_end = listing.size_;
  return result;
}

int ListingBuilder::index_names() {
  uint32_t count = 0;
  for (const struct dirent64* entry = listing.at(0); entry != nullptr && count < 1u << 30;
       entry = listing.at(static_cast<uint32_t>(entry->d_off))) {
    ++count;
  }
  table_size = 64;
  while (table_size < count * 2) table_size *= 2;
  table = static_cast<uint32_t*>(map_memory(table_size * sizeof(uint32_t)));
  if (table == nullptr) return -ENOMEM;
  for (uint32_t at = 0; at < upper_end;) {
    const struct dirent64* entry = listing.at(at);
    uint64_t slot = path_hash_append(0, entry->d_name, static_cast<uint32_t>(strlen(entry->d_name)));
    while (table[slot & (table_size - 1)] != 0) ++slot;
    table[slot & (table_size - 1)] = at + 1;
    at += entry->d_reclen;
  }
  return 0;
}

bool ListingBuilder::upper_names(const char* name, uint32_t length) const {
  if (table == nullptr) return false;
  uint64_t slot = path_hash_append(0, name, length);
  for (uint32_t at; (at = table[slot & (table_size - 1)]) != 0; ++slot) {
    const char* other = listing.at(at - 1)->d_name;
    if (strncmp(other, name, length) == 0 && other[length] == '\0') return true;
  }
  return false;
}

int ListingBuilder::add_base() {
  if (!directory.base_may_have) return 0;
  if (!workspace.has_snapshot_base()) {
    PathBuffer real;
    if (!workspace.live_path(directory.base_path(), real)) return -ENAMETOOLONG;
    const int result = for_each_entry(real.text, [&](const struct dirent64& entry) {
      const uint32_t length = static_cast<uint32_t>(strlen(entry.d_name));
      if (is_root_marker(directory, entry.d_name) || upper_names(entry.d_name, length)) return 0;
      return add(entry.d_name, length, entry.d_ino, entry.d_type);
    });
    // The base may lack what upper has.
    return result == -ENOENT || result == -ENOTDIR ? 0 : result;
  }
  Index index;
  const int current = workspace.index(index);
  if (current != 0) return current;
  const IndexEntry* parent = entry_of(index, directory);
  if (parent == nullptr) return 0;
  IndexChildren children = index.children(*parent);
  while (const IndexEntry* child = children.next()) {
    const char* name = index.name(*child);
    if (name == nullptr || child->name_length == 0) return -EIO;
    if (is_root_marker(directory, name) || upper_names(name, child->name_length)) continue;
    const int result = add(name, child->name_length, index.inode(*child),
                           static_cast<unsigned char>(IFTODT(child->mode)));
    if (result != 0) return result;
  }
  return 0;
}

// Whiteouts were kept so that the base's names could be compared with them.
void ListingBuilder::drop_hidden() {
  uint32_t to = 0;
  for (uint32_t from = 0; from < listing.size_;) {
    auto* entry = reinterpret_cast<struct dirent64*>(listing.data_ + from);
    const uint32_t size = entry->d_reclen;
    from += size;
    if (entry->d_type == kHidden) continue;
    memmove(listing.data_ + to, entry, size);
    to += size;
    reinterpret_cast<struct dirent64*>(listing.data_ + to - size)->d_off = to;
  }
  listing.size_ = to;
}

namespace {

// Whether a commit may have sealed the directory between the look-up and the
// reading: then parts of what upper had were not found there any more.
bool is_stale(const Workspace& workspace, const Lookup& directory, int result) {
  if (directory.source == Source::live || directory.source == Source::missing) return false;
  if (result != 0) return result == -ENOENT || result == -ENOTDIR;
  return workspace.control->generation.load(std::memory_order_acquire) != directory.generation;
}

}  // namespace

int Listing::read(Workspace& workspace, const Lookup& directory) {
  const int result = read_once(workspace, directory);
  return is_stale(workspace, directory, result) ? read_again(workspace, directory.path) : result;
}

// Apart from read(), whose stack is not to pay for a look-up.
[[gnu::noinline]] int Listing::read_again(Workspace& workspace, const PathBuffer& path) {
  int result = -ENOENT;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Lookup now;
    reset();
    result = look_up_canonical(workspace, path, now);
    if (result == 0 && !now.is_directory()) result = now.exists() ? -ENOTDIR : -ENOENT;
    if (result != 0) return result;
    result = read_once(workspace, now);
    if (!is_stale(workspace, now, result)) break;
  }
  return result;
}

int Listing::read_once(Workspace& workspace, const Lookup& directory) {
  reset();
  ListingBuilder builder{workspace, directory, *this};
  int result = builder.add_dots();
  if (result == 0) result = builder.add_upper();
  if (result == 0 && directory.source == Source::upper && directory.base_may_have) {
    result = builder.index_names();
  }
  if (result == 0) result = builder.add_base();
  if (builder.table != nullptr) sys::munmap(builder.table, builder.table_size * sizeof(uint32_t));
  if (result != 0) {
    reset();
  } else if (directory.source == Source::upper) {
    builder.drop_hidden();
  }
  return result;
}

bool Listing::grow() {
  if (data_ == nullptr && lent_ != nullptr) {
    data_ = lent_;
    capacity_ = lent_size_;
    return true;
  }
  const uint32_t capacity = capacity_ < 8 * 1024 ? 32 * 1024 : capacity_ * 4;
  char* data = static_cast<char*>(map_memory(capacity));
  if (data == nullptr) return false;
  if (size_ != 0) memcpy(data, data_, size_);  // in the beginning there are no data
  const uint32_t used = size_;
  reset();
  data_ = data;
  size_ = used;
  capacity_ = capacity;
  return true;
}

void Listing::reset() {
  if (data_ != nullptr && data_ != lent_) sys::munmap(data_, capacity_);
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

int is_empty_directory(Workspace& workspace, const Lookup& directory, bool& empty) {
  alignas(8) char memory[kSmall];
  Listing listing(memory, sizeof(memory));
  const int result = listing.read(workspace, directory);
  if (result == 0) empty = listing.size() == entry_size(1) + entry_size(2);
  return result;
}

}  // namespace vfs
