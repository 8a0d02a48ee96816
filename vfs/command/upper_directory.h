// What upper holds of a directory, asked for without look-ups.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "vfs/command/context.h"

namespace vfs {

// Whether a directory shows what the base has under its own path, but for the
// names that upper has in it.
bool shows_own_base(const Lookup& directory);

// A directory that exists in upper, open. Throws Error if it cannot be read; one
// that is gone has no names.
class UpperDirectory {
 public:
  UpperDirectory(OpenWorkspace& workspace, const Lookup& directory);

  // Sorted: drafts, directories, records and whiteouts, but not what upper has
  // to say of the directory itself.
  const std::vector<std::string>& names() const { return names_; }

  // Whether a name is a draft, as its inode in upper says; it shows the tree's
  // metadata, but for the inode number.
  bool is_draft(const std::string& name, struct stat& status) const;

 private:
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  std::unique_ptr<DIR, Close> stream_;
  std::vector<std::string> names_;
};

}  // namespace vfs
