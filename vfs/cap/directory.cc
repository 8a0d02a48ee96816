#include <string.h>

#include <new>

#include "vfs/cap/calls.h"
#include "vfs/cap/outside.h"
#include "vfs/cap/tree.h"

namespace vfs::cap {
namespace {

constexpr uint32_t kPermissions = 07777;

bool has(const Capability& capability, uint32_t rights) {
  return (capability.rights & rights) == rights;
}

constexpr uint32_t kChanging = VFS_OPEN_WRITE | VFS_OPEN_CREATE | VFS_OPEN_TRUNCATE;

bool is_meant(uint32_t flags) {
  constexpr uint32_t kKnown = VFS_OPEN_READ | VFS_OPEN_WRITE | VFS_OPEN_CREATE | VFS_OPEN_NEW |
                              VFS_OPEN_TRUNCATE | VFS_OPEN_APPEND | VFS_OPEN_DIRECTORY |
                              VFS_OPEN_NO_FOLLOW;
  if ((flags & ~kKnown) != 0) return false;
  if ((flags & VFS_OPEN_DIRECTORY) != 0) {
    return (flags & ~(VFS_OPEN_DIRECTORY | VFS_OPEN_NO_FOLLOW)) == 0;
  }
  if ((flags & (VFS_OPEN_READ | VFS_OPEN_WRITE)) == 0) return false;
  if ((flags & VFS_OPEN_NEW) != 0 && (flags & VFS_OPEN_CREATE) == 0) return false;
  return (flags & (VFS_OPEN_TRUNCATE | VFS_OPEN_APPEND)) == 0 || (flags & VFS_OPEN_WRITE) != 0;
}

// What moves from one directory to another must not be accessible by more there.
bool may_move(const Capability& from, const Capability& to) {
  return has(from, kMayWrite) && has(to, kMayWrite) && (to.rights & ~from.rights) == 0;
}

// Names wait in the capability for the next call; a call takes them out while it reads.
void give_back(Capability& directory, Names* names) {
  Names* expected = nullptr;
  if (directory.names.compare_exchange_strong(expected, names)) return;
  names->~Names();
  vfs_free(names);
}

int read_names(Capability& directory, Names*& names) {
  void* memory = vfs_malloc(sizeof(Names));
  if (memory == nullptr) return -ENOMEM;
  names = new (memory) Names;
  return directory.in_tree ? tree::read_names(directory, *names)
                           : outside::read_names(directory, *names);
}

uint16_t entry_size(size_t name_length) {
  return static_cast<uint16_t>((sizeof(vfs_entry) + name_length + 7) & ~size_t{7});
}

bool is_dots(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

// As many entries as fit. 0: there are none left.
int64_t copy_names(const Names& names, uint64_t from, Space space) {
  size_t used = 0;
  const struct dirent64* entry = names.at(from);
  for (; entry != nullptr; entry = names.behind(*entry)) {
    if (is_dots(entry->d_name)) continue;
    const size_t length = strlen(entry->d_name);
    const uint16_t size = entry_size(length);
    if (space.size - used < size) return used != 0 ? static_cast<int64_t>(used) : -ERANGE;
    vfs_entry out = {};
    out.inode = entry->d_ino;
    out.next = static_cast<uint64_t>(entry->d_off);
    out.size = size;
    out.name_length = static_cast<uint16_t>(length);
    out.type = entry->d_type;
    char* at = space.at + used;
    memset(at, 0, size);
    memcpy(at, &out, sizeof(out));
    memcpy(at + sizeof(out), entry->d_name, length);
    used += size;
  }
  return static_cast<int64_t>(used);
}

}  // namespace

const struct dirent64* Names::behind(const struct dirent64& entry) const {
  const auto offset = static_cast<uint32_t>(entry.d_off);
  if (entries == nullptr) return of_tree.at(offset);
  return offset < size ? reinterpret_cast<const struct dirent64*>(entries + offset) : nullptr;
}

const struct dirent64* Names::at(uint64_t offset) const {
  const struct dirent64* entry = entries == nullptr ? of_tree.at(0)
                                 : size != 0        ? reinterpret_cast<const dirent64*>(entries)
                                                    : nullptr;
  for (uint64_t position = 0; entry != nullptr && position < offset;) {
    position = static_cast<uint64_t>(entry->d_off);
    entry = behind(*entry);
  }
  return entry;
}

int64_t directory_open(Capability& directory, Bytes path, uint32_t flags, uint32_t mode,
                       vfs_opened& opened) {
  if (!is_meant(flags) || (mode & ~kPermissions) != 0) return -EINVAL;
  if ((flags & VFS_OPEN_READ) != 0 && !has(directory, kMayRead)) return -EACCES;
  if ((flags & kChanging) != 0 && !has(directory, kMayWrite)) return -EACCES;
  Capability* capability = nullptr;
  const int result = directory.in_tree ? tree::open(directory, path, flags, mode, capability)
                                       : outside::open(directory, path, flags, mode, capability);
  if (result != 0) return result;
  const uint32_t interface_id = capability->interface_id;
  const int entered = enter(capability, opened.id);
  opened.interface_id = interface_id;
  return entered;
}

int64_t directory_stat(Capability& directory, Bytes path, uint32_t flags, vfs_status& status) {
  if ((flags & ~VFS_STAT_NO_FOLLOW) != 0) return -EINVAL;
  if (!has(directory, kMayRead)) return -EACCES;
  return directory.in_tree ? tree::stat(directory, path, flags, status)
                           : outside::stat(directory, path, flags, status);
}

int64_t directory_list(Capability& directory, uint64_t from, Space space) {
  if (!has(directory, kMayRead)) return -EACCES;
  if (space.at == nullptr) return -EINVAL;
  Names* names = directory.names.exchange(nullptr);
  int64_t result = 0;
  if (from == 0 || names == nullptr) {
    if (names != nullptr) {
      names->~Names();
      vfs_free(names);
      names = nullptr;
    }
    result = read_names(directory, names);
  }
  if (result == 0) result = copy_names(*names, from, space);
  if (result > 0 || result == -ERANGE) {
    give_back(directory, names);
  } else if (names != nullptr) {
    names->~Names();
    vfs_free(names);
  }
  return result;
}

int64_t directory_make(Capability& directory, Bytes path, uint32_t mode) {
  if ((mode & ~kPermissions) != 0) return -EINVAL;
  if (!has(directory, kMayWrite)) return -EACCES;
  return directory.in_tree ? tree::make(directory, path, mode)
                           : outside::make(directory, path, mode);
}

int64_t directory_rename(Capability& directory, Bytes path, vfs_cap to, Bytes new_path,
                         uint32_t flags) {
  constexpr uint32_t kBoth = VFS_RENAME_NEW | VFS_RENAME_EXCHANGE;
  if ((flags & ~kBoth) != 0 || flags == kBoth) return -EINVAL;
  const Held target(to);
  if (!target) return -EBADF;
  if (target->interface_id != VFS_INTERFACE_DIRECTORY) return -ENOTDIR;
  if (!may_move(directory, *target)) return -EACCES;
  // What is exchanged moves in both directions.
  if ((flags & VFS_RENAME_EXCHANGE) != 0 && !may_move(*target, directory)) return -EACCES;
  if (directory.in_tree != target->in_tree) return -EXDEV;
  return directory.in_tree ? tree::rename(directory, path, *target, new_path, flags)
                           : outside::rename(directory, path, *target, new_path, flags);
}

int64_t directory_remove(Capability& directory, Bytes path, uint32_t flags) {
  if ((flags & ~VFS_REMOVE_DIRECTORY) != 0) return -EINVAL;
  if (!has(directory, kMayWrite)) return -EACCES;
  return directory.in_tree ? tree::remove(directory, path, flags)
                           : outside::remove(directory, path, flags);
}

int64_t directory_link(Capability& directory, Bytes path, vfs_cap to, Bytes new_path,
                       uint32_t flags) {
  if (flags != 0) return -EINVAL;
  const Held target(to);
  if (!target) return -EBADF;
  if (target->interface_id != VFS_INTERFACE_DIRECTORY) return -ENOTDIR;
  if (!may_move(directory, *target)) return -EACCES;
  if (directory.in_tree != target->in_tree) return -EXDEV;
  return directory.in_tree ? tree::link(directory, path, *target, new_path)
                           : outside::link(directory, path, *target, new_path);
}

int64_t directory_symlink(Capability& directory, Bytes target, Bytes path) {
  if (!has(directory, kMayWrite)) return -EACCES;
  PathBuffer text;
  const int taken = take_text(target, text);
  if (taken != 0) return taken;
  return directory.in_tree ? tree::symlink(directory, text.text, path)
                           : outside::symlink(directory, text.text, path);
}

int64_t directory_read_link(Capability& directory, Bytes path, Space space) {
  if (!has(directory, kMayRead)) return -EACCES;
  if (space.at == nullptr && space.size != 0) return -EINVAL;
  return directory.in_tree ? tree::read_link(directory, path, space.at, space.size)
                           : outside::read_link(directory, path, space.at, space.size);
}

}  // namespace vfs::cap
