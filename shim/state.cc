#include "shim/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/descriptors.h"
#include "shim/environment.h"
#include "vfs/core/sys.h"

namespace shim {

std::atomic<Activity> activity{Activity::unknown};
namespace {
constinit Zeroed<vfs::Workspace> workspace_storage;
constinit Zeroed<vfs::PathBuffer> log_path_storage;
constinit vfs::PathBuffer& log_path = log_path_storage.value;
}  // namespace
constinit vfs::Workspace& workspace = workspace_storage.value;
constinit thread_local bool in_vfork_child = false;

namespace {

bool is_set(const char* name) {
  const char* value = getenv(name);
  return value != nullptr && value[0] != '\0' && strcmp(value, "0") != 0;
}

Activity open_workspace(const char* directory, bool named) {
  vfs::WorkspaceFault fault;
  const int result = workspace.open(directory, fault);
  if (result == 0) return Activity::active;
  if (fault == vfs::WorkspaceFault::no_marker && !named) return Activity::inactive;
  if (workspace.root.length == 0) workspace.root.assign(directory);
  if (result == -EACCES) {
    // Another user than the one who made it: nothing is wrong with it.
    vfs::PathBuffer why;
    why.append("cannot reach its state as user ");
    why.append_number(vfs::sys::geteuid());
    why.append(": Permission denied");
    complain(workspace.root.text, why.text, "");
  } else {
    complain(workspace.root.text, vfs::describe(fault), " Run `vfs verify`, or");
  }
  log("start", directory, "refused", result);
  return Activity::broken;
}

Activity find_out() {
  if (is_set("VFS_DISABLE")) return Activity::inactive;
  if (const char* name = getenv("VFS_LOG"); name != nullptr) log_path.assign(name);
  const char* named = getenv("VFS_WORKSPACE");
  if (named != nullptr && named[0] != '\0') return open_workspace(named, true);
  vfs::PathBuffer here;
  vfs::PathBuffer root;
  const long length = vfs::sys::getcwd(here.text, sizeof(here.text));
  if (length <= 0 || here.text[0] != '/') return Activity::inactive;
  here.truncate(static_cast<uint32_t>(length - 1));
  if (!vfs::find_workspace(here.text, root)) return Activity::inactive;
  return open_workspace(root.text, false);
}

// Also before the first call, so that a broken workspace is reported at the
// start of a program and not in the middle.
__attribute__((constructor)) void start_early() {
  if (activity.load(std::memory_order_acquire) == Activity::unknown) start();
}

}  // namespace

Activity start() {
  Activity expected = Activity::unknown;
  if (!activity.compare_exchange_strong(expected, Activity::starting)) return expected;
  const int saved = errno;
  const Activity found = find_out();
  if (found == Activity::active) {
    adopt_environment();
    log("start", workspace.root.text, "active", 0);
  }
  errno = saved;
  activity.store(found, std::memory_order_release);
  return found;
}

void directory_changed() {
  if (activity.load(std::memory_order_acquire) != Activity::inactive || is_set("VFS_DISABLE")) {
    return;
  }
  if (in_vfork_child) return;
  activity.store(Activity::unknown, std::memory_order_release);
  start();
}

void suspend() { activity.store(Activity::inactive, std::memory_order_release); }

bool logging() { return log_path.length != 0; }

void log(const char* call, const char* path, const char* decision, long error) {
  if (!logging()) return;
  vfs::PathBuffer line;
  line.append_number(static_cast<uint64_t>(vfs::sys::call(SYS_getpid)));
  line.append_character(' ');
  line.append(call);
  line.append_character(' ');
  line.append(path);
  line.append(" -> ");
  line.append(decision);
  if (error < 0) {
    line.append(" errno ");
    line.append_number(static_cast<uint64_t>(-error));
  }
  line.append_character('\n');
  // Opened anew each time: a descriptor kept open would be in the program's way.
  const int fd =
      vfs::sys::open(log_path.text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return;
  vfs::sys::write(fd, line.text, line.length);
  vfs::sys::close(fd);
}

void complain(const char* what, const char* why, const char* advice) {
  vfs::PathBuffer line;
  line.append("vfs: ");
  line.append(what);
  line.append(": ");
  line.append(why);
  line.append("; files in this tree are refused (EIO).");
  line.append(*advice != '\0' ? advice : " To see the real files,");
  line.append(" set VFS_DISABLE=1\n");
  vfs::sys::write(2, line.text, line.length);
}

}  // namespace shim

// The command `vfs` calls this first, if it runs under the shim.
extern "C" __attribute__((visibility("default"))) void vfs_shim_suspend() { shim::suspend(); }
