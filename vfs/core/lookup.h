// Look-up: from a path as a program gives it to what stands there.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "vfs/core/upper.h"
#include "vfs/core/workspace.h"

namespace vfs {

enum class Source : uint8_t {
  missing,   // nothing; the parent directory exists
  upper,     // a real inode in upper (draft, directory, link, special file)
  record,    // a sealed file described by an object record in upper
  snapshot,  // an entry of the index
  live,      // a real inode of the live base
};

// The last component of a path, which some calls treat specially.
enum class LastComponent : uint8_t { name, dot, dot_dot, root };

// The place of a file of the live base as the program named it, from a directory
// that the kernel holds there: spares the kernel the walk from the top.
struct Near {
  int directory = AT_FDCWD;    // or a descriptor
  const char* path = nullptr;  // null: nothing is near
};

// `files`: what was a regular file when it was last seen (a FIFO of the base
// must not be opened, not even by mistake).
enum class Unseen : uint8_t { never, files, all };

// How a look-up may be cut short.
struct Shortcut {
  // A descriptor (AT_FDCWD: the working directory) of the live base's own
  // directory at `start`.
  static constexpr int kNotHeld = -1;
  int held = kNotHeld;
  // Of what stands in the live base no status is fetched: then "exists" means
  // that only the kernel can tell, and the type is none.
  Unseen unseen = Unseen::never;
};

// The answer to a look-up.
struct Lookup {
  // False: the path leaves the workspace; `path` is then the absolute path to
  // hand to the kernel, and only `path` is valid.
  bool inside;

  // Canonical, relative to the root ("" is the root): no links, no "..".
  PathBuffer path;
  uint64_t hash;  // path_hash of `path`

  Source source;
  uint64_t generation;       // of the base, from before anything was looked at
  bool whiteout;             // missing because upper hides what the base has
  bool kept;                 // a draft that goes by the number of the base's file
  bool merged;               // a directory that upper and base both have
  // What the kernel says of the right to change names in it, or in the
  // directory that holds it, cannot be trusted: see directory_mode.h.
  bool guarded;
  bool parent_guarded;
  bool must_be_directory;    // the program wrote a slash behind it
  LastComponent last;
  struct stat status;        // as lstat(2) shall answer; undefined if missing
  Digest digest;             // source record, or snapshot and a regular file
  const IndexEntry* entry;   // the snapshot's entry; for source upper only if merged
  struct timespec atime;     // of a record
  Near near;                 // of source live; as long as the path that was looked up
  // The kernel gives the same answer for the path as it was written, from the
  // working directory of a live base: as long as the tree does not change.
  bool as_written;
  // Of a look-up that failed: it is not because the directory it started from is
  // gone.
  bool start_stands;

  // Where the base would have this path. `base_is_elsewhere`: some ancestor
  // was renamed; else it is `path` itself.
  bool base_may_have;
  bool base_is_elsewhere;
  PathBuffer elsewhere;

  const PathBuffer& base_path() const { return base_is_elsewhere ? elsewhere : path; }
  bool exists() const { return source != Source::missing; }
  bool is_unseen() const { return source == Source::live && status.st_mode == 0; }
  bool is_directory() const { return exists() && S_ISDIR(status.st_mode); }
  bool is_link() const { return exists() && S_ISLNK(status.st_mode); }
  bool is_regular() const { return exists() && S_ISREG(status.st_mode); }
  // Content is an object (or a link target in the index), not an inode.
  bool is_sealed() const { return source == Source::record || source == Source::snapshot; }
};

// A link as the last component. `name` is for calls that make, remove or
// rename the name itself: they do not follow it even with a slash behind it.
// `create` is "yes" for a file to be made: where a slash stands behind the last
// name, in the path or in a link, it is -EISDIR, whatever is there.
enum class Follow : uint8_t { no, yes, name, create };

// Whether the workspace still stands on the base that the look-up was made with.
inline bool is_of_this_base(const Workspace& workspace, const Lookup& found) {
  return found.generation == workspace.control->generation.load(std::memory_order_acquire);
}

inline bool follows(Follow follow) { return follow == Follow::yes || follow == Follow::create; }

// Looks up `path` starting at the directory `start` (canonical, relative to
// the root; "" is the root). `path` is as the program wrote it, relative.
//
// Returns 0 with the answer in `out`, including "missing" when only the last
// component is; or a negative errno: -ENOENT (a component before the last, or
// an empty path), -ENOTDIR, -ELOOP (40 links), -ENAMETOOLONG, -EIO (damaged
// index), -EACCES (a directory on the way that must not be searched; the ones
// above `start` do not matter), or what the kernel said about a real part.
int look_up(Workspace& workspace, const PathBuffer& start, const char* path, Follow follow,
            Lookup& out, Shortcut shortcut = {});

// look_up() under the restrictions of openat2(2): of the flags in `resolve`,
// RESOLVE_BENEATH (-EXDEV for what would leave `start`), RESOLVE_IN_ROOT
// (`start` is "/" for the path and for every link), RESOLVE_NO_SYMLINKS (-ELOOP)
// and RESOLVE_NO_XDEV (-EXDEV at an absolute link, as the kernel says it for a
// walk that began elsewhere) are judged here. The others matter only outside.
int look_up_restricted(Workspace& workspace, const PathBuffer& start, const char* path,
                       Follow follow, uint64_t resolve, Lookup& out);

// The same for a path that is canonical already: the last component is not
// followed, nothing before it can be a link, and permissions do not matter.
int look_up_canonical(Workspace& workspace, const PathBuffer& path, Lookup& out);

// What the base has at the place that `path` has in it. False: nothing.
bool look_up_in_base(Workspace& workspace, const PathBuffer& path, Lookup& out);

// Whether the base has anything at the place of `found`, hidden or not: what
// decides between removing a name and leaving a whiteout.
bool base_has(Workspace& workspace, const Lookup& found);

// The target of the link that `found` is.
// (Unseen: the kernel's errors; -ESTALE if it has to be looked at after all.)
int read_link(Workspace& workspace, const Lookup& found, PathBuffer& target);

// If the absolute path `absolute` leads into the workspace, gives the rest
// relative to the root (not canonical yet) and returns true. Understands "//",
// "/./" and ".."; links outside the workspace are not followed here.
bool enter_workspace(const Workspace& workspace, const char* absolute, PathBuffer& rest);

}  // namespace vfs
