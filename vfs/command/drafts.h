// The files that a commit seals.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "vfs/command/context.h"

namespace vfs {

// A file whose bytes a commit stores.
struct Draft {
  TreeNode* node;
  std::string path;         // relative to the root
  std::string real;
  bool upper;               // else a file of the live base
  struct stat status = {};  // when its bytes were read
  Digest digest = {};       // of those bytes
  // A write since would have given it another time stamp. Not so if it had
  // changed just before it was read, or if someone had it open for writing: a
  // page that is mapped and dirty already takes more without a new time.
  bool settled = false;
  bool gone = false;  // when it was to be read: it is no part of the snapshot
  size_t number = 0;  // of its name in TidyNames
};

// Puts their bytes into the store, in parallel, and digest, size and metadata into
// their nodes. Not the bytes of one whose stamp the manifest remembers. A file that
// is gone, or no file any more, is marked as that. Throws Error: one cannot be read,
// or does not stop changing.
void store_drafts(OpenWorkspace& workspace, std::vector<std::unique_ptr<Draft>>& drafts);

}  // namespace vfs
