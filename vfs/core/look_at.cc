// One component of a look-up: upper if the filter says that it may have a say,
// else the base.
#include "vfs/core/directory_mode.h"
#include "vfs/core/identity.h"
#include "vfs/core/lookup_internal.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

int look_in_snapshot(Workspace& workspace, Lookup& out) {
  Index index;
  const int current = workspace.index(index);
  if (current != 0) return current;
  const PathBuffer& path = out.base_path();
  const uint64_t hash =
      out.base_is_elsewhere ? path_hash(path.text, path.length) : out.hash;
  const IndexEntry* entry = index.find(path.text, path.length, hash);
  if (entry == nullptr) return index.is_nothing() ? -EIO : 0;
  out.source = Source::snapshot;
  out.entry = entry;
  index.status(*entry, out.status);
  out.status.st_dev = workspace.device;
  out.atime = out.status.st_atim;
  if (S_ISREG(entry->mode)) memcpy(out.digest.bytes, entry->digest, Digest::kSize);
  return 0;
}

int look_in_live(Workspace& workspace, Lookup& out, Near near, bool unseen) {
  out.near = near;
  int result = 0;
  if (unseen) {
    out.status.st_mode = 0;
  } else if (near.path != nullptr) {
    result = sys::fstatat(near.directory, near.path, &out.status, AT_SYMLINK_NOFOLLOW);
  } else {
    PathBuffer real;
    if (!workspace.live_path(out.base_path(), real)) return -ENAMETOOLONG;
    result = sys::lstat(real.text, &out.status);
  }
  if (result == 0 && S_ISREG(out.status.st_mode)) remember_file(workspace, out.hash);
  if (result == 0) out.source = Source::live;
  return result == -ENOENT || result == -ENOTDIR ? 0 : result;
}

}  // namespace

int look_in_base(Workspace& workspace, Lookup& out, Near near, bool unseen) {
  out.source = Source::missing;
  out.entry = nullptr;
  if (!out.base_may_have) return 0;
  return workspace.has_snapshot_base() ? look_in_snapshot(workspace, out)
                                       : look_in_live(workspace, out, near, unseen);
}

bool look_up_in_base(Workspace& workspace, const PathBuffer& path, Lookup& out) {
  out.inside = true;
  out.path.assign(path);
  out.hash = path_hash(path.text, path.length);
  out.base_may_have = true;
  out.base_is_elsewhere = false;
  return look_in_base(workspace, out) == 0 && out.exists();
}

namespace {

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
  PathBuffer real;
  struct stat shown = upper.status;
  if (!workspace.upper_path(out.path, real)) return -ENAMETOOLONG;
  out.guarded = show_directory_mode(workspace, real.text, shown);
  const int result = look_in_base(workspace, out);
  if (result != 0) return result;
  out.merged = out.is_directory();
  if (!out.merged) out.base_may_have = false;
  const struct stat base = out.status;
  out.source = Source::upper;
  out.status = shown;
  if (out.merged) {
    out.status.st_dev = base.st_dev;
    out.status.st_ino = base.st_ino;
    if (workspace.has_snapshot_base()) out.status.st_dev = workspace.device;
  } else {
    out.entry = nullptr;
  }
  return 0;
}

}  // namespace

int look_at(Workspace& workspace, bool ask_upper, Lookup& out, Near near, bool unseen) {
  out.whiteout = false;
  out.kept = false;
  out.merged = false;
  out.guarded = false;
  out.generation = workspace.control->generation.load(std::memory_order_acquire);
  if (out.path.length != 0 && is_reserved(out.path)) {
    out.source = Source::missing;
    out.entry = nullptr;
    return 0;
  }
  for (;;) {
    // If upper has nothing, but only because a commit sealed it a moment ago,
    // then the commit has raised the generation before: look again.
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
            out.kept = restore_identity(workspace, real.text, out.status);
          }
        }
        return 0;
      }
    }
    const int result = look_in_base(workspace, out, near, unseen);
    // Upper may have it all the same, only to be opened.
    out.guarded = out.source == Source::snapshot && S_ISDIR(out.status.st_mode) &&
                  workspace.control->filter.may_have_changed(guarded_key(out.hash));
    const uint64_t now = workspace.control->generation.load(std::memory_order_acquire);
    if (result != 0 || now == out.generation) return result;
    out.generation = now;
  }
}

}  // namespace vfs
