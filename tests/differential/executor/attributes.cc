// Changing what is known of a file: mode, owner, times, size.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "call.h"
#include "result.h"

namespace differential {
namespace {

const std::vector<Flag> at_flags = {{"NOFOLLOW", AT_SYMLINK_NOFOLLOW}, {"EMPTY", AT_EMPTY_PATH}};

// chmod AT PATH MODE FLAGS
std::string change_mode(Call& call) {
  const At at = call.at();
  const auto mode = static_cast<mode_t>(call.number(8));
  const auto flags = static_cast<int>(call.flags(at_flags));
  errno = 0;
  return outcome(at.plain ? chmod(at.path.c_str(), mode)
                          : fchmodat(at.fd, at.path.c_str(), mode, flags));
}

std::string change_mode_open(Call& call) {
  const int fd = call.descriptor();
  const auto mode = static_cast<mode_t>(call.number(8));
  errno = 0;
  return outcome(fchmod(fd, mode));
}

// chown AT PATH USER GROUP FLAGS; lchown where plain and NOFOLLOW.
std::string change_owner(Call& call) {
  const At at = call.at();
  const auto user = static_cast<uid_t>(call.number());
  const auto group = static_cast<gid_t>(call.number());
  const auto flags = static_cast<int>(call.flags(at_flags));
  const char* path = at.path.c_str();
  errno = 0;
  if (!at.plain) return outcome(fchownat(at.fd, path, user, group, flags));
  const bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
  return outcome(follow ? chown(path, user, group) : lchown(path, user, group));
}

std::string change_owner_open(Call& call) {
  const int fd = call.descriptor();
  const auto user = static_cast<uid_t>(call.number());
  const auto group = static_cast<gid_t>(call.number());
  errno = 0;
  return outcome(fchown(fd, user, group));
}

// now, omit, or SECONDS.NANOSECONDS with nine digits
timespec moment(const std::string& text) {
  if (text == "now") return {0, UTIME_NOW};
  if (text == "omit") return {0, UTIME_OMIT};
  char* end = nullptr;
  const time_t seconds = std::strtol(text.c_str(), &end, 10);
  return {seconds, *end == '.' ? std::strtol(end + 1, nullptr, 10) : 0};
}

// utimens AT PATH ACCESSED MODIFIED FLAGS
std::string change_times(Call& call) {
  const At at = call.at();
  const timespec times[2] = {moment(call.word()), moment(call.word())};
  const auto flags = static_cast<int>(call.flags(at_flags));
  errno = 0;
  return outcome(utimensat(at.fd, at.path.c_str(), times, flags));
}

std::string change_times_open(Call& call) {
  const int fd = call.descriptor();
  const timespec times[2] = {moment(call.word()), moment(call.word())};
  errno = 0;
  return outcome(futimens(fd, times));
}

// truncate PATH SIZE. Tells the inode, for the sake of descriptors that read it.
std::string cut(Call& call) {
  const std::string path = call.path();
  const off_t size = call.number();
  errno = 0;
  const int result = truncate(path.c_str(), size);
  std::string text = outcome(result);
  struct stat status;
  if (result == 0 && stat(path.c_str(), &status) == 0) text += ' ' + described(status);
  return text;
}

}  // namespace

void add_attribute_operations(Operations& all) {
  all["chmod"] = change_mode;
  all["fchmod"] = change_mode_open;
  all["chown"] = change_owner;
  all["fchown"] = change_owner_open;
  all["utimens"] = change_times;
  all["futimens"] = change_times_open;
  all["truncate"] = cut;
}

}  // namespace differential
