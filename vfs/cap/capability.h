// Capabilities and the table that ids lead to.
#pragma once

#include <sys/stat.h>

#include <atomic>

#include "vfs/cap/lock.h"
#include "vfs/core/grants.h"
#include "vfs/core/listing.h"
#include "vfs/core/workspace.h"
#include "vfs/vfs.h"

namespace vfs::cap {

static_assert(VFS_RIGHT_READ == kMayRead && VFS_RIGHT_WRITE == kMayWrite &&
              VFS_RIGHT_EXECUTE == kMayExecute);

// The names of a directory at one moment.
struct Names {
  Listing of_tree;
  char* entries = nullptr;  // outside: the kernel's, one behind the other, with our own offsets
  uint32_t size = 0;        // bytes

  ~Names() { vfs_free(entries); }
  // The first entry that does not begin before `offset`, whatever that is; null at the end.
  const struct dirent64* at(uint64_t offset) const;
  const struct dirent64* behind(const struct dirent64& entry) const;
};

// Lives as long as the table or a call holds it.
struct Capability {
  uint32_t interface_id = 0;
  Rights rights = 0;
  bool in_tree = false;        // of the workspace
  bool may_meet_tree = false;  // a directory outside, above the root of the workspace
  int fd = -1;                 // a file; a directory outside (O_PATH)
  char* path = nullptr;        // in the tree: canonical, relative to the root
  uint32_t path_length = 0;
  bool sealed = false;      // a file of the tree without an inode of its own: then
  struct stat status = {};  // as it was when it was opened
  uint64_t generation = 0;  // of the base at that time
  std::atomic<Names*> names{nullptr};
  uint32_t users = 1;  // guarded by the table

  ~Capability();
  bool set_path(const char* text, uint32_t length);
  void get_path(PathBuffer& out) const { out.assign(path, path_length); }
};

// Null: no memory. Freed by discard(), or by the table once it has it.
Capability* make_capability(uint32_t interface_id, Rights rights);
void discard(Capability* capability);

// Hands the capability to the table, in any case. Returns 0 or -EMFILE.
int enter(Capability* capability, vfs_cap& id);
int leave(vfs_cap id);

// One use of what an id stands for.
class Held {
 public:
  explicit Held(vfs_cap id);
  ~Held();
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  explicit operator bool() const { return capability_ != nullptr; }
  Capability* operator->() const { return capability_; }
  Capability& operator*() const { return *capability_; }

 private:
  Capability* capability_;
};

}  // namespace vfs::cap
