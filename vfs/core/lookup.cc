// How a path is looked up
//
//   fast_look_up   one pass over a path without ".", ".." or "//": hashes of
//                  all ancestors, filter bits, one probe. Final in most cases.
//   walk           otherwise, component by component, following links.
//   look_at        one component: upper if the filter says it may have a say,
//                  else the base.
#include "vfs/core/lookup.h"

#include "vfs/core/identity.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

constexpr int kMaximumLinks = 40;  // as the kernel's

// --- directories known to be plain -----------------------------------------
//
// A live base may hold links, and the string "a/b/c" says nothing of whether
// "a/b" is one. Directories that a walk has found to be plain are remembered
// by hash; anything in the workspace that makes a directory stop being one
// sets its subtree bit, which is tested first.

uint64_t directory_key(const Workspace& workspace, uint64_t hash) {
  const uint64_t epoch = workspace.control->generation.load(std::memory_order_acquire) +
                         workspace.control->rename_generation.load(std::memory_order_acquire);
  const uint64_t key = mix_hash(hash ^ epoch, 0x9fb21c651e98df25ull);
  return key != 0 ? key : 1;
}

bool is_known_directory(const Workspace& workspace, uint64_t hash) {
  const uint64_t key = directory_key(workspace, hash);
  return workspace.known_directories[key % Workspace::kKnownDirectories].load(
             std::memory_order_relaxed) == key;
}

void remember_directory(Workspace& workspace, uint64_t hash) {
  const uint64_t key = directory_key(workspace, hash);
  workspace.known_directories[key % Workspace::kKnownDirectories].store(
      key, std::memory_order_relaxed);
}

// --- one component -----------------------------------------------------------

int look_in_snapshot(Workspace& workspace, Lookup& out) {
  const Index index = workspace.index();
  const PathBuffer& path = out.base_path();
  const uint64_t hash =
      out.base_is_elsewhere ? path_hash(path.text, path.length) : out.hash;
  const IndexEntry* entry = index.find(path.text, path.length, hash);
  if (entry == nullptr) return 0;
  out.source = Source::snapshot;
  out.entry = entry;
  index.status(*entry, out.status);
  out.status.st_dev = workspace.device;
  out.atime = out.status.st_atim;
  if (S_ISREG(entry->mode)) memcpy(out.digest.bytes, entry->digest, Digest::kSize);
  return 0;
}

int look_in_live(Workspace& workspace, Lookup& out) {
  PathBuffer real;
  if (!workspace.live_path(out.base_path(), real)) return -ENAMETOOLONG;
  const int result = sys::lstat(real.text, &out.status);
  if (result == 0) out.source = Source::live;
  return result == -ENOENT || result == -ENOTDIR ? 0 : result;
}

int look_in_base(Workspace& workspace, Lookup& out) {
  out.source = Source::missing;
  out.entry = nullptr;
  if (!out.base_may_have) return 0;
  return workspace.has_snapshot_base() ? look_in_snapshot(workspace, out)
                                       : look_in_live(workspace, out);
}

void take_record(const Workspace& workspace, const UpperEntry& upper, Lookup& out) {
  const ObjectRecord& object = upper.object;
  out.source = Source::record;
  out.digest = object.digest;
  out.atime = object.atime;
  out.status = {};
  out.status.st_dev = workspace.device;
  out.status.st_ino = object.inode;
  out.status.st_mode = object.mode;
  out.status.st_nlink = 1;
  out.status.st_uid = object.uid;
  out.status.st_gid = object.gid;
  out.status.st_size = static_cast<off_t>(object.size);
  out.status.st_blksize = 4096;
  out.status.st_blocks = static_cast<blkcnt_t>((object.size + 4095) / 4096 * 8);
  out.status.st_atim = object.atime;
  out.status.st_mtim = object.mtime;
  out.status.st_ctim = upper.status.st_ctim;
}

