#include "shim/state.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "shim/aliases.h"
#include "shim/descriptors.h"
#include "shim/environment.h"
#include "shim/grants.h"
#include "vfs/core/sys.h"

namespace shim {

VFS_HOT std::atomic<Activity> activity{Activity::unknown};
VFS_HOT constinit vfs::KeptPath log_path;
std::atomic<int> starvation{-EIO};
namespace {
constinit Zeroed<vfs::Workspace> workspace_storage;
}  // namespace
constinit vfs::Workspace& workspace = workspace_storage.value;
constinit thread_local bool in_vfork_child = false;
constinit thread_local bool vfork_child_copied = false;

namespace {

// What passes when others let go of something.
bool is_want(int result) { return result == -EMFILE || result == -ENFILE || result == -ENOMEM; }

// As if nothing had been opened. Nobody else has used any of it yet.
Activity starve(int result, uint32_t memory_before) {
  if (workspace.control != nullptr) vfs::sys::munmap(workspace.control, sizeof(vfs::Control));
  workspace.control = nullptr;
  workspace.memory.used = memory_before;
  starvation.store(result, std::memory_order_relaxed);
  return Activity::starved;
}

// `here`: the working directory, or empty. Where it lies below, the path of a
// directory has nothing in it that the kernel would write otherwise.
Activity open_workspace(const char* directory, const vfs::PathBuffer& here, bool named) {
  vfs::WorkspaceFault fault;
  const size_t length = strlen(directory);
  const bool canonical = length != 0 && length <= here.length &&
                         memcmp(directory, here.text, length) == 0 &&
                         (here.text[length] == '/' || here.text[length] == '\0');
  const uint32_t memory_before = workspace.memory.used;
  const int result = workspace.open(directory, fault, canonical);
  if (is_want(result)) return starve(result, memory_before);
  // A marker that is there and cannot be read is no reason to let anything pass.
  const bool is_gone = result == -ENOENT || result == -ENOTDIR;
  if (is_gone && fault == vfs::WorkspaceFault::no_marker && !named) return Activity::inactive;
  if (workspace.root.length == 0) workspace.memory.keep(workspace.root, directory, strlen(directory));
  note_root();
  if (result == 0) return Activity::active;
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

// What the environment says of us when the program starts. It may change its
// own environment before we are needed, and that is meant for its children.
struct Given {
  bool taken;
  bool disabled;
  bool at_once;  // there is more in it than can be told here
  vfs::KeptPath workspace;
};
VFS_HOT constinit Given given = {};

void keep(vfs::KeptPath& kept, const char* text) {
  if (text != nullptr) workspace.memory.keep(kept, text, strlen(text));
}

void take_environment() {
  if (given.taken) return;
  given.taken = true;
  const Variables variables = read_variables(environ);
  given.disabled = variables.disabled;
  keep(given.workspace, variables.workspace);
  keep(log_path, variables.log);
  take_grants(variables.grants, variables.only);
  given.at_once = variables.has_leftovers || variables.library_path != nullptr ||
                  variables.log != nullptr;
}

Activity find_out() {
  take_environment();
  if (given.disabled) return Activity::inactive;
  vfs::PathBuffer here;
  const long length = vfs::sys::getcwd(here.text, sizeof(here.text));
  here.truncate(length > 0 && here.text[0] == '/' ? static_cast<uint32_t>(length - 1) : 0);
  if (given.workspace.length != 0) return open_workspace(given.workspace.text, here, true);
  vfs::PathBuffer root;
  if (here.length == 0 || !vfs::find_workspace(here.text, root)) return Activity::inactive;
  return open_workspace(root.text, here, false);
}

// Who is at it, as own_id(); 0 if nobody is. Taken before anything is changed and given
// up behind it: a child that is forked meanwhile finds a process that is not its own.
VFS_HOT std::atomic<uint64_t> starter;

uint32_t process_of(uint64_t id) { return static_cast<uint32_t>(id >> 32); }
uint64_t own_id() {
  const auto process = static_cast<uint64_t>(vfs::sys::call(SYS_getpid));
  return process << 32 | static_cast<uint32_t>(vfs::sys::gettid());
}

// While we are at it: a handler's calls would wait for us forever.
class NoSignals {
 public:
  NoSignals() {
    const uint64_t all = ~uint64_t{0};
    vfs::sys::call(SYS_rt_sigprocmask, SIG_SETMASK, vfs::sys::as_argument(&all),
                   vfs::sys::as_argument(&saved_), sizeof(all));
  }
  ~NoSignals() {
    vfs::sys::call(SYS_rt_sigprocmask, SIG_SETMASK, vfs::sys::as_argument(&saved_), 0, sizeof(saved_));
  }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  uint64_t saved_ = 0;
};

Activity begin() {
  const int saved = errno;
  activity.store(Activity::starting, std::memory_order_relaxed);
  const Activity found = find_out();
  if (found == Activity::active) {
    adopt_environment();
    log("start", workspace.root.text, "active", 0);
  }
  errno = saved;
  activity.store(found, std::memory_order_release);
  return found;
}

// What one process start leaves for the next program has to be gone before the
// program looks; a trace begins with the start.
__attribute__((constructor)) void prepare() {
  take_environment();
  if (given.at_once) start();
}

}  // namespace

Activity start() {
  const NoSignals quiet;
  const uint64_t self = own_id();
  for (bool waited = false;; waited = true) {
    uint64_t owner = starter.load(std::memory_order_acquire);
    if (owner == self) return Activity::starting;  // our own calls pass through
    const Activity now = activity.load(std::memory_order_acquire);
    if (owner == 0 && (now > Activity::starting || (waited && now == Activity::starved))) return now;
    // Forked while another thread was at it: nobody is any more.
    const bool left = owner != 0 && process_of(owner) != process_of(self) && !in_vfork_child;
    if ((owner == 0 || left) && starter.compare_exchange_strong(owner, self)) {
      const Activity meanwhile = activity.load(std::memory_order_acquire);
      const Activity found = meanwhile > Activity::starting ? meanwhile : begin();
      starter.store(0, std::memory_order_release);
      return found;
    }
    vfs::sys::call(SYS_sched_yield);
  }
}

void directory_changed() {
  if (activity.load(std::memory_order_acquire) != Activity::inactive || given.disabled) return;
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
