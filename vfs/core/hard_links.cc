#include "vfs/core/hard_links.h"

#include <dirent.h>

#include "vfs/core/copy_up.h"
#include "vfs/core/moved.h"
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

// Links the draft at `draft` to the name that the base has at `base_path`,
// wherever its directory is now, if the base still answers for it with the
// same inode.
bool link_one(Workspace& workspace, const char* draft, const PathBuffer& base_path,
              const struct stat& base) {
  PathBuffer path;
  path.assign(base_path);
  Lookup sibling;
  PathBuffer upper;
  if (!is_still_there(workspace, base, path, sibling) || mirror_parent(workspace, path) != 0 ||
      !workspace.upper_path(path, upper)) {
    return false;
  }
  PathBuffer parent;
  parent.assign(upper);
  parent.pop();
  const KeepTimes keep(parent.text);
  announce(workspace, sibling, sibling.status.st_mode);
  return sys::link(draft, upper.text) == 0;
}

// Calls `visit` with every other name that the snapshot has for the inode.
template <typename Visit>
void each_sibling(Workspace& workspace, const Lookup& found, Visit visit) {
  const Index index = workspace.index();
  const IndexEntry* at = index.entry(found.entry->link_next);
  for (uint32_t i = 1; at != nullptr && at != found.entry && i < found.entry->link_count; ++i) {
    char text[PATH_MAX];
    PathBuffer path;
    const char* name = index.path_of(*at, text, sizeof(text));
    if (name != nullptr && path.assign(name)) visit(path);
    at = index.entry(at->link_next);
  }
}

// A real directory does not know the other names of an inode: look for them.
// getdents tells inode numbers, so nothing but directories is opened.
struct LiveSearch {
  Workspace& workspace;
  const Lookup& found;
  const char* draft;
  nlink_t wanted;  // names not found yet

  void directory(const PathBuffer& path);
  void entry(const PathBuffer& path, const struct dirent64& entry);
};

void LiveSearch::entry(const PathBuffer& path, const struct dirent64& entry) {
  const char* name = entry.d_name;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return;
  const bool same = entry.d_ino == found.status.st_ino;
  if (entry.d_type != DT_DIR && !same) return;
  PathBuffer child;
  child.assign(path);
  if (!child.push(name, strlen(name))) return;
  if (entry.d_type == DT_DIR) return directory(child);
  if (strcmp(child.text, found.base_path().text) == 0) return;
  if (link_one(workspace, draft, child, found.status)) --wanted;
}

void LiveSearch::directory(const PathBuffer& path) {
  PathBuffer real;
  if (!workspace.live_path(path, real)) return;
  const int fd = sys::open(real.text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  alignas(8) char buffer[4096];
  for (long count; wanted > 0 && (count = sys::getdents64(fd, buffer, sizeof(buffer))) > 0;) {
    for (long at = 0; at < count && wanted > 0;) {
      const auto* item = reinterpret_cast<const struct dirent64*>(buffer + at);
      at += item->d_reclen;
      entry(path, *item);
    }
  }
  sys::close(fd);
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

void link_siblings(Workspace& workspace, const Lookup& found) {
  PathBuffer draft;
  if (found.status.st_nlink < 2 || !workspace.upper_path(found.path, draft)) return;
  if (found.source == Source::snapshot) {
    each_sibling(workspace, found, [&](const PathBuffer& path) {
      link_one(workspace, draft.text, path, found.status);
    });
  } else if (found.source == Source::live) {
    const PathBuffer top;
    LiveSearch{workspace, found, draft.text, found.status.st_nlink - 1}.directory(top);
  }
}

}  // namespace vfs
