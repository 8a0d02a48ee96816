// Look-up in one pass; see lookup_internal.h
#include "vfs/core/lookup.h"

#include "vfs/core/directory_mode.h"
#include "vfs/core/lookup_internal.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/permission.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

// --- directories known to be plain -----------------------------------------
//
// A live base may hold links, and the string "a/b/c" says nothing of whether
// "a/b" is one, nor of whether "a" may be searched. Directories that were found
// to be plain, and searchable from the root down, are remembered by hash;
// anything in the workspace that makes a directory stop being one sets its
// subtree bit or its bit as closed, which are tested first.

uint64_t known_key(const Workspace& workspace, uint64_t hash) {
  const uint64_t epoch = workspace.control->generation.load(std::memory_order_acquire) +
                         workspace.control->rename_generation.load(std::memory_order_acquire);
  const uint64_t key = mix_hash(hash ^ epoch, 0x9fb21c651e98df25ull);
  return key != 0 ? key : 1;
}

bool may_stay_unseen(const Workspace& workspace, Unseen unseen, uint64_t hash) {
  if (unseen != Unseen::files) return unseen == Unseen::all;
  return workspace.known_files.contains(known_key(workspace, hash));
}

}  // namespace

bool is_known_directory(const Workspace& workspace, uint64_t hash) {
  return workspace.known_directories.contains(known_key(workspace, hash));
}

void remember_directory(Workspace& workspace, uint64_t hash) {
  workspace.known_directories.add(known_key(workspace, hash));
}

void remember_file(Workspace& workspace, uint64_t hash) {
  workspace.known_files.add(known_key(workspace, hash));
}