// A directory in upper: what the base adds to it, and its identity, which must
// not change when it is mirrored (rm -r compares it before and after).
int take_upper_directory(Workspace& workspace, const UpperEntry& upper, bool ask_upper,
                         Lookup& out) {
  // A record matters even where the base has nothing: the directory may have
  // been moved here from elsewhere. Moving sets the subtree bit.
  if (out.base_may_have || ask_upper ||
      workspace.control->filter.may_have_changed_subtree(out.hash)) {
    PathBuffer redirect;
    switch (read_shade(workspace, out.path, redirect)) {
      case Shade::merged: break;
      case Shade::opaque: out.base_may_have = false; break;
      case Shade::redirected:
        out.base_may_have = true;
        out.base_is_elsewhere = true;
        out.elsewhere.assign(redirect);
        break;
    }
  }
  const int result = look_in_base(workspace, out);
  if (result != 0) return result;
  out.merged = out.is_directory();
  if (!out.merged) out.base_may_have = false;
  const struct stat base = out.status;
  out.source = Source::upper;
  out.status = upper.status;
  if (out.merged) {
    out.status.st_dev = base.st_dev;
    out.status.st_ino = base.st_ino;
    if (workspace.has_snapshot_base()) out.status.st_dev = workspace.device;
  } else {
    out.entry = nullptr;
  }
  return 0;
}

// Fills `out` for out.path, whose parent directory is out.path's prefix. The
// base_* fields say where the base has the path. `ask_upper`: the filter's
// bits cannot be trusted for this path (an ancestor was renamed).
int look_at(Workspace& workspace, bool ask_upper, Lookup& out) {
  out.whiteout = false;
  out.merged = false;
  if (out.path.length != 0 && is_reserved(out.path)) {
    out.source = Source::missing;
    out.entry = nullptr;
    return 0;
  }
  for (;;) {
    // If upper has nothing, but only because a commit sealed it a moment ago,
    // then the commit has raised the generation before: look again.
    const uint64_t generation = workspace.control->generation.load(std::memory_order_acquire);
    if (ask_upper || workspace.control->filter.may_have_changed(out.hash)) {
      UpperEntry upper;
      const int result = read_upper(workspace, out.path, upper);
      if (result != 0) return result;
      if (upper.kind == UpperKind::inode && S_ISDIR(upper.status.st_mode)) {
        return take_upper_directory(workspace, upper, ask_upper, out);
      }
      if (upper.kind != UpperKind::absent) {
        out.entry = nullptr;
        out.source = Source::missing;
        out.whiteout = upper.kind == UpperKind::whiteout;
        if (upper.kind == UpperKind::object) take_record(workspace, upper, out);
        if (upper.kind == UpperKind::inode) {
          out.source = Source::upper;
          out.status = upper.status;
          PathBuffer real;
          if (workspace.upper_path(out.path, real)) {
            restore_identity(workspace, real.text, out.status);
          }
        }
        return 0;
      }
    }
    const int result = look_in_base(workspace, out);
    if (result != 0 ||
        workspace.control->generation.load(std::memory_order_acquire) == generation) {
      return result;
    }
  }
}

// --- one pass ----------------------------------------------------------------

struct SimplePath {
  uint64_t hash;
  uint64_t parent_hash;
};

