// A workspace as one process sees it: where it is, what is mapped of it.
#pragma once

#include <atomic>

#include "cas/digest.h"
#include "vfs/core/control.h"
#include "vfs/core/index.h"
#include "vfs/core/key_set.h"
#include "vfs/core/path_buffer.h"

namespace vfs {

// Which part of a workspace could not be opened; names the file to look at.
enum class WorkspaceFault : uint8_t {
  none,
  no_marker,        // there is no marker at the root
  bad_marker,       // the marker does not say where the state is
  no_state,         // the marker points nowhere, or the state has no control file
  bad_control,      // the control file is damaged or of another version
  bad_index,        // the base's index is missing, damaged or of another version
};

// Plain data of constant size, so that the shim can hold it without a heap.
// After open() everything but the atomics is read-only; all functions that
// take a Workspace may be called from any thread and from signal handlers.
struct Workspace {
  KeptPath root;      // absolute, canonical, without a slash at the end
  KeptPath state;     // absolute: <store>/workspaces/<id>
  KeptPath upper;     // absolute: <state>/upper
  KeptPath store;     // absolute
  Control* control = nullptr;
  dev_t device = 0;   // st_dev of upper: what sealed files report too
  uid_t owner = 0;    // who made it; others but root cannot come to the store

  // Opens the workspace whose marker is in `directory` (any spelling of the
  // path, unless it is said to be canonical). Returns 0 or a negative errno, and
  // says in `fault` what is wrong.
  // `root` is set as soon as the marker was found, even if the rest fails.
  int open(const char* directory, WorkspaceFault& fault, bool canonical = false);

  bool has_snapshot_base() const {
    return control->base_kind.load(std::memory_order_acquire) == BaseKind::snapshot;
  }

  // The index of the base as it is now: maps the new one first if the base was
  // replaced. Only for a snapshot base. Returns 0, or a negative errno if the new
  // one cannot be mapped (no descriptor, no memory, else EIO): what the old one,
  // which stays in use (if there was none, nothing() stands in for it), says of the
  // tree need not be so any more.
  int index(Index& out);
  // The same for what was found in an index a moment ago.
  Index index() {
    Index now;
    index(now);
    return now;
  }

  // Absolute path of `path` (relative to the root) in upper. False: too long.
  bool upper_path(const PathBuffer& path, PathBuffer& out) const;
  // Absolute path of `path` at the root itself: the live base.
  bool live_path(const PathBuffer& path, PathBuffer& out) const;
  // Absolute path of an object.
  bool object_path(const Digest& digest, PathBuffer& out) const;
  // A path in the work directory that no other caller uses.
  bool temporary_path(PathBuffer& out) const;

  // If the absolute `real` path is the root, lies below it or in upper (or in
  // `run`, where programs are started from), gives the path relative to the
  // root and returns true.
  bool to_virtual(const char* real, uint32_t length, PathBuffer& out) const;

 private:
  // Here, since every process touches the pages of what stands around them.
  std::atomic<uint64_t> generation_ = 0;
  Index index_;

 public:
  // The paths above; and the shim's own, for they are needed together.
  PathMemory<10 * PATH_MAX> memory = {};

  // Directories this process has seen to be plain directories, reached
  // without any link: see lookup.cc.
  KeySet<1024> known_directories;
  // Files of the live base that were regular when last seen.
  KeySet<1024> known_files;

 private:
  int find_root(const char* directory, bool canonical);
  int open_state(WorkspaceFault& fault);
  int map_control();
  int open_index(Index& index) const;
};

// The name the kernel has for an open file or directory: the target of
// /proc/self/fd/N. False if there is none (a pipe, no /proc) or it is too long.
bool name_of_descriptor(int fd, PathBuffer& out);

// The name of `fault` for a message: "the marker", "the control file", ...
const char* describe(WorkspaceFault fault);

// Looks for a marker in `directory` and its ancestors (an absolute, canonical
// path); also understands a directory inside some workspace's upper. Gives the
// root in `root` and returns true, or returns false.
bool find_workspace(const char* directory, PathBuffer& root);

}  // namespace vfs