namespace {

// --- one pass ----------------------------------------------------------------

struct SimplePath {
  uint64_t hash;
  uint64_t parent_hash;
  bool closed;  // some directory on the way may not be searchable
};

// True if `path` is plain components with single slashes between them and no
// ancestor carries a subtree bit; appends it to `out.path` and hashes it.
bool append_simple(const Workspace& workspace, const char* path, Lookup& out, SimplePath& hashes) {
  const ChangeFilter& filter = workspace.control->filter;
  hashes.hash = out.path.length == 0 ? kRootPathHash : path_hash(out.path.text, out.path.length);
  hashes.parent_hash = hashes.hash;
  hashes.closed = filter.may_have_changed(closed_key(hashes.hash));
  if (filter.may_have_changed_subtree(hashes.hash)) return false;
  if (out.path.length != 0 && !out.path.append_character('/')) return false;
  const char* start = path;
  for (;;) {
    const char* end = start;
    while (*end != '\0' && *end != '/') ++end;
    const uint32_t length = static_cast<uint32_t>(end - start);
    if (length == 0 || length > NAME_MAX) return false;
    if (start[0] == '.' && (length == 1 || (length == 2 && start[1] == '.'))) return false;
    hashes.parent_hash = hashes.hash;
    hashes.hash = path_hash_append(hashes.hash, start, length);
    if (*end == '\0') return out.path.append(path, static_cast<size_t>(end - path));
    if (filter.may_have_changed_subtree(hashes.hash)) return false;
    if (filter.may_have_changed(closed_key(hashes.hash))) hashes.closed = true;
    start = end + 1;
  }
}

// The directory bits of every ancestor of `start` matter too.
bool ancestors_are_clean(const Workspace& workspace, const PathBuffer& start) {
  const ChangeFilter& filter = workspace.control->filter;
  if (filter.may_have_changed_subtree(kRootPathHash)) return false;
  uint64_t hash = kRootPathHash;
  uint32_t from = 0;
  for (uint32_t i = 0; i <= start.length; ++i) {
    if (i == start.length || start.text[i] == '/') {
      if (i > from) {
        hash = path_hash_append(hash, start.text + from, i - from);
        if (filter.may_have_changed_subtree(hash)) return false;
      }
      from = i + 1;
    }
  }
  return true;
}

// Only clear bits count: whoever sets one raises filter.changes(). A name is
// missing for the kernel too if upper has no say on its directory.
bool is_as_written(const Workspace& workspace, const Lookup& out, uint64_t parent_hash) {
  const ChangeFilter& filter = workspace.control->filter;
  if (out.near.path == nullptr || out.near.directory != AT_FDCWD ||
      filter.may_have_changed(out.hash)) {
    return false;
  }
  if (!out.exists()) return !filter.may_have_changed(parent_hash);
  // Of other names that hard links have the tree may hide some.
  return out.is_unseen() || out.is_link() || (out.is_regular() && out.status.st_nlink == 1);
}

// Returns true if `out` is the answer, with the result in `result`.
bool fast_look_up(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
                  Search search, Shortcut shortcut, const char* written, Lookup& out,
                  int& result) {
  SimplePath hashes;
  if (!out.path.assign(start) || !ancestors_are_clean(workspace, start) ||
      !append_simple(workspace, path, out, hashes)) {
    return false;
  }
  if (search == Search::checked && hashes.closed) return false;
  const bool known = is_known_directory(workspace, hashes.parent_hash);
  if (!known && !workspace.has_snapshot_base()) {
    const Way way = learn_way(workspace, start, out);
    result = -ENOENT;
    if (way != Way::leads) return way == Way::missing;
  }
  out.hash = hashes.hash;
  out.inside = true;
  out.base_may_have = true;
  out.base_is_elsewhere = false;
  out.must_be_directory = false;
  out.last = LastComponent::name;
  out.parent_guarded =
      workspace.control->filter.may_have_changed(guarded_key(hashes.parent_hash));
  const bool held = shortcut.held != Shortcut::kNotHeld;
  result = look_at(workspace, false, out, held ? Near{shortcut.held, written} : Near{},
                   may_stay_unseen(workspace, shortcut.unseen, out.hash));
  if (result != 0) return true;
  if (out.is_link() && follows(follow)) return false;
  // A hit in the index, or a real inode reached through real directories of
  // upper, proves every ancestor; a miss does not.
  if (!out.exists() && !parent_is_directory(workspace, out, hashes.parent_hash)) {
    const Way way = learn_way(workspace, start, out);
    result = way == Way::missing ? -ENOENT : 0;
    if (way != Way::leads) return way == Way::missing;
  }
  if (search == Search::free) return true;
  if (!known && workspace.has_snapshot_base()) {
    if (!base_is_searchable(workspace, out.path)) return false;
    remember_directory(workspace, hashes.parent_hash);
  }
  // Going down a tree, the next look-up will be below.
  if (out.is_directory() && is_searchable(workspace, out.status.st_mode, out.status.st_uid)) {
    remember_directory(workspace, out.hash);
  }
  out.as_written = held && is_as_written(workspace, out, hashes.parent_hash);
  return true;
}

// "." and "..", by which programs go up and down a tree: the place is known
// from where they start, without a walk from the root.
bool look_up_near(Workspace& workspace, const PathBuffer& start, const char* path, Lookup& out,
                  int& result) {
  const bool up = strcmp(path, "..") == 0;
  if ((!up && strcmp(path, ".") != 0) || start.length == 0) return false;
  const ChangeFilter& filter = workspace.control->filter;
  const uint64_t hash = path_hash(start.text, start.length);
  if (!is_known_directory(workspace, hash) || filter.may_have_changed(closed_key(hash))) {
    return false;
  }
  PathBuffer target;
  const PathBuffer root;
  target.assign(start);
  if (up) target.pop();
  if (target.length == 0 ||
      !fast_look_up(workspace, root, target.text, Follow::no, Search::free, {}, nullptr, out,
                    result) ||
      result != 0 || !out.is_directory()) {
    return false;
  }
  out.last = up ? LastComponent::dot_dot : LastComponent::dot;
  out.must_be_directory = true;
  return true;
}

// "./name" and "../name": compilers are told to search there. Before the first
// name a step up is one up in the text too, since `start` has no links in it. Gives
// the directory and the rest of the path; false if it takes a walk.
bool climb(const Workspace& workspace, const PathBuffer& start, PathBuffer& from,
           const char*& path) {
  const ChangeFilter& filter = workspace.control->filter;
  from.assign(start);
  for (;;) {
    if (path[0] != '.') return true;
    if (path[1] == '/') {
      path += 2;
    } else if (path[1] == '.' && path[2] == '/') {
      const uint64_t hash = path_hash(from.text, from.length);
      if (from.length == 0 || !is_known_directory(workspace, hash) ||
          filter.may_have_changed(closed_key(hash))) {
        return false;
      }
      from.pop();
      path += 3;
    } else {
      return true;
    }
  }
}

[[gnu::noinline]] bool look_up_climbing(Workspace& workspace, const PathBuffer& start,
                                        const char* path, Follow follow, Search search,
                                        Shortcut shortcut, Lookup& out, int& result) {
  PathBuffer from;
  const char* rest = path;
  // What is too long as it was written is too long.
  if (strnlen(path, PATH_MAX) == PATH_MAX) return false;
  return climb(workspace, start, from, rest) && rest != path && *rest != '\0' &&
         fast_look_up(workspace, from, rest, follow, search, shortcut, path, out, result);
}

int look_up_anyhow(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
                   Search search, Shortcut shortcut, Lookup& out) {
  out.as_written = false;
  out.start_stands = false;
  out.near = {};
  if (*path == '\0') return -ENOENT;
  int result;
  if (*path == '.' &&
      (look_up_near(workspace, start, path, out, result) ||
       look_up_climbing(workspace, start, path, follow, search, shortcut, out, result))) {
    return result;
  }
  if (fast_look_up(workspace, start, path, follow, search, shortcut, path, out, result)) {
    return result;
  }
  return walk(workspace, start, path, follow, search, 0, out);
}

}  // namespace

