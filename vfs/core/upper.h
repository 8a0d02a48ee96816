// Reading and changing single entries of the upper layer.
//
// All paths are canonical and relative to the root of the workspace. Every
// function returns 0 or a negative errno, keeps no state, and is safe in
// signal handlers and in a vfork child.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "vfs/core/record.h"
#include "vfs/core/workspace.h"

namespace vfs {

enum class UpperKind : uint8_t {
  absent,    // upper has no say here
  inode,     // a draft, directory, link or special file: `status` is the kernel's,
             // but for the size and identity of a link that a record describes
  whiteout,  // hides what the base has
  object,    // a sealed file: see `object`; `status` is that of the record itself
};

struct UpperEntry {
  UpperKind kind;
  struct stat status;
  ObjectRecord object;
};

// Puts what programs see of a link into the status of the inode that is the record.
void show_link(const Record& record, struct stat& status);

// What upper holds at `path`. A missing parent counts as absent.
int read_upper(const Workspace& workspace, const PathBuffer& path, UpperEntry& entry);

// What the base contributes to a directory that upper has.
enum class Shade : uint8_t { merged, opaque, redirected };

// Reads the directory record inside the upper directory `path`; `redirect`
// gets the base path if there is one.
Shade read_shade(const Workspace& workspace, const PathBuffer& path, PathBuffer& redirect);

// Writes the directory record into the directory at the absolute `directory`,
// replacing one that is there.
int write_opaque(const Workspace& workspace, const char* directory);
int write_redirect(const Workspace& workspace, const char* directory, const char* base_path);

// The target of the symbolic link that upper holds at `path`, unescaped.
int read_upper_link(const Workspace& workspace, const PathBuffer& path, PathBuffer& target);

// Makes a whiteout at an absolute path of the state that must not exist yet. All
// of a workspace are links to one inode while that has room for them: a name
// costs a fraction of an inode.
int make_whiteout(const Workspace& workspace, const char* absolute);

// True for the two names programs must not meet: the marker at the root, the
// directory record anywhere.
bool is_reserved(const PathBuffer& path);

// The byte of the state's file `lock` that is a path's lock.
inline off_t path_lock_byte(uint64_t path_hash) { return static_cast<off_t>(path_hash >> 2); }

// Serialises those changes of one path that take more than one system call
// (copy-up, a new file in place of a whiteout). Readers never take it. Signals
// are blocked while it is held, so a handler cannot wait for its own thread;
// the kernel lets go of it when the process dies.
class PathLock {
 public:
  PathLock(const Workspace& workspace, uint64_t path_hash)
      : PathLock(workspace, path_lock_byte(path_hash), F_WRLCK) {}
  ~PathLock();
  PathLock(const PathLock&) = delete;
  PathLock& operator=(const PathLock&) = delete;

  int error() const { return fd_ < 0 ? fd_ : 0; }

  // Gives the lock and its descriptor up before the end of the scope.
  void release();

 protected:
  PathLock(const Workspace& workspace, off_t byte, short kind);

 private:
  int fd_;
  uint64_t saved_signals_;
};

// For a change that the kernel made, by its path, to what a look-up found in upper:
// `result`, or -ESTALE if nothing is there any more. What a commit seals leaves upper
// without asking: what was changed then had lost its name already, and whoever finds
// nothing is to look where it is now.
int check_reached(const Workspace& workspace, const PathBuffer& upper, int result);

// The records in directories speak of one base. Shared: for who writes one, and puts
// the directory where it counts. Exclusive: for who moves the base. To be taken
// before any PathLock.
class DirectoryRecordLock : public PathLock {
 public:
  enum Kind : short { shared = F_RDLCK, exclusive = F_WRLCK };
  DirectoryRecordLock(const Workspace& workspace, Kind kind) : PathLock(workspace, kByte, kind) {}

 private:
  static constexpr off_t kByte = off_t{1} << 62;  // behind those of the paths
};

// Keeps a directory's times as they are while an entry is mirrored or copied
// up into it: that is our doing, not the program's.
class KeepTimes {
 public:
  // `directory` is absolute; its text is copied.
  explicit KeepTimes(const char* directory);
  ~KeepTimes();
  KeepTimes(const KeepTimes&) = delete;
  KeepTimes& operator=(const KeepTimes&) = delete;

 private:
  PathBuffer path_;
  struct timespec times_[2];
  bool known_;
};

}  // namespace vfs
