#include "vfs/core/hard_links.h"

#include <dirent.h>

#include "vfs/core/copy_up.h"
#include "vfs/core/moved.h"
#include "vfs/core/notes.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

// Whether the base still answers, with the inode of `base`, for the name that
// it has at `path`. Puts into `path` where that name is now.
bool is_still_there(Workspace& workspace, const struct stat& base, PathBuffer& path,
                    Lookup& sibling) {
  follow_moves(workspace, path);
  return look_up_canonical(workspace, path, sibling) == 0 && sibling.exists() &&
         sibling.source != Source::upper && sibling.status.st_ino == base.st_ino &&
         sibling.status.st_dev == base.st_dev;
}

// The filter's bit for the inode numbers that hidden names are noted of.
uint64_t hidden_key(uint64_t inode) { return mix_hash(inode ^ 0x2545f4914f6cdd1dull, 0x94d049bb133111ebull); }

bool hidden_group(const Workspace& workspace, uint64_t inode, PathBuffer& group) {
  return note_group(workspace, "hidden/", group) && append_key(group, inode);
}

bool is_base_inode(const Workspace& workspace, const PathBuffer& base_path,
                   const struct stat& status) {
  PathBuffer real;
  struct stat base;
  return workspace.live_path(base_path, real) && sys::lstat(real.text, &base) == 0 &&
         base.st_ino == status.st_ino && base.st_dev == status.st_dev;
}

// Links the draft at `draft` to the name that the base has at `base_path`,
// wherever its directory is now, if the base still answers for it with the
// same inode: 1 then, else 0, or a negative errno if there is no room.
int link_one(Workspace& workspace, const char* draft, const PathBuffer& base_path,
             const struct stat& base) {
  PathBuffer path;
  path.assign(base_path);
  Lookup sibling;
  PathBuffer upper;
  if (!is_still_there(workspace, base, path, sibling)) return 0;
  int result = mirror_parent(workspace, path);
  if (result == 0 && !workspace.upper_path(path, upper)) result = -ENAMETOOLONG;
  if (result == 0) {
    PathBuffer parent;
    parent.assign(upper);
    parent.pop();
    const KeepTimes keep(parent.text);
    announce(workspace, sibling, sibling.status.st_mode);
    result = sys::link(draft, upper.text);
  }
  if (result == 0) return 1;
  return result == -ENOSPC || result == -EDQUOT || result == -EIO ? result : 0;
}

// Takes the link to the draft `inode` back from the name that the base has at `base_path`.
bool unlink_one(Workspace& workspace, ino_t inode, const PathBuffer& base_path) {
  PathBuffer path;
  PathBuffer upper;
  path.assign(base_path);
  follow_moves(workspace, path);
  struct stat status;
  if (!workspace.upper_path(path, upper) || sys::lstat(upper.text, &status) != 0 || status.st_ino != inode) {
    return false;
  }
  PathBuffer parent;
  parent.assign(upper);
  parent.pop();
  const KeepTimes keep(parent.text);
  return sys::unlink(upper.text) == 0;
}

// Calls `visit` with every other name that the snapshot has for the inode.
template <typename Visit>
void each_sibling(Workspace& workspace, const Lookup& found, Visit visit) {
  const Index index = workspace.index();
  const IndexEntry* at = index.next_link(*found.entry);
  for (uint32_t i = 1; at != nullptr && at != found.entry && i < found.entry->link_count; ++i) {
    char text[PATH_MAX];
    PathBuffer path;
    const char* name = index.path_of(*at, text, sizeof(text));
    if (name != nullptr && path.assign(name)) visit(path);
    at = index.next_link(*at);
  }
}

// A real directory does not know the other names of an inode: looks for `wanted`
// that `visit` accepts. getdents tells inode numbers, so nothing but directories
// is opened, and each only while it is read: a tree may be deeper than there are
// descriptors, or than a thread's stack would hold paths.
template <typename Visit>
struct LiveSearch {
  Workspace& workspace;
  uint64_t inode;
  nlink_t wanted;
  Visit visit;
  PathBuffer path;  // of the directory that is searched
  alignas(8) char entries[4096];

  void directory();
  // Not part of directory(), which calls itself.
  [[gnu::noinline]] long read_entries(off_t position);
  [[gnu::noinline]] off_t search_entries(long count, bool& descend);
};

