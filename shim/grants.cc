#include "shim/grants.h"

#include <string.h>

#include "shim/aliases.h"
#include "vfs/core/grants.h"
#include "vfs/core/sys.h"

namespace shim {

VFS_HOT std::atomic<Fencing> fencing{Fencing::none};

namespace {

namespace sys = vfs::sys;
using vfs::Rights;

// Only touched by who is behind a fence.
constinit Zeroed<vfs::Grants> storage;
vfs::Grants& grants = storage.value;
constexpr size_t kTextSize = 64 * 1024;
char grants_text[kTextSize];
char fencing_text[PATH_MAX + 16];
constexpr char kRecord[] = "record:";

// Links there lead to other granted directories of the system (/bin, /lib): the path
// as it is written says enough. Those of /proc and /dev lead anywhere.
bool is_steady(const char* path) {
  return is_surely_outside(path) && strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/dev/", 5) != 0 &&
         strstr(path, "/.") == nullptr && strstr(path, "//") == nullptr;
}

// As the kernel would name what `path` leads to; of a name that is to be made, its
// directory's and the name. False: nothing is there, or it has no path.
bool name_canonically(const char* path, vfs::Follow follow, vfs::PathBuffer& out) {
  const int kept = follow == vfs::Follow::yes || follow == vfs::Follow::create ? 0 : O_NOFOLLOW;
  int fd = sys::open(path, O_PATH | O_CLOEXEC | kept, 0);
  if (fd >= 0) {
    const bool named = vfs::name_of_descriptor(fd, out);
    sys::close(fd);
    return named && out.text[0] == '/';
  }
  vfs::PathBuffer directory;
  if (!directory.assign(path)) return false;
  while (directory.length > 1 && directory.text[directory.length - 1] == '/') directory.truncate(directory.length - 1);
  const char* slash = strrchr(directory.text, '/');
  const char* name = path + (slash - directory.text) + 1;
  directory.truncate(slash == directory.text ? 1 : static_cast<uint32_t>(slash - directory.text));
  fd = sys::open(directory.text, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool named = vfs::name_of_descriptor(fd, out);
  sys::close(fd);
  return named && (out.length == 1 || out.append_character('/')) && out.append(name);
}

// Of a path outside, as the kernel takes it.
bool make_absolute(int dirfd, const char* path, vfs::PathBuffer& out) {
  if (path[0] == '/') return out.assign(path);
  if (dirfd != AT_FDCWD) {
    if (!vfs::name_of_descriptor(dirfd, out) || out.text[0] != '/') return false;
  } else {
    const long length = sys::getcwd(out.text, sizeof(out.text));
    if (length <= 0 || out.text[0] != '/') return false;
    out.truncate(static_cast<uint32_t>(length - 1));
  }
  return out.append_character('/') && out.append(path);
}

bool exists(const char* path) {
  struct stat status;
  return sys::lstat(path, &status) == 0;
}

// To be looked at is what everything has that is granted, or leads to it.
bool is_granted(const char* path, uint32_t length, Rights needs) {
  const Rights rights = grants.rights_of(path, length);
  if (needs != 0) return (rights & needs) == needs;
  if (rights != 0) return true;
  const vfs::KeptPath above = {path, length};
  for (const vfs::Grant& grant : grants) {
    if (vfs::contains(above, grant.path.text, grant.path.length)) return true;
  }
  return false;
}

// One line: what was needed, and where. Duplicates are the reader's concern.
void note_down(const char* path, Rights needs) {
  vfs::PathBuffer line;
  line.append_number(needs);
  line.append_character(' ');
  if (!line.append(path) || !line.append_character('\0')) return;
  const int fd = sys::open(fencing_text + sizeof(kRecord) - 1, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
  if (fd < 0) return;
  sys::write(fd, line.text, line.length);
  sys::close(fd);
}

// Something that is to be made is its directory's to allow.
void note_need(const char* path, Rights needs) {
  vfs::PathBuffer directory;
  if ((needs & vfs::kMayWrite) == 0 || exists(path) || !directory.assign(path)) return note_down(path, needs);
  const char* slash = strrchr(directory.text, '/');
  directory.truncate(slash == directory.text ? 1 : static_cast<uint32_t>(slash - directory.text));
  note_down(directory.text, needs);
}

void refuse(const char* path, Rights needs, LocatedPath& located) {
  if (fencing.load(std::memory_order_relaxed) == Fencing::records) return note_need(path, needs);
  located.where = Where::failed;
  located.error = -EACCES;
  log("grant", path, "not granted", -EACCES);
}

// What may be done everywhere in the tree, which nearly always is all: then no path has to be
// put together. (Bit 7: it is known.)
Rights rights_in_tree() {
  static std::atomic<Rights> known{0};
  Rights rights = known.load(std::memory_order_relaxed);
  if (rights == 0) {
    rights = grants.rights_of(workspace.root.text, workspace.root.length) | kNeedsNothing;
    known.store(rights, std::memory_order_relaxed);
  }
  return rights;
}

void check_inside(Rights needs, LocatedPath& located) {
  vfs::PathBuffer path;
  const Rights everywhere = rights_in_tree();
  const bool enough = (everywhere & needs) == needs && (everywhere & vfs::kAllRights) != 0;
  if (enough || fencing.load(std::memory_order_relaxed) == Fencing::records ||
      !workspace.live_path(located.found.path, path)) {
    return;
  }
  if (!is_granted(path.text, path.length, needs)) refuse(path.text, needs, located);
}

// An unreadable or unknown text grants nothing.
void keep_grants(const char* text) {
  const size_t length = text != nullptr ? strlen(text) : 0;
  if (length >= kTextSize) return;
  memcpy(grants_text, text != nullptr ? text : "", length + 1);
  grants.parse(grants_text, length);
}

}  // namespace

void take_grants(const char* text, const char* only) {
  if (only == nullptr || *only == '\0' || strcmp(only, "0") == 0) return;
  keep_grants(text);
  const size_t length = strlen(only);
  const bool records = strncmp(only, kRecord, sizeof(kRecord) - 1) == 0 && length < sizeof(fencing_text);
  memcpy(fencing_text, records ? only : "1", records ? length + 1 : 2);
  fencing.store(records ? Fencing::records : Fencing::refuses, std::memory_order_relaxed);
}

const char* grants_to_hand_on() { return is_fenced() ? grants_text : nullptr; }
const char* fencing_to_hand_on() { return is_fenced() ? fencing_text : nullptr; }

void check_grants(int dirfd, const char* path, vfs::Follow follow, Looking looking,
                  LocatedPath& located) {
  const Rights needs = looking.needs;
  if (located.where == Where::failed || needs == kNeedsNothing) return;
  if (located.where == Where::inside) return check_inside(needs, located);
  if (path[0] == '\0') return;  // a descriptor that the process has
  vfs::PathBuffer absolute;
  if (located.where == Where::outside) {
    absolute.assign(located.found.path);
  } else if (!make_absolute(dirfd, path, absolute)) {
    return;  // too long, or nowhere: the kernel's to say
  }
  if (is_steady(absolute.text) && is_granted(absolute.text, absolute.length, needs)) return;
  vfs::PathBuffer name;
  if (!name_canonically(absolute.text, follow, name) || is_granted(name.text, name.length, needs)) return;
  // Only what changes something matters where there is nothing.
  if ((needs & vfs::kMayWrite) == 0 && !exists(name.text)) return;
  refuse(name.text, needs, located);
}

}  // namespace shim
