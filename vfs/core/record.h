// Records: what upper has to say without content.
//
// A record is a symbolic link in upper whose target begins with kRecordPrefix,
// standing at the very path it speaks of. One inode a path means that a path
// is in exactly one state, and that going from one state to the next is one
// rename(2). A program's own link with such a target is kept in escaped form,
// so no target is forbidden.
//
// What a record can be:
//   whiteout  the base's file or directory of this name does not exist here
//   object    a sealed file: the object with this digest, with this metadata
//   link      a symbolic link of a program whose target needed the escape, or
//             which came from the base and keeps its identity
// and, under the reserved name kDirectoryRecordName inside a directory,
//   opaque    nothing of the base shows through this directory
//   redirect  the base's part of this directory is found at another path
//
// Directory records carry the generation of the base they speak of. A commit
// moves the base to a snapshot that has every directory where the workspace
// has it; raising the generation makes all older records void at once.
//
// A character device 0:0 is a whiteout too: rename(2) with RENAME_WHITEOUT
// leaves one behind, atomically.
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "cas/digest.h"
#include "vfs/core/path_buffer.h"

namespace vfs {

constexpr char kRecordPrefix[] = "\x01vfs1:";
constexpr uint32_t kRecordPrefixLength = sizeof(kRecordPrefix) - 1;

// Programs can neither see nor make a file of this name.
constexpr char kDirectoryRecordName[] = ".vfs-directory";
// The marker; reserved at the root of a workspace only.
constexpr char kMarkerName[] = ".vfs";

enum class RecordKind : uint8_t { none, whiteout, object, link, opaque, redirect };

// A sealed file: content by digest, metadata by value.
struct ObjectRecord {
  Digest digest;
  uint64_t size;        // bytes
  uint64_t inode;       // st_ino, kept from the base so that identity survives
  mode_t mode;          // type and permission bits
  uid_t uid;
  gid_t gid;
  struct timespec atime;
  struct timespec mtime;
};

// What the target of a symbolic link in upper says. `none`: it is an ordinary
// link. `payload` points behind the kind: the escaped target or the redirect.
// A text that has the prefix and makes no sense is reported as whiteout with
// `damaged` set: the path must not silently fall through to the base.
struct Record {
  RecordKind kind = RecordKind::none;
  bool damaged = false;
  ObjectRecord object;
  uint64_t generation = 0;  // opaque, redirect
  uint64_t inode = 0;       // link: the number and device it had in the base; 0 if it is new
  uint64_t device = 0;
  const char* payload = nullptr;
};

// `target` is NUL-terminated and has to outlive `record`.
void parse_record(const char* target, uint32_t length, Record& record);

// Each writes the link target of one record. False if it does not fit.
bool format_object_record(const ObjectRecord& object, PathBuffer& out);
bool format_whiteout_record(PathBuffer& out);
bool format_opaque_record(uint64_t generation, PathBuffer& out);
bool format_redirect_record(uint64_t generation, const char* base_path, PathBuffer& out);
// The target to store for a program's link: the same, or escaped.
bool format_link_target(const char* target, PathBuffer& out);
// The same for a link that goes on as the base's inode.
bool format_kept_link_target(const char* target, uint64_t inode, uint64_t device, PathBuffer& out);

}  // namespace vfs