// The directory's entries from `position` on: bytes, or a negative errno.
template <typename Visit>
long LiveSearch<Visit>::read_entries(off_t position) {
  PathBuffer real;
  if (!workspace.live_path(path, real)) return -ENAMETOOLONG;
  const int fd = sys::open(real.text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fd;
  long count = sys::lseek(fd, position, SEEK_SET);
  if (count >= 0) count = sys::getdents64(fd, entries, sizeof(entries));
  sys::close(fd);
  return count;
}

// Up to the next directory, which is then added to the path, or to the end of
// what was read. Gives the position behind it.
template <typename Visit>
off_t LiveSearch<Visit>::search_entries(long count, bool& descend) {
  off_t position = 0;
  for (long at = 0; at < count && wanted > 0 && !descend;) {
    const auto* entry = reinterpret_cast<const struct dirent64*>(entries + at);
    at += entry->d_reclen;
    position = entry->d_off;
    const char* name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (entry->d_type != DT_DIR && entry->d_ino != inode) continue;
    if (!path.push(name, strlen(name))) continue;
    descend = entry->d_type == DT_DIR;
    if (descend) continue;
    PathBuffer found;
    found.assign(path);
    if (visit(found)) --wanted;
    path.pop();
  }
  return position;
}

template <typename Visit>
void LiveSearch<Visit>::directory() {
  off_t position = 0;
  for (long count; wanted > 0 && (count = read_entries(position)) > 0;) {
    bool descend = false;
    position = search_entries(count, descend);
    if (!descend) continue;
    directory();
    path.pop();
  }
}

template <typename Visit>
void search_live(Workspace& workspace, uint64_t inode, nlink_t wanted, Visit visit) {
  LiveSearch<Visit>{workspace, inode, wanted, visit, {}, {}}.directory();
}

}  // namespace

void note_hidden_name(Workspace& workspace, const Lookup& found) {
  PathBuffer group;
  if (found.source != Source::live || found.is_directory() || found.status.st_nlink < 2 ||
      !hidden_group(workspace, found.status.st_ino, group)) {
    return;
  }
  const PathBuffer& path = found.base_path();
  write_note(workspace, group, path_hash(path.text, path.length), path);
  workspace.control->filter.announce(hidden_key(found.status.st_ino));
}

// What is noted may not have come to pass, may have been restored, and the base
// is free to change: each note only says where to look.
nlink_t count_hidden_names(Workspace& workspace, const struct stat& status) {
  PathBuffer group;
  if (status.st_nlink < 2 || S_ISDIR(status.st_mode) || workspace.has_snapshot_base() ||
      !workspace.control->filter.may_have_changed(hidden_key(status.st_ino)) ||
      !hidden_group(workspace, status.st_ino, group)) {
    return 0;
  }
  nlink_t count = 0;
  NoteReader notes(group);
  PathBuffer path;
  Lookup sibling;
  for (uint64_t key; notes.next(key, path);) {
    if (is_base_inode(workspace, path, status) &&
        !is_still_there(workspace, status, path, sibling)) {
      ++count;
    }
  }
  return count < status.st_nlink ? count : status.st_nlink;
}

namespace {

// Calls `visit` with every other name that the base has for the inode, until all
// that the tree can have are accepted.
template <typename Visit>
void each_name(Workspace& workspace, const Lookup& found, Visit visit) {
  if (found.source == Source::snapshot) {
    each_sibling(workspace, found, [&](const PathBuffer& name) { visit(name); });
  } else if (found.source == Source::live) {
    const nlink_t names = found.status.st_nlink - count_hidden_names(workspace, found.status);
    search_live(workspace, found.status.st_ino, names > 0 ? names - 1 : 0, [&](PathBuffer& name) {
      return strcmp(name.text, found.base_path().text) != 0 && visit(name);
    });
  }
}

}  // namespace

nlink_t count_links(Workspace& workspace, const Lookup& found) {
  nlink_t count = 1;
  each_sibling(workspace, found, [&](PathBuffer& path) {
    Lookup sibling;
    if (is_still_there(workspace, found.status, path, sibling)) ++count;
  });
  return count;
}

bool find_other_name(Workspace& workspace, const PathBuffer& path, const struct stat& status,
                     Lookup& found) {
  Lookup base;
  if (!workspace.has_snapshot_base() || !look_up_in_base(workspace, path, base) ||
      base.status.st_ino != status.st_ino) {
    return false;
  }
  bool there = false;
  each_sibling(workspace, base, [&](PathBuffer& name) {
    if (there) return;
    follow_moves(workspace, name);
    there = look_up_canonical(workspace, name, found) == 0 && found.exists() &&
            found.status.st_ino == status.st_ino && found.status.st_dev == status.st_dev;
  });
  return there;
}

bool search_live_name(Workspace& workspace, const struct stat& status, Lookup& found) {
  bool there = false;
  if (workspace.has_snapshot_base()) return false;
  search_live(workspace, status.st_ino, 1, [&](PathBuffer& name) {
    return there = is_still_there(workspace, status, name, found);
  });
  return there;
}

int link_siblings(Workspace& workspace, const Lookup& found) {
  PathBuffer draft;
  if (found.status.st_nlink < 2 || !workspace.upper_path(found.path, draft)) return 0;
  if (found.source == Source::live) note_file(workspace, found.status, found.path);
  int error = 0;
  each_name(workspace, found, [&](const PathBuffer& name) {
    const int result = error == 0 ? link_one(workspace, draft.text, name, found.status) : 0;
    if (result < 0) error = result;
    return result > 0;
  });
  struct stat status;
  if (error == 0 || sys::lstat(draft.text, &status) != 0) return error;
  each_name(workspace, found, [&](const PathBuffer& name) { return unlink_one(workspace, status.st_ino, name); });
  sys::unlink(draft.text);
  return error;
}

}  // namespace vfs
