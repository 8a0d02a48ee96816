// The directory that a relative path starts from: the working directory, or the
// one a descriptor holds.
#include "shim/descriptors.h"
#include "shim/slots.h"
#include "vfs/core/moved.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

// The kernel's working directory, translated. A sequence lock without
// waiting: a reader that meets a writer asks the kernel.
struct WorkingDirectory {
  std::atomic<uint32_t> sequence;
  uint64_t rename_generation;
  bool known;
  Directory directory;
};
constinit Zeroed<WorkingDirectory> working_storage;
constinit WorkingDirectory& working = working_storage.value;

// Whether the kernel's name for something of ours is its place in the live base.
bool is_live_name(const vfs::PathBuffer& name) {
  return !workspace.has_snapshot_base() &&
         memcmp(name.text, workspace.state.text, workspace.state.length) != 0;
}

void classify_name(const vfs::PathBuffer& name, Directory& directory) {
  directory.inside = workspace.to_virtual(name.text, name.length, directory.path);
  directory.live = false;
  if (!directory.inside) {
    directory.path.assign(name);
  } else if (is_live_name(name)) {
    directory.live = !vfs::follow_moves(workspace, directory.path);
  }
}

int ask_working_directory(Directory& directory) {
  vfs::PathBuffer name;
  const long length = sys::getcwd(name.text, sizeof(name.text));
  if (length < 0) return static_cast<int>(length);
  name.truncate(static_cast<uint32_t>(length - 1));
  classify_name(name, directory);
  return 0;
}

int locate_working_directory(Directory& directory) {
  if (in_vfork_child) return ask_working_directory(directory);
  const uint32_t before = working.sequence.load(std::memory_order_acquire);
  if (before % 2 == 0 && working.known && working.rename_generation == rename_generation()) {
    directory.inside = working.directory.inside;
    directory.live = working.directory.live;
    directory.path.assign(working.directory.path);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (working.sequence.load(std::memory_order_relaxed) == before) return 0;
  }
  const uint64_t generation = rename_generation();
  const int result = ask_working_directory(directory);
  uint32_t expected = before;
  if (result == 0 && before % 2 == 0 &&
      working.sequence.compare_exchange_strong(expected, before + 1)) {
    working.directory.inside = directory.inside;
    working.directory.live = directory.live;
    working.directory.path.assign(directory.path);
    working.rename_generation = generation;
    working.known = true;
    working.sequence.store(before + 2, std::memory_order_release);
  }
  return result;
}

}  // namespace

void forget_working_directory() {
  if (in_vfork_child) return;
  // Raises the sequence by two in one step: a reader that began before sees it.
  working.known = false;
  working.sequence.fetch_add(2, std::memory_order_acq_rel);
}

uint64_t working_directory_stay() {
  if (in_vfork_child) return 0;
  const uint32_t sequence = working.sequence.load(std::memory_order_acquire);
  if (sequence % 2 != 0 || !working.known || working.rename_generation != rename_generation() ||
      (working.directory.inside && !working.directory.live)) {
    return 0;
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return working.sequence.load(std::memory_order_relaxed) == sequence ? sequence + 1 : 0;
}

int locate_directory(int dirfd, Directory& directory) {
  if (dirfd == AT_FDCWD) return locate_working_directory(directory);
  if (dirfd < 0) return -EBADF;
  const Slot* slot = find_slot(dirfd);
  if (kind_of(slot) == SlotKind::directory && slot->rename_generation == rename_generation()) {
    directory.inside = true;
    directory.live = slot->live_directory;
    directory.path.assign(slot->path);
    return 0;
  }
  vfs::PathBuffer name;
  struct stat status;
  const int result = sys::fstat(dirfd, &status);
  if (result != 0) return result;
  if (!S_ISDIR(status.st_mode)) return -ENOTDIR;
  if (!vfs::name_of_descriptor(dirfd, name)) {
    directory.inside = false;
    directory.live = false;
    directory.path.truncate(0);
    return 0;
  }
  classify_name(name, directory);
  if (directory.inside) note_directory(dirfd, directory.path, directory.live);
  return 0;
}

}  // namespace shim
