// Making, removing and moving names.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>

#include "call.h"
#include "result.h"

namespace differential {
namespace {

// mkdir AT PATH MODE, mkfifo AT PATH MODE
std::string make_node(Call& call, bool directory) {
  const At at = call.at();
  const auto mode = static_cast<mode_t>(call.number(8));
  const char* path = at.path.c_str();
  errno = 0;
  if (directory) return outcome(at.plain ? mkdir(path, mode) : mkdirat(at.fd, path, mode));
  return outcome(at.plain ? mkfifo(path, mode) : mkfifoat(at.fd, path, mode));
}

std::string remove_directory(Call& call) {
  const std::string path = call.path();
  errno = 0;
  return outcome(rmdir(path.c_str()));
}

// unlink AT PATH FLAGS; REMOVEDIR counts only with a descriptor.
std::string unlink_name(Call& call) {
  const At at = call.at();
  const auto flags = static_cast<int>(call.flags({{"REMOVEDIR", AT_REMOVEDIR}}));
  errno = 0;
  return outcome(at.plain ? unlink(at.path.c_str()) : unlinkat(at.fd, at.path.c_str(), flags));
}

std::string remove_any(Call& call) {
  const std::string path = call.path();
  errno = 0;
  const int result = remove(path.c_str());
  if (result == 0) errno = 0;  // which of unlink and rmdir glibc tries first is not ours to compare
  return outcome(result);
}

// rename AT PATH AT PATH FLAGS: rename if both are plain and there are no flags.
std::string rename_name(Call& call) {
  const At from = call.at();
  const At to = call.at();
  const auto flags = static_cast<unsigned>(
      call.flags({{"NOREPLACE", RENAME_NOREPLACE}, {"EXCHANGE", RENAME_EXCHANGE}}));
  errno = 0;
  if (flags != 0) {
    return outcome(renameat2(from.fd, from.path.c_str(), to.fd, to.path.c_str(), flags));
  }
  return outcome(from.plain && to.plain
                     ? rename(from.path.c_str(), to.path.c_str())
                     : renameat(from.fd, from.path.c_str(), to.fd, to.path.c_str()));
}

// link AT PATH AT PATH FLAGS
std::string link_name(Call& call) {
  const At from = call.at();
  const At to = call.at();
  const auto flags =
      static_cast<int>(call.flags({{"FOLLOW", AT_SYMLINK_FOLLOW}, {"EMPTY", AT_EMPTY_PATH}}));
  errno = 0;
  return outcome(from.plain && to.plain && flags == 0
                     ? link(from.path.c_str(), to.path.c_str())
                     : linkat(from.fd, from.path.c_str(), to.fd, to.path.c_str(), flags));
}

// symlink TARGET AT PATH
std::string symlink_name(Call& call) {
  const std::string target = call.path();
  const At at = call.at();
  errno = 0;
  return outcome(at.plain ? symlink(target.c_str(), at.path.c_str())
                          : symlinkat(target.c_str(), at.fd, at.path.c_str()));
}

// readlink AT PATH SIZE
std::string read_link(Call& call) {
  const At at = call.at();
  char buffer[PATH_MAX];
  const auto size = static_cast<size_t>(call.number());
  errno = 0;
  const ssize_t count = at.plain ? readlink(at.path.c_str(), buffer, size)
                                 : readlinkat(at.fd, at.path.c_str(), buffer, size);
  std::string text = outcome(count);
  if (count > 0) {
    text += ' ' + shown_path(call.worker, std::string(buffer, static_cast<size_t>(count)));
  }
  return text;
}

}  // namespace

void add_name_operations(Operations& all) {
  all["mkdir"] = [](Call& call) { return make_node(call, true); };
  all["mkfifo"] = [](Call& call) { return make_node(call, false); };
  all["rmdir"] = remove_directory;
  all["unlink"] = unlink_name;
  all["remove"] = remove_any;
  all["rename"] = rename_name;
  all["link"] = link_name;
  all["symlink"] = symlink_name;
  all["readlink"] = read_link;
}

}  // namespace differential
