#include "calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace faults {

enum class Room { needed, not_needed };

// Looks at the arguments; null: every such call changes something.
using Condition = bool (*)(const Call& call);

// `first` and `second` are the numbers of the arguments that name files, -1 for
// none; `by_descriptor`: the first one is a descriptor.
struct Rule {
  uint64_t number;
  const char* name;
  Room room;
  int first;
  int second;
  bool by_descriptor;
  Condition condition;
};

namespace {

std::string name_in_proc(pid_t thread, const std::string& part) {
  char name[4096];
  const std::string link = "/proc/" + std::to_string(thread) + "/" + part;
  const ssize_t length = readlink(link.c_str(), name, sizeof(name));
  return length > 0 ? std::string(name, static_cast<size_t>(length)) : "?";
}

// Up to the end of a page at a time: the next one need not be mapped.
std::string text_at(pid_t thread, uint64_t address) {
  constexpr uint64_t kPage = 4096;
  std::string text;
  while (text.size() < kPage) {
    char piece[kPage];
    const size_t size = kPage - address % kPage;
    const struct iovec here = {piece, size};
    const struct iovec there = {reinterpret_cast<void*>(address), size};
    if (process_vm_readv(thread, &here, 1, &there, 1, 0) != static_cast<ssize_t>(size)) break;
    char* const end = std::find(piece, piece + size, '\0');
    text.append(piece, end);
    if (end != piece + size) break;
    address += size;
  }
  return text;
}

bool is_regular_file(pid_t thread, uint64_t descriptor) {
  struct stat status;
  const std::string path =
      "/proc/" + std::to_string(thread) + "/fd/" + std::to_string(static_cast<int>(descriptor));
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

constexpr uint64_t kChangingFlags = O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

// Where the three standard streams go is none of the command's business.
bool writes_file(const Call& call) {
  return call.arguments[0] > 2 && is_regular_file(call.thread, call.arguments[0]);
}
bool copies_to_file(const Call& call) {
  return call.arguments[2] > 2 && is_regular_file(call.thread, call.arguments[2]);
}
[[maybe_unused]] bool second_creates(const Call& call) { return (call.arguments[1] & kChangingFlags) != 0; }
bool third_creates(const Call& call) { return (call.arguments[2] & kChangingFlags) != 0; }

bool how_creates(const Call& call) {
  struct open_how how = {};
  const struct iovec here = {&how, sizeof(how)};
  const struct iovec there = {reinterpret_cast<void*>(call.arguments[2]), sizeof(how)};
  return process_vm_readv(call.thread, &here, 1, &there, 1, 0) == static_cast<ssize_t>(sizeof(how)) &&
         (how.flags & kChangingFlags) != 0;
}

bool clones(const Call& call) {
  const auto request = static_cast<unsigned>(call.arguments[1]);
  return request == static_cast<unsigned>(FICLONE) || request == static_cast<unsigned>(FICLONERANGE);
}

bool locks(const Call& call) {
  const int command = static_cast<int>(call.arguments[1]);
  return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
         command == F_OFD_SETLKW || command == F_SETLEASE;
}

bool maps_to_write(const Call& call) {
  return (call.arguments[2] & PROT_WRITE) != 0 && (call.arguments[3] & MAP_TYPE) != MAP_PRIVATE &&
         is_regular_file(call.thread, call.arguments[4]);
}

constexpr Room kNeeded = Room::needed;
constexpr Room kNot = Room::not_needed;

const Rule kRules[] = {
#ifdef SYS_open  // the calls that newer processors never had
    {SYS_open, "open", kNeeded, 0, -1, false, second_creates},
    {SYS_creat, "creat", kNeeded, 0, -1, false, nullptr},
    {SYS_mknod, "mknod", kNeeded, 0, -1, false, nullptr},
    {SYS_mkdir, "mkdir", kNeeded, 0, -1, false, nullptr},
    {SYS_rename, "rename", kNeeded, 0, 1, false, nullptr},
    {SYS_link, "link", kNeeded, 0, 1, false, nullptr},
    {SYS_symlink, "symlink", kNeeded, 0, 1, false, nullptr},
    {SYS_unlink, "unlink", kNot, 0, -1, false, nullptr},
    {SYS_rmdir, "rmdir", kNot, 0, -1, false, nullptr},
    {SYS_chmod, "chmod", kNot, 0, -1, false, nullptr},
    {SYS_chown, "chown", kNot, 0, -1, false, nullptr},
    {SYS_lchown, "lchown", kNot, 0, -1, false, nullptr},
    {SYS_utime, "utime", kNot, 0, -1, false, nullptr},
    {SYS_utimes, "utimes", kNot, 0, -1, false, nullptr},
    {SYS_futimesat, "futimesat", kNot, 1, -1, false, nullptr},
#endif
#ifdef SYS_renameat
    {SYS_renameat, "renameat", kNeeded, 1, 3, false, nullptr},
#endif
    {SYS_openat, "openat", kNeeded, 1, -1, false, third_creates},
    {SYS_openat2, "openat2", kNeeded, 1, -1, false, how_creates},
    {SYS_mknodat, "mknodat", kNeeded, 1, -1, false, nullptr},
    {SYS_mkdirat, "mkdirat", kNeeded, 1, -1, false, nullptr},
    {SYS_renameat2, "renameat2", kNeeded, 1, 3, false, nullptr},
    {SYS_linkat, "linkat", kNeeded, 1, 3, false, nullptr},
    {SYS_symlinkat, "symlinkat", kNeeded, 0, 2, false, nullptr},
    {SYS_unlinkat, "unlinkat", kNot, 1, -1, false, nullptr},
    {SYS_write, "write", kNeeded, 0, -1, true, writes_file},
    {SYS_pwrite64, "pwrite", kNeeded, 0, -1, true, writes_file},
    {SYS_writev, "writev", kNeeded, 0, -1, true, writes_file},
    {SYS_pwritev, "pwritev", kNeeded, 0, -1, true, writes_file},
    {SYS_pwritev2, "pwritev2", kNeeded, 0, -1, true, writes_file},
    {SYS_sendfile, "sendfile", kNeeded, 0, -1, true, writes_file},
    {SYS_copy_file_range, "copy_file_range", kNeeded, 2, -1, true, copies_to_file},
    {SYS_ioctl, "ioctl FICLONE", kNeeded, 0, -1, true, clones},
    {SYS_truncate, "truncate", kNeeded, 0, -1, false, nullptr},
    {SYS_ftruncate, "ftruncate", kNeeded, 0, -1, true, nullptr},
    {SYS_fallocate, "fallocate", kNeeded, 0, -1, true, nullptr},
    {SYS_fsync, "fsync", kNeeded, 0, -1, true, nullptr},
    {SYS_fdatasync, "fdatasync", kNeeded, 0, -1, true, nullptr},
    {SYS_syncfs, "syncfs", kNeeded, 0, -1, true, nullptr},
    {SYS_sync_file_range, "sync_file_range", kNeeded, 0, -1, true, nullptr},
    {SYS_fchmod, "fchmod", kNot, 0, -1, true, nullptr},
    {SYS_fchmodat, "fchmodat", kNot, 1, -1, false, nullptr},
    {SYS_fchown, "fchown", kNot, 0, -1, true, nullptr},
    {SYS_fchownat, "fchownat", kNot, 1, -1, false, nullptr},
    {SYS_utimensat, "utimensat", kNot, 1, -1, false, nullptr},
    {SYS_setxattr, "setxattr", kNeeded, 0, -1, false, nullptr},
    {SYS_lsetxattr, "lsetxattr", kNeeded, 0, -1, false, nullptr},
    {SYS_fsetxattr, "fsetxattr", kNeeded, 0, -1, true, nullptr},
    {SYS_removexattr, "removexattr", kNot, 0, -1, false, nullptr},
    {SYS_lremovexattr, "lremovexattr", kNot, 0, -1, false, nullptr},
    {SYS_fremovexattr, "fremovexattr", kNot, 0, -1, true, nullptr},
    {SYS_fcntl, "fcntl, a lock or a lease", kNot, 0, -1, true, locks},
    {SYS_flock, "flock", kNot, 0, -1, true, nullptr},
    {SYS_mmap, "mmap", kNot, 4, -1, true, maps_to_write},
};

std::string file_of(const Rule& rule, const Call& call, int argument) {
  const uint64_t value = call.arguments[argument];
  if (rule.by_descriptor) {
    return name_in_proc(call.thread, "fd/" + std::to_string(static_cast<int>(value)));
  }
  return value != 0 ? text_at(call.thread, value) : "a descriptor";
}

}  // namespace

const Rule* changing(const Call& call) {
  const auto* const rule = std::find_if(std::begin(kRules), std::end(kRules),
                                        [&](const Rule& at) { return at.number == call.number; });
  if (rule == std::end(kRules)) return nullptr;
  return rule->condition == nullptr || rule->condition(call) ? rule : nullptr;
}

bool needs_room(const Rule& rule) { return rule.room == Room::needed; }

std::string describe(const Rule& rule, const Call& call) {
  std::string text = rule.name;
  text += " " + file_of(rule, call, rule.first);
  if (rule.second >= 0) text += " -> " + file_of(rule, call, rule.second);
  return text;
}

}  // namespace faults