// True if `path` is plain components with single slashes between them and no
// ancestor carries a subtree bit; appends it to `out.path` and hashes it.
bool append_simple(const Workspace& workspace, const char* path, Lookup& out, SimplePath& hashes) {
  const ChangeFilter& filter = workspace.control->filter;
  hashes.hash = out.path.length == 0 ? kRootPathHash : path_hash(out.path.text, out.path.length);
  hashes.parent_hash = hashes.hash;
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

// Whether the parent is surely a directory that was reached without a link.
bool parent_is_directory(Workspace& workspace, const Lookup& out, uint64_t parent_hash) {
  if (is_known_directory(workspace, parent_hash)) return true;
  if (!workspace.has_snapshot_base()) return false;
  if (workspace.control->filter.may_have_changed(parent_hash)) return false;
  const uint32_t name = static_cast<uint32_t>(out.path.name() - out.path.text);
  const uint32_t length = name > 0 ? name - 1 : 0;
  const IndexEntry* entry = workspace.index().find(out.path.text, length, parent_hash);
  return entry != nullptr && S_ISDIR(entry->mode);
}

// Returns true if `out` is the answer, with the result in `result`.
bool fast_look_up(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
                  Lookup& out, int& result) {
  SimplePath hashes;
  if (!out.path.assign(start) || !ancestors_are_clean(workspace, start) ||
      !append_simple(workspace, path, out, hashes)) {
    return false;
  }
  const bool live = !workspace.has_snapshot_base();
  if (live && !is_known_directory(workspace, hashes.parent_hash)) return false;
  out.hash = hashes.hash;
  out.inside = true;
  out.base_may_have = true;
  out.base_is_elsewhere = false;
  out.must_be_directory = false;
  out.last = LastComponent::name;
  result = look_at(workspace, false, out);
  if (result != 0) return true;
  if (out.is_link() && follow == Follow::yes) return false;
  // A hit in the index, or a real inode reached through real directories of
  // upper, proves every ancestor; a miss does not.
  return out.exists() || parent_is_directory(workspace, out, hashes.parent_hash);
}

// --- step by step ------------------------------------------------------------

// The walk's position is a directory; `out` describes it.
struct Walk {
  Workspace& workspace;
  Lookup& out;
  bool ask_upper = false;   // below a renamed directory
  bool through_link = false;
  int links = 0;
  PathBuffer pending;       // what is left to walk
  const char* cursor = pending.text;

  Walk(Workspace& in, Lookup& answer) : workspace(in), out(answer) {}
};

int stand_at_root(Walk& walk) {
  Lookup& out = walk.out;
  out.path.truncate(0);
  out.hash = kRootPathHash;
  out.base_may_have = true;
  out.base_is_elsewhere = false;
  out.last = LastComponent::root;
  walk.ask_upper = false;
  // The root is in upper from the beginning; nothing announces it.
  return look_at(walk.workspace, true, out);
}

// Goes from the directory that `out` is to its child `name`.
int step_down(Walk& walk, const char* name, uint32_t length) {
  Lookup& out = walk.out;
  if (length > NAME_MAX) return -ENAMETOOLONG;
  // Below a directory with a record of its own the bits are keyed by paths
  // that the children may never have had.
  if (out.base_is_elsewhere || !out.base_may_have ||
      walk.workspace.control->filter.may_have_changed_subtree(out.hash)) {
    walk.ask_upper = true;
  }
  if (out.base_is_elsewhere && !out.elsewhere.push(name, length)) return -ENAMETOOLONG;
  if (!out.path.push(name, length)) return -ENAMETOOLONG;
  out.hash = path_hash_append(out.hash, name, length);
  out.last = LastComponent::name;
  return look_at(walk.workspace, walk.ask_upper, out);
}

// Goes back to the directory `path`, known to be canonical, from the root.
int walk_to(Walk& walk, const PathBuffer& path) {
  int result = stand_at_root(walk);
  const char* start = path.text;
  while (result == 0 && *start != '\0') {
    const char* end = strchrnul(start, '/');
    if (!walk.out.is_directory()) return walk.out.exists() ? -ENOTDIR : -ENOENT;
    result = step_down(walk, start, static_cast<uint32_t>(end - start));
    start = *end == '/' ? end + 1 : end;
  }
  return result;
}

// Puts `target` before what is left to walk. `slash`: one stood behind what
// the target replaces, and still means "a directory" when nothing is left.
int prepend(Walk& walk, const PathBuffer& target, bool slash) {
  const size_t rest = strlen(walk.cursor);
  if (target.length + 1 + rest >= sizeof(walk.pending.text)) return -ENAMETOOLONG;
  memmove(walk.pending.text + target.length + slash, walk.cursor, rest);
  memcpy(walk.pending.text, target.text, target.length);
  if (slash) walk.pending.text[target.length] = '/';
  walk.pending.truncate(static_cast<uint32_t>(target.length + slash + rest));
  walk.cursor = walk.pending.text;
  return 0;
}

// The path leaves the workspace for the absolute path in walk.pending.
int leave(Walk& walk) {
  walk.out.inside = false;
  return walk.out.path.assign(walk.pending) ? 0 : -ENAMETOOLONG;
}

// `out` is a link: go back to its directory and on along its target. Sets
// `left` if that leads out of the workspace.
int follow_link(Walk& walk, bool slash, bool& left) {
  PathBuffer target;
  if (++walk.links > kMaximumLinks) return -ELOOP;
  int result = read_link(walk.workspace, walk.out, target);
  if (result != 0) return result;
  if (target.length == 0) return -ENOENT;
  walk.through_link = true;
  result = prepend(walk, target, slash);
  if (result != 0) return result;
  if (target.text[0] == '/') {
    PathBuffer rest;
    if (!enter_workspace(walk.workspace, walk.pending.text, rest)) {
      left = true;
      return leave(walk);
    }
    walk.pending.assign(rest);
    walk.cursor = walk.pending.text;
    return stand_at_root(walk);
  }
  PathBuffer directory;
  directory.assign(walk.out.path);
  directory.pop();
  return walk_to(walk, directory);
}

int step_up(Walk& walk, bool& left) {
  if (walk.out.path.length == 0) {
    // Above the root is the real directory that holds it.
    PathBuffer above;
    above.assign(walk.workspace.root);
    above.pop();
    if (above.length == 0) above.assign("/");
    const int result = prepend(walk, above, *walk.cursor != '\0');
    if (result != 0) return result;
    PathBuffer rest;
    if (enter_workspace(walk.workspace, walk.pending.text, rest)) {
      walk.pending.assign(rest);
      walk.cursor = walk.pending.text;
      return stand_at_root(walk);
    }
    left = true;
    return leave(walk);
  }
  PathBuffer directory;
  directory.assign(walk.out.path);
  directory.pop();
  const int result = walk_to(walk, directory);
  walk.out.last = LastComponent::dot_dot;
  return result;
}

// One component of the pending path. `last` is set when nothing is left.
int walk_component(Walk& walk, Follow follow, bool& left) {
  Lookup& out = walk.out;
  const char* start = walk.cursor;
  const char* end = strchrnul(start, '/');
  const uint32_t length = static_cast<uint32_t>(end - start);
  walk.cursor = end;
  while (*walk.cursor == '/') ++walk.cursor;
  const bool last = *walk.cursor == '\0';
  const bool slash = *end == '/';
  if (!out.is_directory()) return out.exists() ? -ENOTDIR : -ENOENT;
  if (length == 0) return 0;
  if (length == 1 && start[0] == '.') {
    out.last = LastComponent::dot;
    out.must_be_directory = true;
    return 0;
  }
  if (length == 2 && start[0] == '.' && start[1] == '.') {
    out.must_be_directory = true;
    return step_up(walk, left);
  }
  const uint64_t parent_hash = out.hash;
  const bool plain_parent = !walk.through_link && !walk.ask_upper && !out.base_is_elsewhere;
  const int result = step_down(walk, start, length);
  if (result != 0) return result;
  if (plain_parent) remember_directory(walk.workspace, parent_hash);
  out.must_be_directory = slash;
  if (!out.is_link() || (last && (follow == Follow::name || (!slash && follow == Follow::no)))) {
    return 0;
  }
  return follow_link(walk, slash, left);
}

int walk(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
         Lookup& out) {
  Walk walk(workspace, out);
  if (!walk.pending.assign(path)) return -ENAMETOOLONG;
  walk.cursor = walk.pending.text;
  out.inside = true;
  out.must_be_directory = false;
  int result = walk_to(walk, start);
  bool left = false;
  while (result == 0 && !left && *walk.cursor != '\0') {
    result = walk_component(walk, follow, left);
  }
  if (result != 0 || left) return result;
  if (out.must_be_directory && out.exists() && !out.is_directory() && follow != Follow::name) {
    return -ENOTDIR;
  }
  return 0;
}

}  // namespace

