#include "vfs/command/workspace_state.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cas/error.h"
#include "cas/file_io.h"
#include "vfs/command/links.h"
#include "vfs/core/names_internal.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLookedAt = 10'000;  // directories beside a root that is gone
constexpr std::string_view kHeading = "vfs workspace 1\nstate ";

bool same_file(const std::string& a, const std::string& b) {
  struct stat first;
  struct stat second;
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool is_in(const std::string& path, const std::string& directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

bool is_named(const WorkspaceState& state, const std::string& named) {
  return named == state.path || same_file(named, state.path);
}

// What the marker at a root names; or why there is nothing, as look_at_marker().
Marker read_marker(const std::string& root, std::string& named, std::string& why) {
  const std::string path = root + "/" + kMarkerName;
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  why = fmt::format("there is no marker {}", path);
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return Marker::lost;
  why = fmt::format("its marker {} cannot be read", path);
  if (!fd) return Marker::unknown;
  std::string text(PATH_MAX + kHeading.size() + 1, '\0');
  try {
    text.resize(read_up_to(fd.get(), text.data(), text.size(), path));
  } catch (const Error&) {
    return Marker::unknown;
  }
  const size_t end = text.find('\n', kHeading.size());
  why = fmt::format("its marker {} is damaged", path);
  if (!text.starts_with(kHeading) || end == std::string::npos) return Marker::unknown;
  named = text.substr(kHeading.size(), end - kHeading.size());
  return Marker::ours;
}

// Whether a process has something of the state mapped, open, or stands in it.
bool uses(const fs::path& process, const std::string& state) {
  for (const char* link : {"cwd", "root", "exe"}) {
    if (is_in(link_target(process / link), state)) return true;
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(process / "fd", error)) {
    if (is_in(link_target(entry.path()), state)) return true;
  }
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t path = line.find('/');
    if (path != std::string::npos && is_in(line.substr(path), state)) return true;
  }
  return false;
}

void walk_below(const std::string& upper, const std::string& path,
                const std::function<void(const UpperItem&)>& visit) {
  std::error_code error;
  const std::string directory = path.empty() ? upper : upper + "/" + path;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().native();
    UpperItem item = {path.empty() ? name : path + "/" + name, {}, {}};
    const std::string& real = at->path().native();
    if (::lstat(real.c_str(), &item.status) != 0) continue;
    if (S_ISLNK(item.status.st_mode)) {
      item.target = link_target(real);
      if (item.target.empty()) continue;
    }
    visit(item);
    if (S_ISDIR(item.status.st_mode)) walk_below(upper, item.path, visit);
  }
  if (error && error.value() != ENOENT) throw system_error(directory, error.value());
}

}  // namespace

std::vector<WorkspaceState> all_states(const Store& store) {
  std::vector<WorkspaceState> states;
  for (const auto& entry : fs::directory_iterator(store.workspaces())) {
    if (!fs::is_directory(entry.symlink_status())) continue;
    states.push_back({entry.path().string(), link_target(entry.path() / "root")});
  }
  std::sort(states.begin(), states.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return states;
}

Marker look_at_marker(const WorkspaceState& state, std::string& why) {
  why = "its link `root` is missing";
  if (state.root.empty() || state.root[0] != '/') return Marker::unknown;
  std::string named;
  const Marker marker = read_marker(state.root, named, why);
  if (marker != Marker::ours) return marker;
  if (is_named(state, named)) return Marker::ours;
  why = fmt::format("its marker {}/{} names another place, {}", state.root, kMarkerName, named);
  // Of the same name, and not there: then the store was moved.
  const bool moved = fs::path(named).filename() == fs::path(state.path).filename() &&
                     ::access(named.c_str(), F_OK) != 0;
  return moved ? Marker::unknown : Marker::lost;
}

std::string find_moved_root(const WorkspaceState& state) {
  // The first component that is missing, or else the last, has got another name.
  std::error_code error;
  fs::path above = fs::path(state.root).parent_path();
  while (above.has_relative_path() && !fs::is_directory(above, error)) above = above.parent_path();
  const fs::path below = fs::path(state.root).lexically_relative(above);
  fs::path rest;
  for (auto part = std::next(below.begin()); part != below.end(); ++part) rest /= *part;
  int looked_at = 0;
  for (fs::directory_iterator at(above, error), end; !error && at != end; at.increment(error)) {
    if (++looked_at > kMostLookedAt) break;
    const std::string root = (rest.empty() ? at->path() : at->path() / rest).string();
    std::string named;
    std::string why;
    if (read_marker(root, named, why) == Marker::ours && is_named(state, named)) return root;
  }
  return {};
}

std::optional<std::string> who_runs_in(const std::string& state) {
  std::error_code error;
  const std::string own = std::to_string(::getpid());
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().native();
    if (name.find_first_not_of("0123456789") != std::string::npos || name == own) continue;
    if (uses(at->path(), state)) return "process " + name;
  }
  if (error) return "some process, perhaps: /proc cannot be read";
  return std::nullopt;
}

StateLock::StateLock(const std::string& state, Missing missing, Wait wait) {
  const std::string path = state + "/commit-lock";
  file_ = missing == make ? open_private(path) : Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  held_ = !file_ && errno == ENOENT && missing == leave;
  if (held_) return;
  if (!file_) throw system_error(path, errno);
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  do {
    held_ = ::fcntl(file_.get(), wait == until_free ? F_OFD_SETLKW : F_OFD_SETLK, &whole) == 0;
  } while (!held_ && errno == EINTR);
  if (!held_ && errno != EAGAIN && errno != EACCES) throw system_error(path, errno);
}

void walk_upper(const std::string& state, const std::function<void(const UpperItem&)>& visit) {
  walk_below(state + "/upper", "", visit);
}

void walk_work(const std::string& state, const std::function<void(const UpperItem&)>& visit) {
  walk_below(state + "/work", "", visit);
}

bool holds_changes(const std::string& state) {
  bool any = false;
  walk_upper(state, [&](const UpperItem& item) { any = any || !S_ISDIR(item.status.st_mode); });
  return any;
}

void remove_state(const Store& store, const std::string& state) {
  const std::string aside = store.temporary_name().string();
  if (::rename(state.c_str(), aside.c_str()) != 0) throw system_error(state, errno);
  discard_aside(aside.c_str());
}

}  // namespace vfs
