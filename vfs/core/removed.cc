#include "vfs/core/removed.h"

#include "vfs/core/descriptor_name.h"
#include "vfs/core/identity.h"
#include "vfs/core/notes.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

constexpr char kGroup[] = "removed";
constexpr char kNumberAttribute[] = "user.vfs.number";

uint64_t removed_file_key(uint64_t inode) {
  return mix_hash(inode ^ 0x9e6c63d0876a9a47ull, 0xe995695f7d4d2fadull);
}

// The order of a note's numbers.
enum Field : unsigned { generation_, mode, uid, gid, size, atime, atime_ns, mtime, mtime_ns, fields };

struct Number {
  uint64_t draft;  // the directory's own: a copy of the attribute is void
  uint64_t inode;
  uint64_t device;
};

}  // namespace

void note_removed(Workspace& workspace, const Lookup& found) {
  if (found.source == Source::live) announce_base_inode(workspace, found.status);
  const bool changed = found.source == Source::record || found.kept;
  PathBuffer group;
  if (!changed || !found.is_regular() || found.status.st_nlink > 1 ||
      !note_group(workspace, kGroup, group)) {
    return;
  }
  const struct stat& status = found.status;
  uint64_t numbers[fields];
  numbers[generation_] = workspace.control->generation.load(std::memory_order_acquire);
  numbers[mode] = status.st_mode;
  numbers[uid] = status.st_uid;
  numbers[gid] = status.st_gid;
  numbers[size] = static_cast<uint64_t>(status.st_size);
  numbers[atime] = static_cast<uint64_t>(status.st_atim.tv_sec);
  numbers[atime_ns] = static_cast<uint64_t>(status.st_atim.tv_nsec);
  numbers[mtime] = static_cast<uint64_t>(status.st_mtim.tv_sec);
  numbers[mtime_ns] = static_cast<uint64_t>(status.st_mtim.tv_nsec);
  PathBuffer text;
  for (const uint64_t number : numbers) append_key(text, number);
  const uint64_t key = removed_file_key(status.st_ino);
  write_note(workspace, group, key, text);
  workspace.control->filter.announce(key);
}

void recall_removed(const Workspace& workspace, uint64_t generation, struct stat& status) {
  const uint64_t key = removed_file_key(status.st_ino);
  PathBuffer group;
  PathBuffer text;
  uint64_t numbers[fields];
  if (!workspace.control->filter.may_have_changed(key) || !note_group(workspace, kGroup, group) ||
      !read_note(group, key, text)) {
    return;
  }
  const char* cursor = text.text;
  for (uint64_t& number : numbers) {
    if (!read_key(cursor, number)) return;
  }
  if (numbers[generation_] != generation) return;
  status.st_mode = static_cast<mode_t>(numbers[mode]);
  status.st_uid = static_cast<uid_t>(numbers[uid]);
  status.st_gid = static_cast<gid_t>(numbers[gid]);
  status.st_size = static_cast<off_t>(numbers[size]);
  status.st_atim = {static_cast<time_t>(numbers[atime]), static_cast<long>(numbers[atime_ns])};
  status.st_mtim = {static_cast<time_t>(numbers[mtime]), static_cast<long>(numbers[mtime_ns])};
}

void note_removed_directory(Workspace& workspace, const Lookup& found, const char* directory) {
  struct stat own;
  if (!found.merged || sys::lstat(directory, &own) != 0 || own.st_dev != workspace.device) return;
  const Number number = {own.st_ino, found.status.st_ino, found.status.st_dev};
  sys::lsetxattr(directory, kNumberAttribute, &number, sizeof(number));
}

void recall_removed_directory(int fd, struct stat& status) {
  Number number = {};
  const long got = sys::call(SYS_getxattr, sys::as_argument(DescriptorName(fd).text),
                             sys::as_argument(kNumberAttribute), sys::as_argument(&number),
                             sizeof(number));
  if (got != sizeof(number) || number.draft != status.st_ino) return;
  status.st_ino = number.inode;
  status.st_dev = number.device;
}

}  // namespace vfs
