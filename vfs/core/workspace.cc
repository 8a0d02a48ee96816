#include "vfs/core/workspace.h"

#include <sys/mman.h>

#include "vfs/core/descriptor_name.h"
#include "vfs/core/record.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

constexpr char kMarkerHeading[] = "vfs workspace 1\nstate ";
constexpr char kWorkspaces[] = "/workspaces/";

bool starts_with(const char* text, uint32_t length, const KeptPath& prefix) {
  return length >= prefix.length && memcmp(text, prefix.text, prefix.length) == 0 &&
         (length == prefix.length || text[prefix.length] == '/');
}

int read_marker(const char* directory, char* buffer, size_t size, size_t& length) {
  PathBuffer path;
  if (!path.assign(directory) || !path.append_character('/') || !path.append(kMarkerName)) {
    return -ENAMETOOLONG;
  }
  // A FIFO of that name must not stop who only passes by.
  const int fd = sys::open(path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return fd;
  const long count = sys::read(fd, buffer, size);
  sys::close(fd);
  if (count < 0) return static_cast<int>(count);
  length = static_cast<size_t>(count);
  return 0;
}

// The marker's second line is the path of the state directory.
bool parse_marker(const char* text, size_t length, Workspace& workspace) {
  constexpr size_t kHeading = sizeof(kMarkerHeading) - 1;
  if (length <= kHeading || memcmp(text, kMarkerHeading, kHeading) != 0) return false;
  const char* start = text + kHeading;
  const void* end = memchr(start, '\n', length - kHeading);
  if (end == nullptr || *start != '/') return false;
  return workspace.memory.keep(workspace.state, start,
                               static_cast<size_t>(static_cast<const char*>(end) - start));
}

#ifdef VFS_PATHS_WITHOUT_LINKS
// The store may have been put elsewhere, with a link in its place: what is reached through none
// needs the kernel's name for it.
int resolve_state(Workspace& workspace) {
  const int fd = sys::open_in_store(workspace.state.text, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fd;
  PathBuffer name;
  const bool known = name_of_descriptor(fd, name) &&
                     workspace.memory.keep(workspace.state, name.text, name.length);
  sys::close(fd);
  return known ? 0 : -EUCLEAN;
}
#endif

// "<store>/workspaces/<id>" -> "<store>"
bool find_store(Workspace& workspace) {
  const KeptPath& state = workspace.state;
  const uint32_t name = static_cast<uint32_t>(state.name() - state.text);
  constexpr uint32_t kLength = sizeof(kWorkspaces) - 1;
  if (name <= kLength || memcmp(state.text + name - kLength, kWorkspaces, kLength) != 0) {
    return false;
  }
  return workspace.memory.keep(workspace.store, state.text, name - kLength);
}

}  // namespace

bool name_of_descriptor(int fd, PathBuffer& out) {
  const DescriptorName name(fd);
  const long length = sys::readlink(name.text, out.text, sizeof(out.text) - 1);
  if (length <= 0 || out.text[0] != '/') return false;
  out.truncate(static_cast<uint32_t>(length));
  return true;
}

int Workspace::map_control() {
  PathBuffer path;
  if (!path.assign(state) || !path.append("/control")) return -ENAMETOOLONG;
  const int fd = sys::open(path.text, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return fd;
  struct stat status;
  int result = sys::fstat(fd, &status);
  if (result == 0 && status.st_size != static_cast<off_t>(sizeof(Control))) result = -EUCLEAN;
  if (result == 0) {
    void* mapped = sys::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (sys::is_error(mapped)) {
      result = static_cast<int>(sys::as_argument(mapped));
    } else {
      control = static_cast<Control*>(mapped);
      device = status.st_dev;
      owner = status.st_uid;
    }
  }
  sys::close(fd);
  if (result != 0) return result;
  const BaseKind kind = control->base_kind.load(std::memory_order_relaxed);
  if (memcmp(control->magic, kControlMagic, sizeof(kControlMagic)) != 0 ||
      control->version != kControlVersion ||
      (kind != BaseKind::live && kind != BaseKind::snapshot)) {
    return -EUCLEAN;
  }
  return 0;
}

int Workspace::open_state(WorkspaceFault& fault) {
  fault = WorkspaceFault::bad_marker;
  if (!find_store(*this)) return -EUCLEAN;
  if (!memory.keep(upper, state.text, state.length, "/upper")) return -ENAMETOOLONG;
  fault = WorkspaceFault::no_state;
  int result = map_control();
  if (result != 0) {
    if (result == -EUCLEAN) fault = WorkspaceFault::bad_control;
    control = nullptr;
    return result;
  }
  generation_ = control->generation.load(std::memory_order_acquire);
  if (has_snapshot_base()) {
    fault = WorkspaceFault::bad_index;
    result = open_index(index_);
    if (result != 0) return result;
  }
  fault = WorkspaceFault::none;
  return 0;
}

// The kernel's name for the directory: in /proc, which is slow to look into.
int Workspace::find_root(const char* directory, bool canonical) {
  if (canonical) return memory.keep(root, directory, strlen(directory)) ? 0 : -ENAMETOOLONG;
  const int fd = sys::open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fd;
  PathBuffer name;
  const bool found = name_of_descriptor(fd, name) && memory.keep(root, name.text, name.length);
  sys::close(fd);
  return found ? 0 : -EUCLEAN;
}

int Workspace::open(const char* directory, WorkspaceFault& fault, bool canonical) {
  root = state = upper = store = KeptPath();
  fault = WorkspaceFault::no_marker;
  char marker[PATH_MAX + 64];
  size_t length = 0;
  int result = read_marker(directory, marker, sizeof(marker), length);
  if (result == 0) result = find_root(directory, canonical);
  if (result != 0) return result;
  fault = WorkspaceFault::bad_marker;
  if (!parse_marker(marker, length, *this)) return -EUCLEAN;
#ifdef VFS_PATHS_WITHOUT_LINKS
  result = resolve_state(*this);
  if (result != 0) return result;
#endif
  return open_state(fault);
}

int Workspace::open_index(Index& index) const {
  PathBuffer path;
  PathBuffer mains;
  if (!path.assign(state) || !path.append("/base") || !mains.assign(store) ||
      !mains.append("/indexes")) {
    return -ENAMETOOLONG;
  }
  return index.open(path.text, mains.text);
}

int Workspace::index(Index& out) {
  const uint64_t now = control->generation.load(std::memory_order_acquire);
  int result = 0;
  if (now != generation_.load(std::memory_order_relaxed)) {
    Index fresh;
    result = open_index(fresh);
    if (result == 0) {
      // Two threads may both come here; each maps the same file and either
      // mapping is right. The older one stays mapped: entries are in use.
      index_ = fresh;
      generation_.store(now, std::memory_order_release);
    }
  }
  // The base may have been a live one until now, and its first index be no good.
  out = index_.is_open() ? index_ : Index::nothing();
  const bool may_pass = result == -EMFILE || result == -ENFILE || result == -ENOMEM;
  return result == 0 || may_pass ? result : -EIO;
}

bool Workspace::upper_path(const PathBuffer& path, PathBuffer& out) const {
  return out.assign(upper) &&
         (path.length == 0 || (out.append_character('/') && out.append(path.text, path.length)));
}

bool Workspace::live_path(const PathBuffer& path, PathBuffer& out) const {
  return out.assign(root) &&
         (path.length == 0 || (out.append_character('/') && out.append(path.text, path.length)));
}

bool Workspace::object_path(const Digest& digest, PathBuffer& out) const {
  char below[kObjectPathLength];
  object_path_below_store(digest, below);
  return out.assign(store) && out.append_character('/') && out.append(below, sizeof(below));
}

bool Workspace::temporary_path(PathBuffer& out) const {
  // Unique without a counter shared by all processes: the thread, and the
  // address and time-stamp of this call within it.
  static std::atomic<uint32_t> counter;
  const uint64_t parts[2] = {static_cast<uint64_t>(sys::gettid()),
                             counter.fetch_add(1, std::memory_order_relaxed)};
  struct timespec now;
  sys::call(SYS_clock_gettime, CLOCK_MONOTONIC, sys::as_argument(&now));
  char name[3 * 17];
  unsigned length = 0;
  for (uint64_t part : {parts[0], parts[1], static_cast<uint64_t>(now.tv_nsec)}) {
    do {
      name[length++] = "0123456789abcdef"[part & 15];
      part >>= 4;
    } while (part != 0);
    name[length++] = '.';
  }
  return out.assign(state) && out.append("/work/") && out.append(name, length - 1);
}

bool Workspace::to_virtual(const char* real, uint32_t length, PathBuffer& out) const {
  uint32_t skip;
  if (starts_with(real, length, root)) {
    skip = root.length;
  } else if (starts_with(real, length, upper)) {
    skip = upper.length;
  } else {
    constexpr char kRun[] = "/run";
    constexpr uint32_t kRunLength = sizeof(kRun) - 1;
    if (!starts_with(real, length, state) || length < state.length + kRunLength ||
        memcmp(real + state.length, kRun, kRunLength) != 0 ||
        (length > state.length + kRunLength && real[state.length + kRunLength] != '/')) {
      return false;
    }
    skip = state.length + kRunLength;
  }
  if (skip < length) ++skip;  // the slash
  return out.assign(real + skip, length - skip);
}

const char* describe(WorkspaceFault fault) {
  switch (fault) {
    case WorkspaceFault::none: return "nothing";
    case WorkspaceFault::no_marker: return "there is no marker file .vfs";
    case WorkspaceFault::bad_marker: return "the marker file .vfs is damaged";
    case WorkspaceFault::no_state: return "the marker file .vfs points to a state that cannot be opened";
    case WorkspaceFault::bad_control: return "the control file is damaged or of another version";
    case WorkspaceFault::bad_index: return "the index of the base is missing, damaged or of another version";
  }
  return "unknown";
}

bool find_workspace(const char* directory, PathBuffer& root) {
  PathBuffer path;
  if (!root.assign(directory)) return false;
  while (root.length > 0) {
    struct stat status;
    if (path.assign(root) && path.append_character('/') && path.append(kMarkerName) &&
        sys::lstat(path.text, &status) == 0 && S_ISREG(status.st_mode)) {
      return true;
    }
    // "<store>/workspaces/<id>/upper": the root is where the state's link says.
    constexpr char kUpper[] = "/upper";
    constexpr uint32_t kLength = sizeof(kUpper) - 1;
    if (root.length > kLength && strcmp(root.text + root.length - kLength, kUpper) == 0 &&
        path.assign(root.text, root.length - kLength) && path.append("/root")) {
      PathBuffer target;
      const long length = sys::readlink(path.text, target.text, sizeof(target.text) - 1);
      if (length > 0 && target.text[0] == '/') {
        target.truncate(static_cast<uint32_t>(length));
        return root.assign(target);
      }
    }
    // "/a" has the root directory above it, which pop() would call "".
    const bool at_top = root.name() == root.text + 1 || root.length == 1;
    if (at_top) return false;
    root.pop();
  }
  return false;
}

}  // namespace vfs
