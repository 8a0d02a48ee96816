// Looking: metadata, permission, listings, the whole tree.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "call.h"
#include "result.h"

namespace differential {
namespace {

const std::vector<Flag> at_flags = {{"NOFOLLOW", AT_SYMLINK_NOFOLLOW},
                                    {"EMPTY", AT_EMPTY_PATH},
                                    {"EACCESS", AT_EACCESS},
                                    {"NOAUTOMOUNT", AT_NO_AUTOMOUNT}};

std::string told(const Call& call, int result, const At& at, int flags, const struct stat& status) {
  const std::string text = outcome(result);
  if (result != 0) return text;
  if (at.path.empty()) {
    hold(call.worker, at.fd);
  } else {
    hold(call.worker, at.fd, at.path, (flags & AT_SYMLINK_NOFOLLOW) == 0);
  }
  return text + ' ' + described(status);
}

// stat AT PATH FLAGS; stat or lstat where plain.
std::string status_of(Call& call) {
  const At at = call.at();
  const auto flags = static_cast<int>(call.flags(at_flags));
  struct stat status {};
  errno = 0;
  const int result = !at.plain ? fstatat(at.fd, at.path.c_str(), &status, flags)
                     : (flags & AT_SYMLINK_NOFOLLOW) != 0 ? lstat(at.path.c_str(), &status)
                                                          : stat(at.path.c_str(), &status);
  return told(call, result, at, flags, status);
}

// statx AT PATH FLAGS
std::string status_extended(Call& call) {
  const At at = call.at();
  const auto flags = static_cast<int>(call.flags(at_flags));
  struct statx found {};
  errno = 0;
  const int result = statx(at.fd, at.path.c_str(), flags, STATX_BASIC_STATS, &found);
  struct stat status {};
  status.st_mode = found.stx_mode;
  status.st_nlink = found.stx_nlink;
  status.st_uid = found.stx_uid;
  status.st_gid = found.stx_gid;
  status.st_size = static_cast<off_t>(found.stx_size);
  status.st_mtim = {found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec};
  status.st_ino = found.stx_ino;
  status.st_dev = makedev(found.stx_dev_major, found.stx_dev_minor);
  return told(call, result, at, flags, status);
}

std::string status_of_open(Call& call) {
  At at;
  at.fd = call.descriptor();
  struct stat status {};
  errno = 0;
  const int result = fstat(at.fd, &status);
  return told(call, result, at, 0, status);
}

// access AT PATH MODE FLAGS
std::string access_of(Call& call) {
  const At at = call.at();
  const auto mode = static_cast<int>(call.number());
  const auto flags = static_cast<int>(call.flags(at_flags));
  errno = 0;
  return outcome(at.plain ? access(at.path.c_str(), mode)
                          : faccessat(at.fd, at.path.c_str(), mode, flags));
}

// Reads a stream to its end and closes it. Inode numbers of entries are what stat would say.
std::string entries(const Call& call, DIR* stream) {
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    hold(call.worker, dirfd(stream), name, false);
    // Of what lies above the root nothing is promised.
    const std::string number = name == ".." ? "" : " i" + std::to_string(entry->d_ino);
    names.push_back(name + ':' + std::to_string(entry->d_type) + number);
  }
  const std::string ended = outcome(errno == 0 ? 0 : -1);
  rewinddir(stream);  // offsets in directories are opaque; a copy of the descriptor shares them
  closedir(stream);
  std::sort(names.begin(), names.end());
  std::string text = ended;
  for (const std::string& name : names) text += " ; " + name;
  return text;
}

// list AT PATH
std::string list(Call& call) {
  const At at = call.at();
  errno = 0;
  if (at.plain) {
    DIR* stream = opendir(at.path.c_str());
    return stream == nullptr ? outcome(-1) : entries(call, stream);
  }
  const int fd = openat(at.fd, at.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return outcome(-1);
  DIR* stream = fdopendir(fd);
  return stream == nullptr ? "fdopendir " + outcome(-1) : entries(call, stream);
}

// listfd SLOT: a copy of the descriptor, from the beginning.
std::string list_open(Call& call) {
  const int fd = dup(call.descriptor());
  if (fd < 0) return outcome(-1);
  errno = 0;
  DIR* stream = fdopendir(fd);
  if (stream == nullptr) {
    const std::string text = outcome(-1);
    close(fd);
    return text;
  }
  rewinddir(stream);
  return entries(call, stream);
}

std::string content_of(const std::string& path) {
  errno = 0;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return outcome(-1);
  std::string content;
  char buffer[65536];
  ssize_t count;
  while ((count = read(fd, buffer, sizeof(buffer))) > 0) {
    content.append(buffer, static_cast<size_t>(count));
  }
  close(fd);
  return runs(content);
}

void walk_from(const Call& call, const std::string& path, std::string& text) {
  struct stat status {};
  errno = 0;
  const int result = lstat(path.c_str(), &status);
  hold(call.worker, AT_FDCWD, path, false);
  text += " ; " + shown_path(call.worker, path) + ' ';
  text += result == 0 ? described(status) : outcome(-1);
  if (result != 0) return;
  if (S_ISREG(status.st_mode)) text += ' ' + content_of(path);
  if (S_ISLNK(status.st_mode)) {
    char target[PATH_MAX];
    const ssize_t count = readlink(path.c_str(), target, sizeof(target));
    const auto length = static_cast<size_t>(count < 0 ? 0 : count);
    text += " -> " + shown_path(call.worker, std::string(target, length));
  }
  if (!S_ISDIR(status.st_mode)) return;
  errno = 0;
  DIR* stream = opendir(path.c_str());
  if (stream == nullptr) {
    text += ' ' + outcome(-1);
    return;
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream)) names.emplace_back(entry->d_name);
  closedir(stream);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (name != "." && name != "..") walk_from(call, path + '/' + name, text);
  }
}

std::string walk(Call& call) {
  std::string text = "0";
  walk_from(call, call.worker.root, text);
  return text;
}

}  // namespace

void add_look_operations(Operations& all) {
  all["stat"] = status_of;
  all["statx"] = status_extended;
  all["fstat"] = status_of_open;
  all["access"] = access_of;
  all["list"] = list;
  all["listfd"] = list_open;
  all["walk"] = walk;
}

}  // namespace differential
