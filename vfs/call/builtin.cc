#include "vfs/call/builtin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

namespace vfs::call {
namespace {

std::string_view name_in(std::string_view prototype) {
  const size_t end = prototype.find('(');
  const size_t start = prototype.find_last_of(" *", end) + 1;
  return prototype.substr(start, end - start);
}

std::vector<BuiltinFunction> make_functions() {
  std::vector<BuiltinFunction> all;
  std::string_view header;
#define VFS_HEADER(name) header = name;
#define VFS_FUNCTION(prototype) all.push_back({name_in(prototype), prototype, header});
#include "vfs/call/builtin_functions.def"
#undef VFS_HEADER
#undef VFS_FUNCTION
  return all;
}

std::vector<BuiltinConstant> make_constants() {
  std::vector<BuiltinConstant> all;
// Before it is expanded, a macro's name is its own text.
#define VFS_CONSTANT(name) all.push_back({#name, static_cast<int64_t>(name)});
#include "vfs/call/builtin_constants.def"
#undef VFS_CONSTANT
  return all;
}

}  // namespace

const std::vector<BuiltinFunction>& builtin_functions() {
  static const std::vector<BuiltinFunction> all = make_functions();
  return all;
}

const std::vector<BuiltinConstant>& builtin_constants() {
  static const std::vector<BuiltinConstant> all = make_constants();
  return all;
}

}  // namespace vfs::call
