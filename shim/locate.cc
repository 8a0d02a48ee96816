#include "shim/locate.h"

#include "shim/aliases.h"
#include "shim/grants.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

[[gnu::noinline]] void refuse_if_below_broken_root(const char* path, LocatedPath& located) {
  vfs::PathBuffer rest;
  vfs::PathBuffer here;
  const char* absolute = path;
  if (path[0] != '/') {
    const long length = vfs::sys::getcwd(here.text, sizeof(here.text));
    if (length <= 0) return;
    here.truncate(static_cast<uint32_t>(length - 1));
    if (!here.append_character('/') || !here.append(path)) return;
    absolute = here.text;
  }
  if (enter_root(absolute, rest)) {
    located.where = Where::failed;
    located.error = -EIO;
  }
}

// enter() for a path that lies outside by its text, most likely. A call that may
// change something asks each time; of one that reads see recent_paths.h.
bool leads_in(const char* path, vfs::Follow follow, const Looking& looking, vfs::PathBuffer& rest,
              uint32_t canonical = 0) {
  if (is_surely_outside(path)) return false;
  if (!looking.reads) {
    if (enter(path, follow, rest, canonical)) return true;
    outside_may_change();
    return false;
  }
  RecentPath recent;
  if (is_steadily_outside(path)) recent = RecentPath(AT_FDCWD, path, follow, vfs::Unseen::never);
  if (recent.is_passed()) return false;
  if (enter(path, follow, rest, canonical)) return true;
  recent.remember();
  return false;
}

// One look-up. False: the path leaves the tree, for the absolute one that was found.
bool stays_inside(const vfs::PathBuffer& start, const char* path, vfs::Follow follow,
                  LocatedPath& located, vfs::Shortcut shortcut) {
  located.error = vfs::look_up(workspace, start, path, follow, located.found, shortcut);
  located.where = Where::failed;
  if (located.error == 0) located.where = located.found.inside ? Where::inside : Where::outside;
  return located.where != Where::outside;
}

constexpr int kMaximumEntrances = 40;  // ways out and in again of one path

// Out of the tree, and perhaps back in through a link from outside. (Not inline,
// here and below: a buffer on the stack is a page that the process may not have
// touched yet, so who needs none has none.)
[[gnu::noinline]] void look_beyond(vfs::Follow follow, LocatedPath& located, Looking looking) {
  const vfs::PathBuffer top;
  vfs::PathBuffer rest;
  for (int i = 1; i < kMaximumEntrances; ++i) {
    if (!leads_in(located.found.path.text, follow, looking, rest) ||
        stays_inside(top, rest.text, follow, located, {.unseen = looking.unseen})) {
      return;
    }
  }
  located.where = Where::failed;
  located.error = -ELOOP;
}

void locate_from(const vfs::PathBuffer& start, const char* path, vfs::Follow follow,
                 LocatedPath& located, Looking looking, int held = vfs::Shortcut::kNotHeld) {
  if (stays_inside(start, path, follow, located, {held, looking.unseen})) return;
  look_beyond(follow, located, looking);
}

[[gnu::noinline]] void locate_absolute(const char* path, vfs::Follow follow, LocatedPath& located,
                                       Looking looking) {
  const vfs::PathBuffer top;
  vfs::PathBuffer rest;
  if (leads_in(path, follow, looking, rest)) locate_from(top, rest.text, follow, located, looking);
}

// A relative path from a directory outside: it may still lead in, if the
// directory is above the root, the path climbs or there is a link.
[[gnu::noinline]] void locate_from_outside(const Directory& directory, const char* path, vfs::Follow follow,
                                           LocatedPath& located, Looking looking) {
  vfs::PathBuffer absolute;
  vfs::PathBuffer rest;
  if (directory.path.length == 0 || !absolute.assign(directory.path) ||
      !absolute.append_character('/') || !absolute.append(path) ||
      !leads_in(absolute.text, follow, looking, rest, directory.path.length)) {
    return;
  }
  const vfs::PathBuffer top;
  locate_from(top, rest.text, follow, located, looking);
}

// The directory that the path starts from was removed, or something else has
// its name: no name is found in it. If it is the kernel's own, then the kernel
// still knows what it is to be asked for itself (".").
[[gnu::noinline]] void check_removed(int dirfd, const char* path, const Directory& directory,
                                     LocatedPath& located) {
  vfs::Lookup found;
  if (vfs::look_up_canonical(workspace, directory.path, found) == 0 && found.is_directory()) return;
  struct stat status;
  const bool names_itself = path[strspn(path, "./")] == '\0' && strstr(path, "..") == nullptr;
  const bool is_orphan = names_itself && vfs::sys::fstatat(dirfd, "", &status, AT_EMPTY_PATH) == 0 &&
                         status.st_nlink == 0;
  if (is_orphan) {
    located.where = Where::untouched;
    located.error = 0;
  } else {
    located.error = -ENOENT;
  }
}

void find(int dirfd, const char* path, vfs::Follow follow, LocatedPath& located, Looking looking) {
  located.where = Where::untouched;
  located.error = 0;
  const Activity now = activity.load(std::memory_order_relaxed);
  if (now == Activity::broken) return refuse_if_below_broken_root(path, located);
  if (now <= Activity::starting) {
    // Another call, or another thread, may find out where the root is.
    located.where = Where::failed;
    located.error = starvation.load(std::memory_order_relaxed);
    return;
  }
  if (path[0] == '/') return locate_absolute(path, follow, located, looking);
  if (path[0] == '\0') return;  // ENOENT, or AT_EMPTY_PATH: the kernel's
  if (looking.reads && !workspace.has_snapshot_base()) {
    located.recent = RecentPath(dirfd, path, follow, looking.unseen);
    if (located.recent.is_passed()) return;
  }
  Directory directory;
  if (locate_directory(dirfd, directory) != 0) return;  // the kernel gives the error
  if (directory.inside) {
    const int held = directory.live ? dirfd : vfs::Shortcut::kNotHeld;
    locate_from(directory.path, path, follow, located, looking, held);
    const bool gone = located.error == -ENOENT || located.error == -ENOTDIR;
    if (gone && !located.found.start_stands) {
      check_removed(dirfd, path, directory, located);
    }
  } else {
    locate_from_outside(directory, path, follow, located, looking);
  }
}

}  // namespace

void locate(int dirfd, const char* path, vfs::Follow follow, LocatedPath& located, Looking looking) {
  find(dirfd, path, follow, located, looking);
  if (is_fenced()) check_grants(dirfd, path, follow, looking, located);
}

}  // namespace shim
