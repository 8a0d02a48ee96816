// What vfs.h declares, apart from memory, waiting and the process. The typed functions do not take
// the way over bytes: they would have to be copied behind their parameters first.
#include <sys/stat.h>

#include "vfs/cap/call.h"
#include "vfs/cap/set.h"

using namespace vfs::cap;

namespace {

Bytes bytes_of(const void* at, size_t size) {
  return {static_cast<const char*>(at), size};
}
Space space_of(void* at, size_t size) {
  return {static_cast<char*>(at), size};
}

// One call on a capability of this interface.
template <typename Call>
int64_t on(vfs_cap id, uint32_t interface_id, Call call) {
  const Held held(id);
  if (!held) return -EBADF;
  return held->interface_id == interface_id ? call(*held) : -ENOSYS;
}
template <typename Call>
int64_t on_directory(vfs_cap id, Call call) {
  return on(id, VFS_INTERFACE_DIRECTORY, call);
}
template <typename Call>
int64_t on_file(vfs_cap id, Call call) {
  return on(id, VFS_INTERFACE_FILE, call);
}

int copy(const Capability& from, vfs::Rights rights, Capability*& made) {
  made = make_capability(from.interface_id, rights);
  if (made == nullptr) return -ENOMEM;
  made->in_tree = from.in_tree;
  made->may_meet_tree = from.may_meet_tree;
  made->sealed = from.sealed;
  made->status = from.status;
  made->generation = from.generation;
  int result = 0;
  if (from.path != nullptr && !made->set_path(from.path, from.path_length)) result = -ENOMEM;
  if (result == 0 && from.fd >= 0) {
    made->fd = vfs::sys::fcntl(from.fd, F_DUPFD_CLOEXEC, 0);
    if (made->fd < 0) result = made->fd;
  }
  if (result != 0) discard(made);
  return result;
}

}  // namespace