int look_up(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
            Lookup& out) {
  if (*path == '\0') return -ENOENT;
  int result;
  if (fast_look_up(workspace, start, path, follow, out, result)) return result;
  return walk(workspace, start, path, follow, out);
}

int look_up_canonical(Workspace& workspace, const PathBuffer& path, Lookup& out) {
  PathBuffer root;
  return look_up(workspace, root, path.length != 0 ? path.text : ".", Follow::no, out);
}

bool base_has(Workspace& workspace, const Lookup& found) {
  if (!found.base_may_have && found.source != Source::upper) return false;
  if (found.source == Source::snapshot || found.source == Source::live || found.merged) return true;
  // An opaque or replaced directory: base_may_have speaks of its inside, so
  // ask for the name itself through its parent.
  Lookup probe;
  probe.path.assign(found.path);
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
    case Source::upper: return read_upper_link(workspace, found.path, target);
    case Source::snapshot: {
      const char* text = workspace.index().target(*found.entry);
      if (text == nullptr) return -EIO;
      return target.assign(text, found.entry->target.length) ? 0 : -ENAMETOOLONG;
    }
    case Source::live: {
      PathBuffer real;
      if (!workspace.live_path(found.base_path(), real)) return -ENAMETOOLONG;
      const long length = sys::readlink(real.text, target.text, sizeof(target.text) - 1);
      if (length < 0) return static_cast<int>(length);
      target.truncate(static_cast<uint32_t>(length));
      return 0;
    }
    default: return -EINVAL;
  }
}

