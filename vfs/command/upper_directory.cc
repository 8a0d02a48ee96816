#include "vfs/command/upper_directory.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>

#include "vfs/core/upper.h"

namespace vfs {

bool shows_own_base(const Lookup& directory) {
  return directory.source == Source::upper && directory.merged && !directory.base_is_elsewhere;
}

UpperDirectory::UpperDirectory(OpenWorkspace& workspace, const Lookup& directory) {
  PathBuffer real;
  if (!workspace.core().upper_path(directory.path, real)) {
    throw system_error(directory.path.text, ENAMETOOLONG);
  }
  stream_.reset(::opendir(real.text));
  if (!stream_) {
    if (errno == ENOENT || errno == ENOTDIR) return;
    throw system_error(directory.path.text, errno);
  }
  while (const struct dirent* entry = ::readdir(stream_.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name != kDirectoryRecordName) names_.emplace_back(name);
  }
  std::sort(names_.begin(), names_.end());
}

bool UpperDirectory::is_draft(const std::string& name, struct stat& status) const {
  // What begins with a dot may be reserved.
  return name[0] != '.' &&
         ::fstatat(::dirfd(stream_.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode);
}

}  // namespace vfs