extern "C" {

uint32_t vfs_abi_version(void) {
  return VFS_ABI_VERSION;
}

int64_t vfs_cap_get(const char* name, size_t length, vfs_cap* id, uint32_t* interface_id) {
  if (name == nullptr || id == nullptr || interface_id == nullptr) return -EINVAL;
  Capability* opened = nullptr;
  const int result = open_named(name, length, opened);
  if (result != 0) return result;
  *interface_id = opened->interface_id;
  return enter(opened, *id);
}

int64_t vfs_cap_interface(vfs_cap id) {
  const Held held(id);
  return held ? static_cast<int64_t>(held->interface_id) : -EBADF;
}

int64_t vfs_cap_rights(vfs_cap id) {
  const Held held(id);
  return held ? static_cast<int64_t>(held->rights) : -EBADF;
}

int64_t vfs_cap_narrow(vfs_cap id, uint32_t rights, vfs_cap* narrowed) {
  if (narrowed == nullptr || (rights & ~uint32_t{vfs::kAllRights}) != 0) return -EINVAL;
  const Held held(id);
  if (!held) return -EBADF;
  if ((rights & ~uint32_t{held->rights}) != 0) return -EACCES;
  Capability* made = nullptr;
  const int result = copy(*held, static_cast<vfs::Rights>(rights), made);
  return result != 0 ? result : enter(made, *narrowed);
}

int64_t vfs_cap_close(vfs_cap id) {
  return leave(id);
}

int64_t vfs_cap_call(vfs_cap id, uint32_t method, const void* parameters, size_t parameters_size,
                     void* result, size_t result_size) {
  const Held held(id);
  if (!held) return -EBADF;
  return call(*held, method, bytes_of(parameters, parameters_size), space_of(result, result_size));
}

int64_t vfs_console_write_line(vfs_cap console, const char* text, size_t length) {
  return on(console, VFS_INTERFACE_CONSOLE, [&](Capability& held) {
    return console_write(held, VFS_CONSOLE_OUTPUT, bytes_of(text, length), true);
  });
}

int64_t vfs_console_read(vfs_cap console, void* buffer, size_t size) {
  return on(console, VFS_INTERFACE_CONSOLE,
            [&](Capability& held) { return console_read(held, space_of(buffer, size)); });
}

int64_t vfs_directory_open(vfs_cap directory, const char* path, size_t length, uint32_t flags,
                           uint32_t mode, vfs_cap* opened) {
  if (opened == nullptr) return -EINVAL;
  return on_directory(directory, [&](Capability& held) {
    vfs_opened made = {};
    const int64_t result = directory_open(held, bytes_of(path, length), flags, mode, made);
    if (result == 0) *opened = made.id;
    return result;
  });
}

int64_t vfs_directory_create(vfs_cap directory, const char* path, size_t length, uint32_t mode,
                             vfs_cap* opened) {
  return vfs_directory_open(directory, path, length,
                            VFS_OPEN_READ | VFS_OPEN_WRITE | VFS_OPEN_CREATE | VFS_OPEN_NEW, mode,
                            opened);
}

int64_t vfs_directory_stat(vfs_cap directory, const char* path, size_t length, uint32_t flags,
                           vfs_status* status) {
  if (status == nullptr) return -EINVAL;
  return on_directory(directory, [&](Capability& held) {
    return directory_stat(held, bytes_of(path, length), flags, *status);
  });
}

int64_t vfs_directory_list(vfs_cap directory, uint64_t from, void* entries, size_t size) {
  return on_directory(directory, [&](Capability& held) {
    return directory_list(held, from, space_of(entries, size));
  });
}

int64_t vfs_directory_make(vfs_cap directory, const char* path, size_t length, uint32_t mode) {
  return on_directory(directory, [&](Capability& held) {
    return directory_make(held, bytes_of(path, length), mode);
  });
}

int64_t vfs_directory_rename(vfs_cap directory, const char* path, size_t length, vfs_cap to,
                             const char* new_path, size_t new_length, uint32_t flags) {
  return on_directory(directory, [&](Capability& held) {
    return directory_rename(held, bytes_of(path, length), to, bytes_of(new_path, new_length),
                            flags);
  });
}

int64_t vfs_directory_remove(vfs_cap directory, const char* path, size_t length, uint32_t flags) {
  return on_directory(directory, [&](Capability& held) {
    return directory_remove(held, bytes_of(path, length), flags);
  });
}

int64_t vfs_directory_link(vfs_cap directory, const char* path, size_t length, vfs_cap to,
                           const char* new_path, size_t new_length) {
  return on_directory(directory, [&](Capability& held) {
    return directory_link(held, bytes_of(path, length), to, bytes_of(new_path, new_length), 0);
  });
}

int64_t vfs_directory_symlink(vfs_cap directory, const char* target, size_t target_length,
                              const char* path, size_t length) {
  return on_directory(directory, [&](Capability& held) {
    return directory_symlink(held, bytes_of(target, target_length), bytes_of(path, length));
  });
}

int64_t vfs_directory_read_link(vfs_cap directory, const char* path, size_t length, char* target,
                                size_t size) {
  return on_directory(directory, [&](Capability& held) {
    return directory_read_link(held, bytes_of(path, length), space_of(target, size));
  });
}

int64_t vfs_file_read(vfs_cap file, void* buffer, size_t size) {
  return on_file(file, [&](Capability& held) { return file_read(held, space_of(buffer, size)); });
}

int64_t vfs_file_pread(vfs_cap file, void* buffer, size_t size, uint64_t position) {
  return on_file(
      file, [&](Capability& held) { return file_pread(held, space_of(buffer, size), position); });
}

int64_t vfs_file_write(vfs_cap file, const void* buffer, size_t size) {
  return on_file(file, [&](Capability& held) { return file_write(held, bytes_of(buffer, size)); });
}

int64_t vfs_file_pwrite(vfs_cap file, const void* buffer, size_t size, uint64_t position) {
  return on_file(
      file, [&](Capability& held) { return file_pwrite(held, bytes_of(buffer, size), position); });
}

int64_t vfs_file_truncate(vfs_cap file, uint64_t size) {
  return on_file(file, [&](Capability& held) { return file_truncate(held, size); });
}

int64_t vfs_file_set_times(vfs_cap file, const vfs_time* accessed, const vfs_time* modified) {
  if (accessed == nullptr || modified == nullptr) return -EINVAL;
  return on_file(file,
                 [&](Capability& held) { return file_set_times(held, *accessed, *modified); });
}

int64_t vfs_file_sync(vfs_cap file) {
  return on_file(file, [](Capability& held) { return file_sync(held); });
}

int64_t vfs_file_stat(vfs_cap file, vfs_status* status) {
  if (status == nullptr) return -EINVAL;
  return on_file(file, [&](Capability& held) { return file_stat(held, *status); });
}

int64_t vfs_file_seek(vfs_cap file, int64_t offset, uint32_t whence) {
  return on_file(file, [&](Capability& held) { return file_seek(held, offset, whence); });
}

}  // extern "C"
