// What is done to an open descriptor. Each result tells the descriptor's number: `f3`.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "call.h"
#include "result.h"

namespace differential {
namespace {

std::string numbered(int fd) {
  return " f" + std::to_string(fd);
}

// Where a directory's entries end its position is any number the file system likes, and
// beyond the largest the kernel refuses to read at all before it sees that it is a directory.
void forget_position(int fd, ssize_t count) {
  const int error = errno;
  struct stat status;
  const bool directory = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
  errno = count < 0 && error == EINVAL && directory ? EISDIR : error;
}

// read SLOT COUNT, pread SLOT COUNT OFFSET, readv SLOT COUNT
std::string read_bytes(Call& call, const char* how) {
  const int fd = call.descriptor();
  std::string buffer(static_cast<size_t>(call.number()), '\0');
  const size_t half = buffer.size() / 2;
  const iovec parts[2] = {{buffer.data(), half}, {buffer.data() + half, buffer.size() - half}};
  const off_t offset = call.number();
  errno = 0;
  const ssize_t count = *how == 'v'   ? readv(fd, parts, 2)
                        : *how == 'p' ? pread(fd, buffer.data(), buffer.size(), offset)
                                      : read(fd, buffer.data(), buffer.size());
  forget_position(fd, count);
  std::string text = outcome(count) + numbered(fd);
  if (count >= 0)
    text += ' ' + runs(std::string_view(buffer).substr(0, static_cast<size_t>(count)));
  return text;
}

// write SLOT DATA, pwrite SLOT DATA OFFSET, writev SLOT DATA
std::string write_bytes(Call& call, const char* how) {
  const int fd = call.descriptor();
  std::string data = call.data();
  const size_t half = data.size() / 2;
  const iovec parts[2] = {{data.data(), half}, {data.data() + half, data.size() - half}};
  const off_t offset = call.number();
  errno = 0;
  const ssize_t count = *how == 'v'   ? writev(fd, parts, 2)
                        : *how == 'p' ? pwrite(fd, data.data(), data.size(), offset)
                                      : write(fd, data.data(), data.size());
  return outcome(count) + numbered(fd);
}

std::string seek(Call& call) {
  const int fd = call.descriptor();
  const off_t offset = call.number();
  const auto whence = static_cast<int>(call.flags({{"SET", SEEK_SET},
                                                   {"CUR", SEEK_CUR},
                                                   {"END", SEEK_END},
                                                   {"DATA", SEEK_DATA},
                                                   {"HOLE", SEEK_HOLE}}));
  errno = 0;
  return outcome(lseek(fd, offset, whence)) + numbered(fd);
}

std::string cut(Call& call) {
  const int fd = call.descriptor();
  const off_t size = call.number();
  errno = 0;
  return outcome(ftruncate(fd, size)) + numbered(fd);
}

std::string synchronise(Call& call, bool data_only) {
  const int fd = call.descriptor();
  errno = 0;
  return outcome(data_only ? fdatasync(fd) : fsync(fd)) + numbered(fd);
}

std::string close_slot(Call& call) {
  const size_t slot = call.slot();
  const int fd = call.worker.slots[slot];
  call.worker.open[slot] = false;
  errno = 0;
  return outcome(close(fd)) + numbered(fd);
}

std::string duplicate(Call& call) {
  const int fd = call.descriptor();
  const size_t to = call.slot();
  call.empty_slot(to);
  errno = 0;
  const int copy = dup(fd);
  const std::string text = outcome(copy) + numbered(fd);
  if (copy >= 0) call.fill_slot(to, copy);
  return text;
}

// dup2 SLOT SLOT: onto the second one's number, be it open or closed.
std::string duplicate_onto(Call& call) {
  const int fd = call.descriptor();
  const size_t to = call.slot();
  const int onto = call.worker.slots[to];
  errno = 0;
  const int copy = dup2(fd, onto);
  const std::string text = outcome(copy) + numbered(fd);
  if (copy >= 0) call.worker.open[to] = true;
  return text;
}

std::string lock(Call& call) {
  const int fd = call.descriptor();
  const auto how = call.flags({{"SH", LOCK_SH}, {"EX", LOCK_EX}, {"UN", LOCK_UN}});
  errno = 0;
  return outcome(flock(fd, static_cast<int>(how) | LOCK_NB)) + numbered(fd);
}

// mmap SLOT OFFSET DATA: stores through a shared mapping. Beyond the end would be a signal.
std::string store_mapped(Call& call) {
  const int fd = call.descriptor();
  const auto offset = static_cast<size_t>(call.number());
  const std::string data = call.data();
  struct stat status;
  errno = 0;
  if (fstat(fd, &status) != 0) return outcome(-1) + numbered(fd);
  const auto size = static_cast<size_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || offset + data.size() > size || size == 0) return "skipped";
  errno = 0;
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return outcome(-1) + numbered(fd);
  std::memcpy(static_cast<char*>(memory) + offset, data.data(), data.size());
  errno = 0;
  const std::string text = outcome(msync(memory, size, MS_SYNC));
  munmap(memory, size);
  return text + numbered(fd);
}

// copyrange FROM TO COUNT, sendfile FROM TO COUNT: from where both stand.
std::string copy_between(Call& call, bool send) {
  const int from = call.descriptor();
  const int to = call.descriptor();
  const auto count = static_cast<size_t>(call.number());
  errno = 0;
  const ssize_t done = send ? sendfile(to, from, nullptr, count)
                            : copy_file_range(from, nullptr, to, nullptr, count, 0);
  return outcome(done) + numbered(from) + numbered(to);
}

}  // namespace

void add_descriptor_operations(Operations& all) {
  all["read"] = [](Call& call) { return read_bytes(call, "r"); };
  all["pread"] = [](Call& call) { return read_bytes(call, "p"); };
  all["readv"] = [](Call& call) { return read_bytes(call, "v"); };
  all["write"] = [](Call& call) { return write_bytes(call, "w"); };
  all["pwrite"] = [](Call& call) { return write_bytes(call, "p"); };
  all["writev"] = [](Call& call) { return write_bytes(call, "v"); };
  all["lseek"] = seek;
  all["ftruncate"] = cut;
  all["fsync"] = [](Call& call) { return synchronise(call, false); };
  all["fdatasync"] = [](Call& call) { return synchronise(call, true); };
  all["close"] = close_slot;
  all["dup"] = duplicate;
  all["dup2"] = duplicate_onto;
  all["flock"] = lock;
  all["mmap"] = store_mapped;
  all["copyrange"] = [](Call& call) { return copy_between(call, false); };
  all["sendfile"] = [](Call& call) { return copy_between(call, true); };
}

}  // namespace differential
