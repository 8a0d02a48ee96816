// Grants: what a process was told that it may touch, each a subtree with a name and rights.
//
// `vfs run` hands them on in the environment variable VFS_GRANTS: lines NAME=RIGHTS:PATH. RIGHTS
// are letters of "rwx", each at most once and in that order. PATH is absolute and has no ".", "..",
// "//" or slash at its end; in it a backslash is written as two, and a newline as backslash and
// "n". NAME has 1 to 63 letters, digits, '_' and '-'. A text that says anything else is not
// understood in part: who trusted the part might trust too much.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vfs/core/path_buffer.h"

namespace vfs {

constexpr char kGrantsVariable[] = "VFS_GRANTS";
constexpr char kWorkspaceGrant[] = "workspace";

using Rights = uint8_t;  // the bits of access(2): R_OK, W_OK, X_OK
constexpr Rights kMayRead = 4;
constexpr Rights kMayWrite = 2;
constexpr Rights kMayExecute = 1;
constexpr Rights kAllRights = kMayRead | kMayWrite | kMayExecute;

struct Grant {
  KeptPath name;
  KeptPath path;
  Rights rights = 0;
};

// Whether `directory` is `path` or one of its ancestors. Both as in a grant.
bool contains(const KeptPath& directory, const char* path, size_t length);

// Plain data of constant size, usable when all its bytes are zero. Reading is safe in any thread
// and in signal handlers.
class Grants {
 public:
  static constexpr uint32_t kCapacity = 64;
  static constexpr uint32_t kNameLength = 63;

  // Takes what `text` says in place of what was there; an empty text grants nothing. 0, or a
  // negative errno, and then nothing is granted: -EINVAL (malformed, or a name that comes twice),
  // -E2BIG (more than fits), -ENAMETOOLONG.
  int parse(const char* text, size_t length);

  // Adds one grant, with its path as it is. Errors as of parse(); what was there stays.
  int add(const char* name, size_t name_length, const char* path, size_t path_length,
          Rights rights);

  // Writes the text that parse() understands, without a NUL at its end, if it has no more than
  // `size` bytes. Returns how many it has.
  size_t format(char* out, size_t size) const;

  // Null: there is none of this name. Lives as long as the Grants, until the next parse().
  const Grant* find(const char* name, size_t length) const;

  // What may be done at `path` (absolute and normal, as in a grant): whatever any grant that
  // contains it lets. Links are the caller's concern.
  Rights rights_of(const char* path, size_t length) const;

  uint32_t count() const { return count_; }
  const Grant* begin() const { return grants_; }
  const Grant* end() const { return grants_ + count_; }

 private:
  int parse_line(const char* line, size_t length);

  uint32_t count_ = 0;
  Grant grants_[kCapacity];
  PathMemory<32 * 1024> memory_ = {};
};

}  // namespace vfs