int look_up(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
            Lookup& out, Shortcut shortcut) {
  return look_up_anyhow(workspace, start, path, follow, Search::checked, shortcut, out);
}

int look_up_restricted(Workspace& workspace, const PathBuffer& start, const char* path,
                       Follow follow, uint64_t resolve, Lookup& out) {
  if (*path == '\0') return -ENOENT;
  return walk(workspace, start, path, follow, Search::checked, resolve, out);
}

int look_up_canonical(Workspace& workspace, const PathBuffer& path, Lookup& out) {
  PathBuffer root;
  const int result = look_up_anyhow(workspace, root, path.length != 0 ? path.text : ".", Follow::no,
                                    Search::free, {}, out);
  // It was not canonical after all: something in the state directory is damaged,
  // or a directory on the way has become a link.
  return result == 0 && !out.inside ? -ENOENT : result;
}

bool base_has(Workspace& workspace, const Lookup& found) {
  if (!found.base_may_have && found.source != Source::upper) return false;
  if (found.source == Source::snapshot || found.source == Source::live || found.merged) return true;
  Lookup probe;
  probe.path.assign(found.path);
  if (!found.is_directory()) {
    probe.hash = found.hash;
    probe.base_may_have = found.base_may_have;
    probe.base_is_elsewhere = found.base_is_elsewhere;
    if (found.base_is_elsewhere) probe.elsewhere.assign(found.elsewhere);
    return look_in_base(workspace, probe) == 0 && probe.exists();
  }
  // An opaque or replaced directory: base_may_have speaks of its inside, so
  // ask for the name itself through its parent.
  probe.path.pop();
  Lookup parent;
  if (look_up_canonical(workspace, probe.path, parent) != 0 || !parent.base_may_have) return false;
  probe.path.assign(found.path);
  probe.hash = found.hash;
  probe.base_may_have = true;
  probe.base_is_elsewhere = parent.base_is_elsewhere;
  if (parent.base_is_elsewhere) {
    probe.elsewhere.assign(parent.elsewhere);
    const char* name = found.path.name();
    if (!probe.elsewhere.push(name, strlen(name))) return false;
  }
  return look_in_base(workspace, probe) == 0 && probe.exists();
}

int read_link(Workspace& workspace, const Lookup& found, PathBuffer& target) {
  switch (found.source) {
    case Source::upper: {
      const int result = read_upper_link(workspace, found.path, target);
      return result == -ENOENT || result == -EINVAL ? -ESTALE : result;  // replaced since
    }
    case Source::snapshot: {
      const Index index = workspace.index();
      const IndexEntry* entry = found.entry;
      if (!index.has(*entry)) {
        // The base was replaced since, and has every path where the tree has it.
        entry = index.find(found.path.text, found.path.length, found.hash);
        if (entry == nullptr || !S_ISLNK(entry->mode)) return -ESTALE;
      }
      const char* text = index.target(*entry);
      if (text == nullptr) return -EIO;
      return target.assign(text, entry->target.length) ? 0 : -ENAMETOOLONG;
    }
    case Source::live: {
      PathBuffer real;
      Near near = found.near;
      if (near.path == nullptr) {
        if (!workspace.live_path(found.base_path(), real)) return -ENAMETOOLONG;
        near = {AT_FDCWD, real.text};
      }
      const long length =
          sys::readlinkat(near.directory, near.path, target.text, sizeof(target.text) - 1);
      // Whether its directory is one here the base cannot tell.
      if (found.is_unseen() && (length == -ENOENT || length == -ENOTDIR)) return -ESTALE;
      if (length < 0) return static_cast<int>(length);
      target.truncate(static_cast<uint32_t>(length));
      return 0;
    }
    default: return -EINVAL;
  }
}

}  // namespace vfs
