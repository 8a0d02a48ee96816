// execve and its kin.
#include "shim/exec.h"

#include <alloca.h>
#include <stdarg.h>
#include <unistd.h>

#include "shim/interpose.h"
#include "shim/memory.h"
#include "shim/path_search.h"
#include "vfs/core/sys.h"

namespace {

using shim::engaged;

using Execve = int(const char* path, char* const* argv, char* const* envp);
constinit shim::Next<Execve*> next_execve("execve");

// One attempt. Returns a negative errno: on success it does not return.
int try_start(const shim::ProgramName& program, char* const* argv, char* const* envp) {
  shim::Launch launch;
  const int result = launch.prepare(program, argv, envp);
  if (result != 0) return result;
  // What is left of the flags asks for something else than a start (a newer
  // kernel's check), or is an error.
  const int rest = program.flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
  const bool by_name = program.dirfd == AT_FDCWD && program.flags == 0;
  if (launch.path() != nullptr && rest != 0) {
    VFS_NEXT(execveat)(AT_FDCWD, launch.path(), launch.arguments(), launch.environment(), rest);
  } else if (launch.path() != nullptr || by_name) {
    const char* path = launch.path() != nullptr ? launch.path() : program.path;
    shim::log("execve", program.path, path, 0);
    next_execve.get()(path, launch.arguments(), launch.environment());
  } else {
    shim::log("execveat", program.path, "outside", 0);
    VFS_NEXT(execveat)(program.dirfd, program.path, launch.arguments(), launch.environment(),
                       program.flags);
  }
  const int error = errno;
  return error == ENOENT && launch.has_left() ? -ESTALE : -error;
}

// All forms end here.
int start(const shim::ProgramName& program, char* const* argv, char* const* envp) {
  if (!shim::is_string_list(argv) || !shim::is_string_list(envp)) return -EFAULT;
  const long result = shim::retry_while_stale([&] { return try_start(program, argv, envp); });
  shim::log("execve", program.path, "failed", result);
  return static_cast<int>(result);
}

int start_by_name(const char* path, char* const* argv, char* const* envp) {
  if (!engaged() || !shim::is_string(path)) return next_execve.get()(path, argv, envp);
  return shim::answer(start({AT_FDCWD, path, 0}, argv, envp));
}

// A file without "#!" that is no program is a script of the shell.
int start_shell(const char* file, char* const* argv, char* const* envp) {
  const size_t total = shim::Program::count(argv);
  char** arguments = static_cast<char**>(alloca((total + 3) * sizeof(char*)));
  arguments[0] = const_cast<char*>("/bin/sh");
  arguments[1] = const_cast<char*>(file);
  // argv[0] goes; its NULL, or what follows it, moves up.
  for (size_t i = 1; i < total; ++i) arguments[i + 1] = argv[i];
  arguments[total > 1 ? total + 1 : 2] = nullptr;
  return start({AT_FDCWD, arguments[0], 0}, arguments, envp);
}

int start_from_search_path(const char* file, char* const* argv, char* const* envp) {
  const int result = shim::search_path(file, [&](const char* candidate) {
    const int error = start({AT_FDCWD, candidate, 0}, argv, envp);
    return error == -ENOEXEC ? start_shell(candidate, argv, envp) : error;
  });
  return shim::answer(result);
}

// The arguments of execl and its kin as an array, on the caller's stack.
#define VFS_TAKE_ARGUMENTS(first)                                                      \
  va_list list;                                                                        \
  va_start(list, first);                                                               \
  size_t total = 1;                                                                    \
  if ((first) != nullptr) {                                                            \
    while (va_arg(list, const char*) != nullptr) ++total;                              \
  }                                                                                    \
  va_end(list);                                                                        \
  char** arguments = static_cast<char**>(alloca((total + 1) * sizeof(char*)));         \
  va_start(list, first);                                                               \
  arguments[0] = const_cast<char*>(first);                                             \
  for (size_t i = 1; i <= total && (first) != nullptr; ++i) {                          \
    arguments[i] = va_arg(list, char*);                                                \
  }

}  // namespace

namespace shim {
void prepare_exec() { next_execve.get(); }
}  // namespace shim

VFS_INTERPOSE(int, execve, (const char* path, char* const* argv, char* const* envp)) {
  return start_by_name(path, argv, envp);
}
VFS_INTERPOSE(int, execv, (const char* path, char* const* argv)) {
  return start_by_name(path, argv, environ);
}
VFS_INTERPOSE(int, execvpe, (const char* file, char* const* argv, char* const* envp)) {
  if (!engaged() || !shim::is_string(file)) return VFS_NEXT(execvpe)(file, argv, envp);
  return start_from_search_path(file, argv, envp);
}
VFS_INTERPOSE(int, execvp, (const char* file, char* const* argv)) {
  if (!engaged() || !shim::is_string(file)) return VFS_NEXT(execvp)(file, argv);
  return start_from_search_path(file, argv, environ);
}

VFS_INTERPOSE(int, execl, (const char* path, const char* first, ...)) {
  VFS_TAKE_ARGUMENTS(first)
  va_end(list);
  return interposed_execv(path, arguments);
}
VFS_INTERPOSE(int, execlp, (const char* file, const char* first, ...)) {
  VFS_TAKE_ARGUMENTS(first)
  va_end(list);
  return interposed_execvp(file, arguments);
}
VFS_INTERPOSE(int, execle, (const char* path, const char* first, ...)) {
  VFS_TAKE_ARGUMENTS(first)
  // The environment comes behind the null.
  char* const* envp = va_arg(list, char* const*);
  va_end(list);
  return interposed_execve(path, arguments, envp);
}

VFS_INTERPOSE(int, execveat,
              (int dirfd, const char* path, char* const* argv, char* const* envp, int flags)) {
  if (!engaged() || !shim::is_string(path)) {
    return VFS_NEXT(execveat)(dirfd, path, argv, envp, flags);
  }
  return shim::answer(start({dirfd, path, flags}, argv, envp));
}
VFS_INTERPOSE(int, fexecve, (int fd, char* const* argv, char* const* envp)) {
  if (!engaged() || fd < 0 || argv == nullptr || envp == nullptr) {
    return VFS_NEXT(fexecve)(fd, argv, envp);
  }
  return shim::answer(start({fd, "", AT_EMPTY_PATH}, argv, envp));
}
