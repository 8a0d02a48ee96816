// starved FREE [CALL ARGUMENT...]... -- [CALL ARGUMENT...]...: makes calls, those behind the dashes
// with only FREE free descriptors left, and prints what each answers, and whether it kept one. A
// library that looks around at the first call may have to do so with what is left. FREE may be "-"
// where there are no dashes.
//
// Calls: wait (for a line on standard input), look PATH, read PATH, append PATH, update PATH (its
// first byte), empty PATH (O_TRUNC), create PATH, list PATH, remove PATH, clear PATH (rmdir), make PATH
// (mkdir), mode PATH, cut PATH (truncate), times PATH, rename A B, link A B, symbolic A B.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace {

constexpr int kLimit = 16;

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < kLimit; ++fd) count += fcntl(fd, F_GETFD) != -1;
  return count;
}

void starve(int free) {
  const struct rlimit limit = {kLimit, kLimit};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) abort();
  while (fcntl(0, F_DUPFD_CLOEXEC, 3) >= 0) {
  }
  for (int fd = kLimit - free; fd < kLimit; ++fd) close(fd);
}

std::string text_of(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

template <typename Use>
std::string with_file(const char* path, int flags, Use use) {
  const int fd = open(path, flags | O_CLOEXEC, 0644);
  if (fd < 0) return strerrorname_np(errno);
  const std::string text = use(fd);
  close(fd);
  return text;
}

std::string look(char** words) {
  struct stat status;
  if (lstat(words[0], &status) != 0) return strerrorname_np(errno);
  return "size " + std::to_string(S_ISDIR(status.st_mode) ? 0 : status.st_size) + " links " +
         std::to_string(S_ISDIR(status.st_mode) ? 0 : status.st_nlink);
}

std::string read_some(char** words) {
  return with_file(words[0], O_RDONLY, [](int fd) {
    char text[16];
    const ssize_t count = read(fd, text, sizeof(text));
    if (count < 0) return std::string(strerrorname_np(errno));
    return std::string(text, std::find(text, text + count, '\n'));
  });
}

std::string list(char** words) {
  DIR* const stream = opendir(words[0]);
  if (stream == nullptr) return strerrorname_np(errno);
  int count = 0;
  while (readdir(stream) != nullptr) ++count;
  closedir(stream);
  return std::to_string(count);
}

std::string put(char** words, int flags) {
  return with_file(words[0], flags, [](int fd) { return text_of(write(fd, "X", 1)); });
}

std::string only_open(char** words, int flags) {
  return with_file(words[0], flags, [](int) { return std::string("ok"); });
}

std::string wait_for_line(char**) {
  char letter;
  while (read(0, &letter, 1) == 1 && letter != '\n') {
  }
  return "ok";
}

struct Row {
  const char* name;
  int arguments;
  std::string (*make)(char** words);
};

const Row kRows[] = {
    {"wait", 0, wait_for_line},
    {"look", 1, look},
    {"read", 1, read_some},
    {"list", 1, list},
    {"append", 1, [](char** words) { return put(words, O_WRONLY | O_APPEND); }},
    {"update", 1, [](char** words) { return put(words, O_RDWR); }},
    {"empty", 1, [](char** words) { return only_open(words, O_WRONLY | O_TRUNC); }},
    {"create", 1, [](char** words) { return only_open(words, O_WRONLY | O_CREAT | O_EXCL); }},
    {"remove", 1, [](char** words) { return text_of(unlink(words[0])); }},
    {"clear", 1, [](char** words) { return text_of(rmdir(words[0])); }},
    {"make", 1, [](char** words) { return text_of(mkdir(words[0], 0755)); }},
    {"mode", 1, [](char** words) { return text_of(chmod(words[0], 0700)); }},
    {"cut", 1, [](char** words) { return text_of(truncate(words[0], 2)); }},
    {"times", 1, [](char** words) { return text_of(utimensat(AT_FDCWD, words[0], nullptr, 0)); }},
    {"rename", 2, [](char** words) { return text_of(rename(words[0], words[1])); }},
    {"link", 2, [](char** words) { return text_of(link(words[0], words[1])); }},
    {"symbolic", 2, [](char** words) { return text_of(symlink(words[0], words[1])); }},
};

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 125;
  for (char** at = words + 2; *at != nullptr;) {
    if (strcmp(*at, "--") == 0) {
      starve(atoi(words[1]));
      ++at;
      continue;
    }
    const Row* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                        [&](const Row& known) { return strcmp(known.name, *at) == 0; });
    if (row == std::end(kRows) || at + row->arguments >= words + count) return 125;
    const int before = open_descriptors();
    const std::string result = row->make(at + 1);
    const bool kept = open_descriptors() != before;
    printf("%s %s%s\n", *at, result.c_str(), kept ? ", and kept a descriptor" : "");
    fflush(stdout);
    at += 1 + row->arguments;
  }
}
