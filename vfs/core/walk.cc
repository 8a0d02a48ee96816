// A look-up step by step, following links. The walk's position is a directory,
// which the answer under construction describes.
#include <linux/openat2.h>
#include <unistd.h>

#include "vfs/core/lookup_internal.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/permission.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

constexpr int kMaximumLinks = 40;  // as the kernel's

// The walk's position is a directory; `out` describes it.
struct Walk {
  Workspace& workspace;
  Lookup& out;
  bool ask_upper = false;   // below a renamed directory
  bool through_link = false;
  Search search = Search::checked;
  uint64_t resolve = 0;     // RESOLVE_* of openat2(2)
  const PathBuffer* start = nullptr;
  bool open = true;         // every directory from the root down is searchable
  int links = 0;
  PathBuffer pending;       // what is left to walk
  const char* cursor = pending.text;

  Walk(Workspace& in, Lookup& answer) : workspace(in), out(answer) {}
};

bool lets_through(const Walk& walk) {
  return is_searchable(walk.workspace, walk.out.status.st_mode, walk.out.status.st_uid);
}

int stand_at_root(Walk& walk) {
  Lookup& out = walk.out;
  out.path.truncate(0);
  out.hash = kRootPathHash;
  out.base_may_have = true;
  out.base_is_elsewhere = false;
  out.last = LastComponent::root;
  out.parent_guarded = false;
  walk.ask_upper = false;
  walk.open = true;
  // The root is in upper from the beginning; nothing announces it.
  return look_at(walk.workspace, true, out);
}

// Goes from the directory that `out` is to its child `name`.
int step_down(Walk& walk, const char* name, uint32_t length) {
  Lookup& out = walk.out;
  if (length > NAME_MAX) return -ENAMETOOLONG;
  const bool guarded = out.guarded;
  if (!lets_through(walk)) walk.open = false;
  // Below a directory with a record of its own the bits are keyed by paths
  // that the children may never have had. Below one that only upper has they
  // are right: what was made there was announced under its own path.
  if (out.base_is_elsewhere ||
      walk.workspace.control->filter.may_have_changed_subtree(out.hash)) {
    walk.ask_upper = true;
  }
  if (out.base_is_elsewhere && !out.elsewhere.push(name, length)) return -ENAMETOOLONG;
  if (!out.path.push(name, length)) return -ENAMETOOLONG;
  out.hash = path_hash_append(out.hash, name, length);
  out.last = LastComponent::name;
  const int result = look_at(walk.workspace, walk.ask_upper, out);
  out.parent_guarded = guarded;
  return result;
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
  if ((walk.resolve & RESOLVE_NO_SYMLINKS) != 0) return -ELOOP;
  int result = read_link(walk.workspace, walk.out, target);
  if (result != 0) return result;
  if (target.length == 0) return -ENOENT;
  walk.through_link = true;
  result = prepend(walk, target, slash);
  if (result != 0) return result;
  if (target.text[0] == '/') {
    if ((walk.resolve & RESOLVE_IN_ROOT) != 0) {
      while (*walk.cursor == '/') ++walk.cursor;
      return walk_to(walk, *walk.start);
    }
    if ((walk.resolve & (RESOLVE_BENEATH | RESOLVE_NO_XDEV)) != 0) return -EXDEV;
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
  if ((walk.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0 &&
      strcmp(walk.out.path.text, walk.start->text) == 0) {
    walk.out.last = LastComponent::dot_dot;
    return (walk.resolve & RESOLVE_BENEATH) != 0 ? -EXDEV : 0;
  }
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
  if (length == 0) return 0;  // only slashes: nothing is asked of the directory
  if (walk.search == Search::checked && !lets_through(walk)) {
    const int allowed = check_access(out.status, X_OK, true);
    if (allowed != 0) return allowed;
  }
  if (length == 1 && start[0] == '.') {
    out.last = LastComponent::dot;
    out.must_be_directory = true;
    return 0;
  }
  if (length == 2 && start[0] == '.' && start[1] == '.') {
    out.must_be_directory = true;
    return step_up(walk, left);
  }
  if (last && slash && follow == Follow::create) return -EISDIR;
  const uint64_t parent_hash = out.hash;
  const bool plain_parent = !walk.through_link && !walk.ask_upper && !out.base_is_elsewhere;
  const int result = step_down(walk, start, length);
  if (result != 0) return result;
  if (plain_parent && walk.open) remember_directory(walk.workspace, parent_hash);
  out.must_be_directory = slash;
  if (!out.is_link() || (last && (follow == Follow::name || (!slash && follow == Follow::no)))) {
    return 0;
  }
  return follow_link(walk, slash, left);
}

}  // namespace

int walk(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
         Search search, uint64_t resolve, Lookup& out) {
  Walk walk(workspace, out);
  walk.search = search;
  walk.resolve = resolve;
  walk.start = &start;
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

}  // namespace vfs
