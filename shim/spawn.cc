// posix_spawn and its file actions; system and popen.
//
// libc starts the program by itself, in a child of its own making: everything
// is translated before. Relative paths mean the directory that this process is
// in when they are given, also behind an addchdir_np action.
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shim/exec.h"
#include "shim/interpose.h"
#include "shim/open.h"
#include "shim/path_search.h"
#include "shim/startable.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

namespace {

using shim::engaged;

// A path to which libc's own open or chdir, later and in the child, answers
// with this error: that is where it would have come up. Null: there is none.
const char* path_with_error(long error) {
  switch (-error) {
    case ENOENT: return "";
    case ENOTDIR: return "/dev/null/";
    case EEXIST: return "/dev/null";  // O_CREAT | O_EXCL
    case EISDIR: return "/";          // O_CREAT, or for writing
    default: return nullptr;
  }
}

// Whether exec of a path outside would get as far as loading it.
int check_outside(const char* path) {
  struct stat status;
  const int found = vfs::sys::fstatat(AT_FDCWD, path, &status, 0);
  if (found != 0) return found;
  if (!S_ISREG(status.st_mode)) return -EACCES;
  const int allowed = vfs::sys::faccessat(path, X_OK, AT_EACCESS);
  return allowed == -ENOSYS ? vfs::check_access(status, X_OK, true) : allowed;
}

// What a program is started with, by libc in the end.
struct Start {
  const char* path;
  const posix_spawn_file_actions_t* actions;
  const posix_spawnattr_t* attributes;
  char* const* argv;
  char* const* envp;
  // Say without trying whether the program is there at all; a walk through PATH
  // would cost a child for each directory otherwise.
  bool check;
};

// -ESTALE: look up again.
int try_spawn(pid_t* pid, const Start& start) {
  shim::Launch launch;
  int result = launch.prepare({AT_FDCWD, start.path, 0}, start.argv, start.envp,
                              start.actions != nullptr ? shim::HandOn::all : shim::HandOn::inherited);
  if (result == 0 && start.check && launch.path() == nullptr) result = check_outside(start.path);
  if (result != 0) return result;
  const char* real = launch.path() != nullptr ? launch.path() : start.path;
  result = -VFS_NEXT(posix_spawn)(pid, real, start.actions, start.attributes, launch.arguments(),
                                  launch.environment());
  shim::log("posix_spawn", start.path, real, result);
  return result == -ENOENT && launch.has_left() ? -ESTALE : result;
}

int spawn(pid_t* pid, const Start& start) {
  if (!shim::is_string_list(start.argv) || !shim::is_string_list(start.envp)) return -EFAULT;
  const long result = shim::retry_while_stale([&] { return try_spawn(pid, start); });
  if (result != 0) shim::log("posix_spawn", start.path, "failed", result);
  return static_cast<int>(result);
}

// Makes a path ready for libc's own open. A sealed file is opened by a name
// that tells the child which path it is.
int prepare_named(const vfs::Lookup& found, int flags, vfs::PathBuffer& real) {
  const int result = vfs::prepare_open(shim::workspace, found, flags, real);
  vfs::PathBuffer object;
  if (result == 0 && found.is_sealed() && found.is_regular() &&
      shim::workspace.object_path(found.digest, object) && strcmp(real.text, object.text) == 0) {
    shim::name_for_start(found.path, real);
  }
  return result;
}

// The real path for a file action. Positive errno, as the functions return it,
// for what no path can stand for.
template <typename Prepare>
int translate(const char* path, vfs::Follow follow, vfs::Rights needs, vfs::PathBuffer& real,
              const char*& passed, Prepare prepare) {
  passed = path;
  if (!engaged() || !shim::is_string(path)) return 0;
  shim::LocatedPath located;
  const long result = shim::retry_while_stale([&]() -> long {
    shim::locate(AT_FDCWD, path, follow, located, {.needs = needs});
    switch (located.where) {
      case shim::Where::untouched: return 0;
      case shim::Where::outside: passed = located.found.path.text; break;
      case shim::Where::failed: return located.error;
      case shim::Where::inside:
        passed = real.text;
        return prepare(located.found);
    }
    real.assign(passed);
    passed = real.text;
    return 0;
  });
  if (result == 0) return 0;
  passed = path_with_error(result);
  return passed != nullptr ? 0 : static_cast<int>(-result);
}

}  // namespace

VFS_INTERPOSE(int, posix_spawn,
              (pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
               const posix_spawnattr_t* attributes, char* const* argv, char* const* envp)) {
  if (!engaged() || !shim::is_string(path)) {
    return VFS_NEXT(posix_spawn)(pid, path, actions, attributes, argv, envp);
  }
  return -spawn(pid, {path, actions, attributes, argv, envp, false});
}

VFS_INTERPOSE(int, posix_spawnp,
              (pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
               const posix_spawnattr_t* attributes, char* const* argv, char* const* envp)) {
  if (!engaged() || !shim::is_string(file)) {
    return VFS_NEXT(posix_spawnp)(pid, file, actions, attributes, argv, envp);
  }
  return -shim::search_path(file, [&](const char* candidate) {
    return spawn(pid, {candidate, actions, attributes, argv, envp, true});
  });
}

VFS_INTERPOSE(int, posix_spawn_file_actions_addopen,
              (posix_spawn_file_actions_t* actions, int fd, const char* path, int flags,
               mode_t mode)) {
  vfs::PathBuffer real;
  const char* passed;
  const int error = translate(path, shim::follow_for_open(path, flags), shim::needs_to_open(flags), real, passed,
                              [&](const vfs::Lookup& found) {
                                return prepare_named(found, flags, real);
                              });
  if (error != 0) return error;
  return VFS_NEXT(posix_spawn_file_actions_addopen)(actions, fd, passed, flags, mode);
}

VFS_INTERPOSE(int, posix_spawn_file_actions_addchdir_np,
              (posix_spawn_file_actions_t* actions, const char* path)) {
  vfs::PathBuffer real;
  const char* passed;
  const int error = translate(path, vfs::Follow::yes, 0, real, passed,
                              [&](const vfs::Lookup& found) {
                                return vfs::real_path(shim::workspace, found, real);
                              });
  if (error != 0) return error;
  return VFS_NEXT(posix_spawn_file_actions_addchdir_np)(actions, passed);
}

// libc gives the shell this process's own environment, so that has to be right.
VFS_INTERPOSE(int, system, (const char* command)) {
  if (!engaged() || command == nullptr) return VFS_NEXT(system)(command);
  const shim::OwnEnvironment environment;
  return VFS_NEXT(system)(command);
}
VFS_INTERPOSE(FILE*, popen, (const char* command, const char* mode)) {
  if (!engaged()) return VFS_NEXT(popen)(command, mode);
  const shim::OwnEnvironment environment;
  return VFS_NEXT(popen)(command, mode);
}
