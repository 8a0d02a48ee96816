#include "vfs/command/recovery.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "manifest/walk.h"
#include "vfs/command/base.h"
#include "vfs/command/journal.h"
#include "vfs/command/links.h"
#include "vfs/command/tidy.h"
#include "vfs/core/copy_up.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// Whether `text` is the number of one of the names.
bool is_number(std::string_view text, const TidyNames& list, size_t& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && number < list.size();
}

// A name that is taken was given since, and counts. So does a link that took the
// place of a directory above: nothing is put where it leads.
void put_back_one(const std::string& state, const fs::path& aside, const std::string& name) {
  const size_t slash = name.rfind('/');
  const std::string directory = name.substr(0, slash);
  const Descriptor top(::open(state.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Descriptor parent = top ? open_below(top.get(), directory, O_PATH | O_DIRECTORY) : Descriptor();
  int error = errno;
  if (parent) {
    const KeepTimes keep((state + "/" + directory).c_str());
    if (::renameat2(AT_FDCWD, aside.c_str(), parent.get(), name.c_str() + slash + 1, RENAME_NOREPLACE) == 0) return;
    error = errno;
  }
  if (error != EEXIST && error != ENOENT && error != ENOTDIR && error != ELOOP) throw system_error(name, error);
  ::unlink(aside.c_str());
}

void put_back_from(const std::string& state, const fs::path& directory, std::string_view prefix,
                   const TidyNames& list) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    const std::string name = entry.path().filename().string();
    size_t number = 0;
    if (!name.starts_with(prefix) || !is_number(std::string_view(name).substr(prefix.size()), list, number)) continue;
    if (!list[number].empty()) put_back_one(state, entry.path(), list[number]);
  }
}

void put_back(OpenWorkspace& workspace) {
  const std::string state = workspace.state();
  const std::string group = tidy_group_path(state);
  const TidyNames list = read_tidy_names(state);
  put_back_from(state, state + "/work", "tidy.", list);
  put_back_from(state, group, "", list);
  ::rmdir(group.c_str());
  remove_tidy_names(state);
}

void finish_commit(OpenWorkspace& workspace, const SnapshotId& id) {
  if (snapshot_of_link(workspace.state(), "base") != id) return remove_tidy_names(workspace.state());
  move_base(workspace, workspace.manifest().snapshot(id));
  for (const std::string& name : read_tidy_names(workspace.state())) hide_if_removed(workspace, name);
  put_back(workspace);
}

}  // namespace

void recover(OpenWorkspace& workspace) {
  const Journal journal = read_journal(workspace.state());
  switch (journal.step) {
    case Step::none: return;
    case Step::undo: take_upper_back(workspace); break;
    case Step::move: move_base(workspace, workspace.manifest().snapshot(journal.snapshot)); [[fallthrough]];
    case Step::discard: drop_laid_aside(workspace); break;
    case Step::commit: finish_commit(workspace, journal.snapshot); break;
    case Step::tidy: put_back(workspace); break;
  }
  close_journal(workspace.state());
}

}  // namespace vfs
