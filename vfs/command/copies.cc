#include "vfs/command/copies.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <set>

#include "cas/error.h"
#include "cas/file_io.h"
#include "vfs/command/workspace_state.h"

namespace vfs {
namespace {

constexpr int kMostLookedAt = 4096;
constexpr int kMostRead = 64;

constexpr std::string_view kIngested = "ingest /";  // how the message of an ingest begins

Descriptor open_if_regular(const std::string& path, uint64_t size) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<uint64_t>(status.st_size) != size) {
    return {};
  }
  return fd;
}

bool has_digest(int fd, const std::string& path, const Digest& digest) {
  try {
    return digest_of_file(fd, path) == digest && ::lseek(fd, 0, SEEK_SET) == 0;
  } catch (const Error&) {
    return false;  // what cannot be read is no copy
  }
}

}  // namespace

Copies::Copies(const Store& store) {
  for (const WorkspaceState& state : all_states(store)) {
    places_.push_back(state.path + "/upper");
    places_.push_back(state.path + "/run");
    if (!state.root.empty()) places_.push_back(state.root);
  }
}

std::optional<Copy> Copies::find(const Digest& digest, uint64_t size,
                                 const std::vector<ServedPath>& serves) const {
  std::set<std::string> seen;
  int read = 0;
  const auto is_copy = [&](const std::string& path, Descriptor& fd) {
    if (static_cast<int>(seen.size()) >= kMostLookedAt || read >= kMostRead || !seen.insert(path).second) {
      return false;
    }
    fd = open_if_regular(path, size);
    if (!fd) return false;
    ++read;
    return has_digest(fd.get(), path, digest);
  };
  for (const ServedPath& served : serves) {
    Descriptor fd;
    if (served.origin.starts_with(kIngested)) {
      const std::string path = served.origin.substr(kIngested.size() - 1) + "/" + served.path;
      if (is_copy(path, fd)) return Copy{std::move(fd), path};
    }
    for (const std::string& place : places_) {
      const std::string path = place + "/" + served.path;
      if (is_copy(path, fd)) return Copy{std::move(fd), path};
    }
  }
  return std::nullopt;
}

}  // namespace vfs