bool enter_workspace(const Workspace& workspace, const char* absolute, PathBuffer& rest) {
  // Take the path apart only as far as the root is long.
  const char* root = workspace.root.text;
  const char* cursor = absolute;
  uint32_t matched = 0;
  while (root[matched] != '\0') {
    // Both stand before a slash.
    while (cursor[0] == '/' && (cursor[1] == '/' || (cursor[1] == '.' && cursor[2] == '/'))) {
      cursor += cursor[1] == '/' ? 1 : 2;
    }
    uint32_t length = 1;
    while (root[matched + length] != '\0' && root[matched + length] != '/') ++length;
    if (strncmp(cursor, root + matched, length) != 0 ||
        (cursor[length] != '/' && cursor[length] != '\0')) {
      break;
    }
    cursor += length;
    matched += length;
  }
  if (root[matched] != '\0') {
    const char* dots = strstr(absolute, "/..");
    while (dots != nullptr && dots[3] != '/' && dots[3] != '\0') dots = strstr(dots + 1, "/..");
    if (dots == nullptr) return false;
    // What ".." means behind a link only the kernel knows: ask for the name of
    // the directory up to there, then look at the whole again.
    PathBuffer before;
    if (!before.assign(absolute, static_cast<size_t>(dots + 3 - absolute))) return false;
    const int fd = sys::open(before.text, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    PathBuffer canonical;
    const bool known = name_of_descriptor(fd, canonical);
    sys::close(fd);
    if (!known || (canonical.length == 1 && dots[3] == '\0')) return false;
    if (canonical.length == 1) canonical.truncate(0);
    return canonical.append(dots + 3) && enter_workspace(workspace, canonical.text, rest);
  }
  while (*cursor == '/') ++cursor;
  return rest.assign(*cursor != '\0' ? cursor : ".");
}

}  // namespace vfs
