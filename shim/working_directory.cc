// chdir, getcwd and realpath.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/interpose.h"
#include "shim/locate.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

extern "C" {
char* __getcwd_chk(char* buffer, size_t size, size_t buffer_size);
char* __getwd_chk(char* buffer, size_t buffer_size);
char* __realpath_chk(const char* path, char* resolved, size_t resolved_size);
void __chk_fail(void) __attribute__((noreturn));
}

namespace {

using shim::workspace;

// Goes to the real directory behind `found`, so that the working directory is
// kernel state which survives fork and exec.
long change_to(const vfs::Lookup& found) {
  if (!found.exists()) return -ENOENT;
  if (!found.is_directory()) return -ENOTDIR;
  if (found.source != vfs::Source::live) {
    const int allowed = vfs::check_access(found.status, X_OK, true);
    if (allowed != 0) return allowed;
  }
  vfs::PathBuffer real;
  const int result = vfs::real_path(workspace, found, real);
  return result != 0 ? result : vfs::sys::chdir(real.text);
}

// The caller's buffer, or memory from malloc as glibc gives it. Null: errno.
char* give_path(const vfs::PathBuffer& path, char* buffer, size_t size) {
  if (path.length == 0) {
    errno = ENOENT;
    return nullptr;
  }
  if (buffer != nullptr && size == 0) {
    errno = EINVAL;
    return nullptr;
  }
  if ((buffer != nullptr || size != 0) && size <= path.length) {
    errno = ERANGE;
    return nullptr;
  }
  if (buffer == nullptr) {
    buffer = static_cast<char*>(malloc(size != 0 ? size : path.length + 1));
    if (buffer == nullptr) return nullptr;
  }
  if (!shim::is_writable(buffer, path.length + 1)) {
    errno = EFAULT;
    return nullptr;
  }
  memcpy(buffer, path.text, path.length + 1);
  return buffer;
}

// The virtual working directory as an absolute path, if it is in the tree;
// empty if it was removed.
bool virtual_working_directory(vfs::PathBuffer& path) {
  shim::Directory here;
  vfs::Lookup found;
  if (!shim::engaged() || shim::activity != shim::Activity::active ||
      shim::locate_directory(AT_FDCWD, here) != 0 || !here.inside) {
    return false;
  }
  if (vfs::look_up_canonical(workspace, here.path, found) != 0 || !found.is_directory()) return true;
  return workspace.live_path(here.path, path);
}

}  // namespace

VFS_INTERPOSE(int, chdir, (const char* path)) {
  const int result = shim::on_path(
      "chdir", AT_FDCWD, path, vfs::Follow::yes, change_to,
      [](int, const char* real) { return VFS_NEXT(chdir)(real); }, {.needs = 0});
  shim::forget_working_directory();
  if (result == 0) shim::directory_changed();
  return result;
}

namespace {

// A directory of upper lets its owner through, whatever it shows.
int check_search(int fd) {
  shim::Directory directory;
  vfs::Lookup found;
  if (!shim::engaged() || fd < 0 || shim::activity != shim::Activity::active ||
      shim::locate_directory(fd, directory) != 0 || !directory.inside ||
      vfs::look_up_canonical(workspace, directory.path, found) != 0 || !found.is_directory()) {
    return 0;
  }
  return vfs::check_access(found.status, X_OK, true);
}

}  // namespace

VFS_INTERPOSE(int, fchdir, (int fd)) {
  const int allowed = check_search(fd);
  if (allowed != 0) return shim::answer(allowed);
  const int result = VFS_NEXT(fchdir)(fd);
  shim::forget_working_directory();
  if (result == 0) shim::directory_changed();
  return result;
}

VFS_INTERPOSE(char*, getcwd, (char* buffer, size_t size)) {
  vfs::PathBuffer path;
  if (virtual_working_directory(path)) return give_path(path, buffer, size);
  return VFS_NEXT(getcwd)(buffer, size);
}
VFS_INTERPOSE(char*, __getcwd_chk, (char* buffer, size_t size, size_t buffer_size)) {
  if (size > buffer_size) __chk_fail();
  return interposed_getcwd(buffer, size);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
VFS_INTERPOSE(char*, getwd, (char* buffer)) {
  if (buffer == nullptr) {
    errno = EINVAL;
    return nullptr;
  }
  return interposed_getcwd(buffer, PATH_MAX);
}
#pragma GCC diagnostic pop
VFS_INTERPOSE(char*, __getwd_chk, (char* buffer, size_t buffer_size)) {
  return interposed___getcwd_chk(buffer, PATH_MAX, buffer_size);
}

VFS_INTERPOSE(char*, get_current_dir_name, ()) {
  vfs::PathBuffer path;
  if (virtual_working_directory(path)) return give_path(path, nullptr, 0);
  return VFS_NEXT(get_current_dir_name)();
}

VFS_INTERPOSE(char*, realpath, (const char* path, char* resolved)) {
  if (!shim::engaged() || !shim::is_string(path)) return VFS_NEXT(realpath)(path, resolved);
  shim::LocatedPath located;
  shim::locate(AT_FDCWD, path, vfs::Follow::yes, located, {.needs = 0});
  if (located.where == shim::Where::untouched || located.where == shim::Where::outside) {
    return VFS_NEXT(realpath)(shim::pass_on(located, AT_FDCWD, path).path, resolved);
  }
  long error = located.error;
  if (error == 0 && !located.found.exists()) error = -ENOENT;
  vfs::PathBuffer absolute;
  if (error == 0 && !workspace.live_path(located.found.path, absolute)) error = -ENAMETOOLONG;
  if (error != 0) {
    errno = static_cast<int>(-error);
    return nullptr;
  }
  return give_path(absolute, resolved, resolved != nullptr ? size_t{PATH_MAX} : 0);
}
VFS_INTERPOSE(char*, __realpath_chk, (const char* path, char* resolved, size_t resolved_size)) {
  if (resolved_size < PATH_MAX) __chk_fail();
  return interposed_realpath(path, resolved);
}
VFS_INTERPOSE(char*, canonicalize_file_name, (const char* path)) {
  return interposed_realpath(path, nullptr);
}
