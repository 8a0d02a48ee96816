#include "result.h"

#include <fcntl.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

namespace differential {
namespace {

constexpr int first_held = 400;
constexpr size_t most_runs = 12;

char type_letter(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return '-';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFIFO:
      return 'p';
    default:
      return '?';
  }
}

// Takes over a descriptor opened with O_PATH: it pins the inode and nothing else.
void keep(int fd) {
  static std::set<std::pair<dev_t, ino_t>> held;
  struct stat status;
  if (fd < 0) return;
  if (fstat(fd, &status) == 0 && held.emplace(status.st_dev, status.st_ino).second) {
    fcntl(fd, F_DUPFD, first_held);
  }
  close(fd);
}

}  // namespace

std::string outcome(long result) {
  const int error = errno;
  if (result < 0) return strerrorname_np(error) != nullptr ? strerrorname_np(error) : "E0";
  std::string text = std::to_string(result);
  if (error != 0) text += std::string(" errno=") + strerrorname_np(error);
  return text;
}

std::string runs(std::string_view bytes) {
  std::string text;
  size_t count = 0;
  for (size_t i = 0; i < bytes.size();) {
    size_t end = i;
    while (end < bytes.size() && bytes[end] == bytes[i]) ++end;
    if (++count > most_runs) {
      text += ",+" + std::to_string(std::hash<std::string_view>()(bytes.substr(i)));
      break;
    }
    if (!text.empty()) text += ',';
    text += bytes[i] == '\0'                                     ? '0'
            : std::isgraph(static_cast<unsigned char>(bytes[i])) ? bytes[i]
                                                                 : '_';
    text += '*' + std::to_string(end - i);
    i = end;
  }
  return text.empty() ? "nothing" : text;
}

std::string described(const struct stat& status, dev_t device_of_root) {
  char text[200];
  const bool directory = S_ISDIR(status.st_mode);
  std::snprintf(text, sizeof(text), "%c%04o n%lu u%u g%u s%ld m%ld.%09ld i%lu%s",
                type_letter(status.st_mode), static_cast<unsigned>(status.st_mode) & 07777u,
                static_cast<unsigned long>(status.st_nlink), status.st_uid, status.st_gid,
                directory ? 0 : static_cast<long>(status.st_size),
                static_cast<long>(status.st_mtim.tv_sec), status.st_mtim.tv_nsec,
                static_cast<unsigned long>(status.st_ino),
                status.st_dev == device_of_root ? "" : " other-device");
  return text;
}

std::string described(const struct stat& status) {
  // Asked for once: the tree lies on one device, whatever happens in it.
  static const dev_t device = [] {
    // "." asks for the right to search it, and a removed directory has no other name.
    struct stat root;
    const std::unique_ptr<char, decltype(&std::free)> path(getcwd(nullptr, 0), &std::free);
    return stat(path != nullptr ? path.get() : ".", &root) == 0 ? root.st_dev : 0;
  }();
  return described(status, device);
}

std::string shown_path(const Worker& worker, std::string path) {
  const size_t at = path.find(worker.root);
  return at == std::string::npos ? path : path.replace(at, worker.root.size(), "@");
}

void hold(const Worker& worker, int at, const std::string& path, bool follow) {
  if (!worker.hold) return;
  const int error = errno;
  keep(openat(at, path.c_str(), O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)));
  errno = error;
}

void hold(const Worker& worker, int fd) {
  hold(worker, AT_FDCWD, "/proc/self/fd/" + std::to_string(fd), true);
}

}  // namespace differential
