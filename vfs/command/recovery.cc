#include "vfs/command/recovery.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

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

// A name that is taken was given since, and counts.
void put_back_from(const std::string& state, const fs::path& directory, std::string_view prefix,
                   const TidyNames& list) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    const std::string name = entry.path().filename().string();
    size_t number = 0;
    if (!name.starts_with(prefix) || !is_number(std::string_view(name).substr(prefix.size()), list, number)) continue;
    const std::string place = state + "/" + list[number];
    const KeepTimes keep(fs::path(place).parent_path().c_str());
    if (::renameat2(AT_FDCWD, entry.path().c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno != EEXIST && errno != ENOENT && errno != ENOTDIR) throw system_error(place, errno);
      ::unlink(entry.path().c_str());
    }
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
