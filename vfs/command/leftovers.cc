#include "vfs/command/leftovers.h"

#include <algorithm>
#include <filesystem>

#include "cas/error.h"
#include "cas/object_store.h"
#include "vfs/command/workspace_state.h"
#include "vfs/core/names_internal.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// Some of tmp/ and all of work/ is used without the store's lock, for as long as
// it takes to rename it; while it is written its ctime is now.
constexpr int64_t kInUse = 60;  // seconds

// Belongs to a command that moves the workspace; recovery knows what to do with it.
bool is_journaled(const std::string& name) { return name == "undo" || name.starts_with("tidy."); }

// What is gone meanwhile is none.
void add(const fs::path& path, const Grace& grace, int64_t at_least, std::vector<Leftover>& leftovers) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return;
  leftovers.push_back({path.string(), S_ISREG(status.st_mode) ? static_cast<uint64_t>(status.st_size) : 0,
                       grace.is_over(status, at_least)});
}

}  // namespace

bool Grace::is_over(const struct stat& status, int64_t at_least) const {
  const int64_t least = std::max(seconds, at_least);
  return least == 0 || now - status.st_ctim.tv_sec >= least;
}

std::vector<Leftover> leftovers_in_store(const Store& store, const Grace& grace) {
  std::vector<Leftover> leftovers;
  ObjectStore(store).for_each_unfinished([&](const fs::path& path) { add(path, grace, 0, leftovers); });
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(store.temporary(), error)) {
    add(entry.path(), grace, kInUse, leftovers);
  }
  return leftovers;
}

std::vector<Leftover> leftovers_in_state(const std::string& state, const Grace& grace) {
  std::vector<Leftover> leftovers;
  std::error_code error;
  // Not what a link leads to.
  for (const char* part : {"/work", "/run"}) {
    if (!fs::is_directory(fs::symlink_status(state + part, error))) return leftovers;
  }
  for (const auto& entry : fs::directory_iterator(state + "/work", error)) {
    if (!is_journaled(entry.path().filename())) add(entry.path(), grace, kInUse, leftovers);
  }
  const size_t in_work = leftovers.size();
  for (fs::recursive_directory_iterator at(state + "/run", error), end; !error && at != end; at.increment(error)) {
    struct stat status;
    if (::lstat(at->path().c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1) {
      add(at->path(), grace, 0, leftovers);
    }
  }
  // To look for programs takes a while: only if it matters.
  if (leftovers.size() != in_work && who_runs_in(state)) {
    for (size_t i = in_work; i < leftovers.size(); ++i) leftovers[i].is_over = false;
  }
  return leftovers;
}

void remove_leftover(const std::string& path) {
  discard_aside(path.c_str());
  struct stat status;
  if (::lstat(path.c_str(), &status) == 0) throw Error(path, "it could not be removed", "remove it by hand");
}

}  // namespace vfs
