// Opening: descriptors and streams.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "call.h"
#include "result.h"

namespace differential {
namespace {

const std::vector<Flag> open_flags = {
    {"RDONLY", O_RDONLY}, {"WRONLY", O_WRONLY},       {"RDWR", O_RDWR},
    {"CREAT", O_CREAT},   {"EXCL", O_EXCL},           {"TRUNC", O_TRUNC},
    {"APPEND", O_APPEND}, {"DIRECTORY", O_DIRECTORY}, {"NOFOLLOW", O_NOFOLLOW},
    {"PATH", O_PATH},     {"TMPFILE", O_TMPFILE},     {"CLOEXEC", O_CLOEXEC},
};

// open AT PATH FLAGS MODE SLOT. Never waits for the other end of a fifo.
std::string open_file(Call& call) {
  const At at = call.at();
  const int flags = static_cast<int>(call.flags(open_flags)) | O_NONBLOCK;
  const auto mode = static_cast<mode_t>(call.number(8));
  const size_t slot = call.slot();
  call.empty_slot(slot);
  errno = 0;
  const int fd =
      at.plain ? open(at.path.c_str(), flags, mode) : openat(at.fd, at.path.c_str(), flags, mode);
  std::string text = outcome(fd);
  if (fd < 0) return text;
  call.fill_slot(slot, fd);
  hold(call.worker, fd);
  struct stat status;
  if (fstat(fd, &status) != 0) return text + " fstat " + outcome(-1);
  return text + ' ' + described(status);
}

bool is_fifo(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

// fputs PATH MODE DATA
std::string put_string(Call& call) {
  const std::string path = call.path();
  const std::string mode = call.word();
  const std::string data = call.data();
  if (is_fifo(path)) return "skipped: would wait";
  errno = 0;
  FILE* stream = fopen(path.c_str(), mode.c_str());
  if (stream == nullptr) return outcome(-1);
  struct stat status {};
  fstat(fileno(stream), &status);
  hold(call.worker, fileno(stream));
  errno = 0;
  const int put = fputs(data.c_str(), stream) < 0 ? -1 : 0;
  std::string text = outcome(put);
  errno = 0;
  text += " close " + outcome(fclose(stream) == 0 ? 0 : -1);
  return text + ' ' + described(status);
}

// cat PATH: all of it, through a stream.
std::string read_stream(Call& call) {
  const std::string path = call.path();
  if (is_fifo(path)) return "skipped: would wait";
  errno = 0;
  FILE* stream = fopen(path.c_str(), "r");
  if (stream == nullptr) return outcome(-1);
  std::string content;
  char buffer[4096];
  size_t count;
  errno = 0;
  while ((count = fread(buffer, 1, sizeof(buffer), stream)) > 0) content.append(buffer, count);
  const std::string ended = ferror(stream) != 0 ? outcome(-1) : "0";
  fclose(stream);
  return ended + ' ' + runs(content);
}

}  // namespace

void add_open_operations(Operations& all) {
  all["open"] = open_file;
  all["fputs"] = put_string;
  all["cat"] = read_stream;
}

}  // namespace differential
