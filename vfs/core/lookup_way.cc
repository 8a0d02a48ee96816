// The directories on the way to a path: whether they are there, plain, and let
// the caller through; see lookup_internal.h
#include "vfs/core/lookup_internal.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/permission.h"
#include "vfs/core/sys.h"

namespace vfs {

bool parent_is_directory(Workspace& workspace, const Lookup& out, uint64_t parent_hash) {
  if (is_known_directory(workspace, parent_hash)) {
    if (!workspace.control->filter.may_have_changed(removed_key(parent_hash))) return true;
    PathBuffer parent;
    PathBuffer upper;
    struct stat status;
    parent.assign(out.path);
    parent.pop();
    if (workspace.upper_path(parent, upper) && sys::lstat(upper.text, &status) == 0 &&
        S_ISDIR(status.st_mode)) {
      return true;
    }
  }
  if (!workspace.has_snapshot_base()) return false;
  if (workspace.control->filter.may_have_changed(parent_hash)) return false;
  const uint32_t name = static_cast<uint32_t>(out.path.name() - out.path.text);
  const uint32_t length = name > 0 ? name - 1 : 0;
  const IndexEntry* entry = workspace.index().find(out.path.text, length, parent_hash);
  return entry != nullptr && S_ISDIR(entry->mode);
}

bool base_is_searchable(Workspace& workspace, const PathBuffer& path) {
  const Index index = workspace.index();
  const IndexEntry* entry = nullptr;
  PathBuffer directory;
  for (directory.assign(path); entry == nullptr && directory.length != 0;) {
    directory.pop();
    entry = index.find(directory.text, directory.length,
                       path_hash(directory.text, directory.length));
  }
  for (int depth = 0; entry != nullptr && depth < PATH_MAX; ++depth) {
    if (!is_searchable(workspace, entry->mode, entry->uid)) return false;
    if (index.is_root(*entry)) return true;
    entry = index.parent(*entry);
  }
  return false;
}

namespace {

// A directory of the base on which upper has no say.
Way learn_directory(Workspace& workspace, const PathBuffer& path, uint64_t hash) {
  struct stat status;
  if (workspace.has_snapshot_base()) {
    const IndexEntry* entry = workspace.index().find(path.text, path.length, hash);
    if (entry == nullptr) return Way::missing;
    status.st_mode = entry->mode;
    status.st_uid = entry->uid;
  } else {
    PathBuffer real;
    if (!workspace.live_path(path, real)) return Way::unsure;
    const int result = sys::lstat(real.text, &status);
    if (result != 0) return result == -ENOENT ? Way::missing : Way::unsure;
  }
  if (!S_ISDIR(status.st_mode) || !is_searchable(workspace, status.st_mode, status.st_uid)) {
    return Way::unsure;
  }
  remember_directory(workspace, hash);
  return Way::leads;
}

}  // namespace

Way learn_way(Workspace& workspace, const PathBuffer& start, Lookup& out) {
  const ChangeFilter& filter = workspace.control->filter;
  uint64_t hash = path_hash(start.text, start.length);
  const auto stands = [&] {
    return is_known_directory(workspace, hash) && !filter.may_have_changed(removed_key(hash));
  };
  if (!stands()) return Way::unsure;
  out.start_stands = true;
  PathBuffer path;
  const char* name = out.path.text + start.length + (start.length != 0 ? 1 : 0);
  for (const char* end; (end = strchr(name, '/')) != nullptr; name = end + 1) {
    hash = path_hash_append(hash, name, static_cast<uint32_t>(end - name));
    if (stands()) continue;
    if (filter.may_have_changed(hash) || filter.may_have_changed(removed_key(hash))) {
      return Way::unsure;
    }
    path.assign(out.path.text, static_cast<size_t>(end - out.path.text));
    const Way way = learn_directory(workspace, path, hash);
    if (way != Way::leads) return way;
  }
  return Way::leads;
}

}  // namespace vfs
