// vfs_cap_call(): from bytes that anybody may have put together to a call. Nothing in them is
// believed but what was compared with their size.
#include "vfs/cap/call.h"

#include <string.h>

#include "vfs/cap/calls.h"

namespace vfs::cap {
namespace {

// What is left of the parameters.
class Parameters {
 public:
  explicit Parameters(Bytes bytes) : bytes_(bytes) {}

  // Takes one structure; it need not be aligned.
  template <typename T>
  bool take(T& value) {
    if (bytes_.size < sizeof(T)) return false;
    memcpy(&value, bytes_.at, sizeof(T));
    skip(sizeof(T));
    return true;
  }
  bool take(uint32_t size, Bytes& part) {
    if (bytes_.size < size) return false;
    part = {bytes_.at, size};
    skip(size);
    return true;
  }
  Bytes take_rest() {
    const Bytes rest = bytes_;
    skip(rest.size);
    return rest;
  }
  bool is_empty() const { return bytes_.size == 0; }

 private:
  void skip(size_t size) {
    if (size == 0) return;  // of a null pointer
    bytes_.at += size;
    bytes_.size -= size;
  }
  Bytes bytes_;
};

bool has_room(Space space, size_t size) {
  return space.at != nullptr && space.size >= size;
}

// The result of a call that fills one structure.
template <typename T, typename Call>
int64_t give(Space space, Call call) {
  if (!has_room(space, sizeof(T))) return -ERANGE;
  T value = {};
  const int64_t result = call(value);
  if (result < 0) return result;
  memcpy(space.at, &value, sizeof(value));
  return sizeof(value);
}

int64_t call_console(Capability& console, uint32_t method, Parameters in, Space space) {
  vfs_console_parameters parameters;
  switch (method) {
    case VFS_CONSOLE_WRITE_LINE:
    case VFS_CONSOLE_WRITE:
      if (!in.take(parameters) || parameters.zero != 0) return -EINVAL;
      return console_write(console, parameters.stream, in.take_rest(),
                           method == VFS_CONSOLE_WRITE_LINE);
    case VFS_CONSOLE_READ:
      return in.is_empty() ? console_read(console, space) : -EINVAL;
    default:
      return -ENOSYS;
  }
}

int64_t call_open(Capability& directory, Parameters in, Space space) {
  vfs_open_parameters parameters;
  if (!in.take(parameters)) return -EINVAL;
  return give<vfs_opened>(space, [&](vfs_opened& opened) {
    return directory_open(directory, in.take_rest(), parameters.flags, parameters.mode, opened);
  });
}

int64_t call_stat(Capability& directory, Parameters in, Space space) {
  vfs_stat_parameters parameters;
  if (!in.take(parameters) || parameters.zero != 0) return -EINVAL;
  return give<vfs_status>(space, [&](vfs_status& status) {
    return directory_stat(directory, in.take_rest(), parameters.flags, status);
  });
}

int64_t call_two_paths(Capability& directory, uint32_t method, Parameters in) {
  vfs_two_paths_parameters parameters;
  Bytes path;
  Bytes new_path;
  if (!in.take(parameters) || !in.take(parameters.old_length, path) ||
      !in.take(parameters.new_length, new_path) || !in.is_empty()) {
    return -EINVAL;
  }
  return method == VFS_DIRECTORY_RENAME
             ? directory_rename(directory, path, parameters.to, new_path, parameters.flags)
             : directory_link(directory, path, parameters.to, new_path, parameters.flags);
}

int64_t call_symlink(Capability& directory, Parameters in) {
  vfs_symlink_parameters parameters;
  Bytes target;
  Bytes path;
  if (!in.take(parameters) || !in.take(parameters.target_length, target) ||
      !in.take(parameters.path_length, path) || !in.is_empty()) {
    return -EINVAL;
  }
  return directory_symlink(directory, target, path);
}

int64_t call_list(Capability& directory, Parameters in, Space space) {
  vfs_list_parameters parameters;
  if (!in.take(parameters) || !in.is_empty()) return -EINVAL;
  return directory_list(directory, parameters.from, space);
}

int64_t call_make(Capability& directory, Parameters in) {
  vfs_make_parameters parameters;
  if (!in.take(parameters) || parameters.zero != 0) return -EINVAL;
  return directory_make(directory, in.take_rest(), parameters.mode);
}

int64_t call_remove(Capability& directory, Parameters in) {
  vfs_remove_parameters parameters;
  if (!in.take(parameters) || parameters.zero != 0) return -EINVAL;
  return directory_remove(directory, in.take_rest(), parameters.flags);
}

int64_t call_directory(Capability& directory, uint32_t method, Parameters in, Space space) {
  switch (method) {
    case VFS_DIRECTORY_OPEN:
      return call_open(directory, in, space);
    case VFS_DIRECTORY_STAT:
      return call_stat(directory, in, space);
    case VFS_DIRECTORY_LIST:
      return call_list(directory, in, space);
    case VFS_DIRECTORY_MAKE:
      return call_make(directory, in);
    case VFS_DIRECTORY_RENAME:
    case VFS_DIRECTORY_LINK:
      return call_two_paths(directory, method, in);
    case VFS_DIRECTORY_REMOVE:
      return call_remove(directory, in);
    case VFS_DIRECTORY_SYMLINK:
      return call_symlink(directory, in);
    case VFS_DIRECTORY_READ_LINK:
      return directory_read_link(directory, in.take_rest(), space);
    default:
      return -ENOSYS;
  }
}

int64_t call_at_position(Capability& file, uint32_t method, Parameters in, Space space) {
  vfs_position_parameters parameters;
  if (!in.take(parameters)) return -EINVAL;
  if (method == VFS_FILE_PWRITE) return file_pwrite(file, in.take_rest(), parameters.position);
  if (!in.is_empty()) return -EINVAL;
  return method == VFS_FILE_PREAD ? file_pread(file, space, parameters.position)
                                  : file_truncate(file, parameters.position);
}

int64_t call_set_times(Capability& file, Parameters in) {
  vfs_times_parameters parameters;
  if (!in.take(parameters) || !in.is_empty()) return -EINVAL;
  return file_set_times(file, parameters.accessed, parameters.modified);
}

int64_t call_seek(Capability& file, Parameters in, Space space) {
  vfs_seek_parameters parameters;
  if (!in.take(parameters) || !in.is_empty() || parameters.zero != 0) return -EINVAL;
  return give<uint64_t>(space, [&](uint64_t& position) {
    const int64_t result = file_seek(file, parameters.offset, parameters.whence);
    position = static_cast<uint64_t>(result);
    return result;
  });
}

int64_t call_file(Capability& file, uint32_t method, Parameters in, Space space) {
  switch (method) {
    case VFS_FILE_READ:
      return in.is_empty() ? file_read(file, space) : -EINVAL;
    case VFS_FILE_WRITE:
      return file_write(file, in.take_rest());
    case VFS_FILE_PREAD:
    case VFS_FILE_PWRITE:
    case VFS_FILE_TRUNCATE:
      return call_at_position(file, method, in, space);
    case VFS_FILE_SET_TIMES:
      return call_set_times(file, in);
    case VFS_FILE_SYNC:
      return in.is_empty() ? file_sync(file) : -EINVAL;
    case VFS_FILE_STAT:
      if (!in.is_empty()) return -EINVAL;
      return give<vfs_status>(space, [&](vfs_status& status) { return file_stat(file, status); });
    case VFS_FILE_SEEK:
      return call_seek(file, in, space);
    default:
      return -ENOSYS;
  }
}

}  // namespace

int64_t call(Capability& capability, uint32_t method, Bytes parameters, Space space) {
  if (parameters.at == nullptr && parameters.size != 0) return -EINVAL;
  if (space.at == nullptr && space.size != 0) return -EINVAL;
  const Parameters in(parameters);
  switch (capability.interface_id) {
    case VFS_INTERFACE_CONSOLE:
      return call_console(capability, method, in, space);
    case VFS_INTERFACE_DIRECTORY:
      return call_directory(capability, method, in, space);
    case VFS_INTERFACE_FILE:
      return call_file(capability, method, in, space);
    default:
      return -ENOSYS;
  }
}

}  // namespace vfs::cap
