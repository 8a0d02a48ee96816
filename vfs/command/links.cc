#include "vfs/command/links.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include <filesystem>

#include "cas/error.h"
#include "cas/hash.h"

namespace vfs {

std::string link_target(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), target, sizeof(target));
  return std::string(target, length > 0 ? static_cast<size_t>(length) : 0);
}

void replace_link(const Store& store, const std::string& target, const std::string& path) {
  const std::string temporary = store.temporary_name().string();
  if (::symlink(target.c_str(), temporary.c_str()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    throw system_error(path, errno);
  }
}

std::string index_link(const SnapshotId& id) { return "../../indexes/" + digest_text(id) + ".index"; }

std::optional<SnapshotId> snapshot_of_link(const std::string& state, const char* name) {
  const std::string text = std::filesystem::path(link_target(state + "/" + name)).stem().string();
  SnapshotId id;
  if (text.size() != Digest::kHexLength || !digest_from_hex(text.data(), id)) return std::nullopt;
  return id;
}

}  // namespace vfs
