// Reading a real directory tree into nodes, without the bytes of its files.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cas/descriptor.h"
#include "manifest/manifest.h"

namespace vfs {

struct WalkOptions {
  std::string shown;     // the name of the top, for messages
  FileStamp left_out;    // device and inode of a directory that is not entered (the store)
  // A path that was left out, and why. Called from one thread at a time.
  std::function<void(const std::string& path, const std::string& why)> skipped;
};

// A regular file that was found.
struct FoundFile {
  TreeNode* node;
  size_t directory;  // number in WalkedTree::directories
  FileStamp stamp;   // as it was when it was found
};

struct WalkedTree {
  TreeNode root;
  std::vector<std::string> directories;  // paths relative to the top
  std::vector<FoundFile> files;          // in the order of their paths' directories

  std::string path(const FoundFile& file) const;
};

// Walks everything below `top`, a descriptor of a directory, with all
// processors. Links are not followed; the marker `.vfs` at the top and sockets
// are left out, and so is what vanishes meanwhile. Names of one inode have got
// their link group. Nodes stay where they are as long as `tree` is not
// changed. Throws Error, naming the path, for what cannot be read.
void walk(int top, const WalkOptions& options, WalkedTree& tree);

// Opens a path below `top` without following any link on the way, however long
// the path is. No descriptor and errno set if that fails.
Descriptor open_below(int top, const std::string& path, int flags);

// A path that went away during the walk: its node is marked, and taken out of
// the tree by remove_vanished().
void mark_vanished(TreeNode& node);
void remove_vanished(TreeNode& node);

Metadata metadata_of(const struct stat& status);

// A number for the hard-link group that has this name, mostly its first path.
uint64_t link_group_of(std::string_view path);

}  // namespace vfs
