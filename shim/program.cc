#include "shim/program.h"

#include <unistd.h>

#include "shim/startable.h"
#include "vfs/core/open.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

bool has_prefix(const char* text, const char* prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

// The first bytes, padded with zeros. A file that cannot be read (mode 0111)
// is the kernel's to judge.
void read_head(int dirfd, const char* path, char (&head)[kHeadSize]) {
  memset(head, 0, sizeof(head));
  const int fd = sys::openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return;
  sys::read(fd, head, sizeof(head));
  sys::close(fd);
}

// The name that the kernel gives a program started by execveat; scripts get it
// as their own name.
bool name_program(const ProgramName& program, vfs::PathBuffer& name) {
  if (program.dirfd == AT_FDCWD || program.path[0] == '/') return name.assign(program.path);
  if (!name.assign("/dev/fd/") || !name.append_number(static_cast<unsigned>(program.dirfd))) return false;
  return program.path[0] == '\0' ||
         (name.append_character('/') && name.append(program.path));
}

// An interpreter could not open a script that is named through a descriptor
// which exec closes: the kernel says so before it starts one.
bool vanishes_on_exec(const ProgramName& program) {
  return program.dirfd != AT_FDCWD && program.path[0] != '/' &&
         (sys::fcntl(program.dirfd, F_GETFD) & FD_CLOEXEC) != 0;
}

int check_startable(const vfs::Lookup& found, const char* real) {
  if (found.is_sealed()) return vfs::check_access(found.status, X_OK, true);
  // The kernel knows access control lists; a kernel before 5.8 lacks the call.
  const int result = sys::faccessat(real, X_OK, AT_EACCESS);
  return result == -ENOSYS ? vfs::check_access(found.status, X_OK, true) : result;
}

// Whether the kernel comes to the file that was found by the name itself: so
// with most of a live base. Then it is better left to it: a script started by
// the kernel keeps its own name in the process list.
bool is_reached_by(const ProgramName& program, const vfs::Lookup& found) {
  struct stat status;
  return found.source == vfs::Source::live &&
         sys::fstatat(program.dirfd, program.path, &status, 0) == 0 &&
         status.st_ino == found.status.st_ino && status.st_dev == found.status.st_dev;
}

int take_found(ProgramFile& file, const vfs::Lookup& found) {
  if (!found.exists()) return -ENOENT;
  if (found.is_link()) return -ELOOP;
  if (found.must_be_directory && !found.is_directory()) return -ENOTDIR;
  if (!found.is_regular()) return -EACCES;
  const int result = vfs::real_path(workspace, found, file.real);
  if (result != 0) return result;
  file.in_tree = true;
  file.sealed = found.is_sealed();
  file.path.assign(found.path);
  const int startable = check_startable(found, file.real.text);
  return startable == -ENOENT ? -ESTALE : startable;
}

}  // namespace

bool is_of_the_system(const char* path) {
  return has_prefix(path, "/usr/bin/") || has_prefix(path, "/bin/") ||
         has_prefix(path, "/usr/lib/") || has_prefix(path, "/usr/libexec/") ||
         has_prefix(path, "/usr/sbin/") || has_prefix(path, "/sbin/");
}

// fexecve: the descriptor is the file, whatever has become of its name. Only a
// sealed one is started by name, for the object's own name says nothing.
int Program::locate_descriptor_file(ProgramFile& file, int fd) {
  Located located;
  vfs::Lookup found;
  file.plain = true;
  locate_descriptor(fd, located);
  if (located.place == Place::elsewhere || !located.path_known ||
      vfs::look_up_canonical(workspace, located.path, found) != 0 || !found.is_regular()) {
    return 0;
  }
  file.in_tree = true;
  file.path.assign(located.path);
  if (located.place != Place::sealed || !found.is_sealed()) return 0;
  file.plain = false;
  return take_found(file, found);
}

int Program::locate_file(ProgramFile& file, const ProgramName& program, vfs::Follow follow) {
  if (!name_program(program, file.name)) return -ENAMETOOLONG;
  file.real.assign(file.name);
  if (program.path[0] == '\0') {
    if ((program.flags & AT_EMPTY_PATH) == 0 || program.dirfd < 0) return -ENOENT;
    return locate_descriptor_file(file, program.dirfd);
  }
  LocatedPath located;
  locate(program.dirfd, program.path, follow, located, {.needs = vfs::kMayExecute});
  switch (located.where) {
    case Where::failed: return static_cast<int>(located.error);
    case Where::untouched: file.plain = true; return 0;
    case Where::outside: return file.real.assign(located.found.path) ? 0 : -ENAMETOOLONG;
    case Where::inside: break;
  }
  const int result = take_found(file, located.found);
  file.plain = result == 0 && is_reached_by(program, located.found);
  return result;
}

int Program::resolve(const ProgramName& program, bool always_look) {
  ProgramName now = program;
  const bool no_follow = (program.flags & AT_SYMLINK_NOFOLLOW) != 0;
  for (last_ = 0;; ++last_) {
    if (last_ > kMostScripts) return -ELOOP;
    ProgramFile& file = files_[last_];
    const bool first = last_ == 0;
    const int result = locate_file(
        file, now, first && no_follow ? vfs::Follow::no : vfs::Follow::yes);
    if (result != 0) return result;
    if (!always_look && file.plain && !file.in_tree && is_of_the_system(file.name.text)) break;
    if (file.plain && !file.in_tree && first) {
      read_head(program.dirfd, program.path[0] != '\0' ? program.path : file.name.text, file.head);
    } else {
      read_head(AT_FDCWD, file.real.text, file.head);
    }
    ScriptLine line;
    if (!parse_script_line(file.head, line)) break;
    if (vanishes_on_exec(now)) return -ENOENT;
    file.argument = line.argument;
    now = {AT_FDCWD, line.interpreter, 0};
  }
  choose_start();
  return 0;
}

// From the last file that only we can get to: it is started if it is a program;
// if it is a script its interpreter is, and the kernel does what is left.
void Program::choose_start() {
  started_ = 0;
  for (unsigned i = 0; i <= last_; ++i) {
    if (!files_[i].plain) started_ = i < last_ ? i + 1 : i;
  }
  ProgramFile& file = files_[started_];
  if (file.sealed && !file.plain) name_for_start(file.path, file.real);
}

const char* Program::process_name() const {
  const ProgramFile& first = files_[0];
  const char* path = path_to_start();
  if (path == nullptr || strncmp(first.name.text, "/dev/fd/", 8) == 0) return nullptr;
  const char* slash = strrchr(path, '/');
  const char* given = slash != nullptr ? slash + 1 : path;
  return strcmp(given, first.name.name()) != 0 ? first.name.name() : nullptr;
}

const char* Program::path_to_start() const {
  const ProgramFile& file = files_[started_];
  if (!file.plain) return file.real.text;
  return started_ == 0 ? nullptr : file.name.text;
}

size_t Program::count(char* const* strings) {
  size_t total = 0;
  if (strings != nullptr) {
    while (strings[total] != nullptr) ++total;
  }
  return total;
}

void Program::write_arguments(char* const* argv, char** out) const {
  for (unsigned i = started_; i > 0; --i) {
    *out++ = const_cast<char*>(files_[i].name.text);
    if (files_[i - 1].argument != nullptr) *out++ = const_cast<char*>(files_[i - 1].argument);
  }
  if (started_ > 0) {
    *out++ = const_cast<char*>(files_[0].name.text);
    if (count(argv) > 0) ++argv;
  }
  for (size_t i = 0, total = count(argv); i < total; ++i) *out++ = argv[i];
  *out = nullptr;
}

}  // namespace shim
