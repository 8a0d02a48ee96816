#include "vfs/command/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "manifest/index_writer.h"
#include "vfs/command/journal.h"
#include "vfs/command/links.h"
#include "vfs/command/recovery.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/directory_mode.h"
#include "vfs/core/names_internal.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// Beside upper: what goes with it.
constexpr const char* kNotes[] = {"moved", "identities", "hidden", "removed"};

std::string undo_path(const OpenWorkspace& workspace) { return workspace.state() + "/work/undo"; }

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) throw system_error(path, errno);
}

void move_if_there(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) throw system_error(from, errno);
}

// Everything in upper and of its notes goes to work/undo. The directory upper stays,
// since programs may stand in it; its times are kept by the one in work/undo.
void lay_aside(OpenWorkspace& workspace) {
  const std::string upper = workspace.state() + "/upper";
  const std::string undo = undo_path(workspace);
  struct stat status;
  if (::lstat(upper.c_str(), &status) != 0) throw system_error(upper, errno);
  discard_aside(undo.c_str());
  make_directory(undo);
  make_directory(undo + "/upper");
  const struct timespec times[2] = {status.st_atim, status.st_mtim};
  const std::string kept = undo + "/times";
  make_directory(kept);
  ::utimensat(AT_FDCWD, kept.c_str(), times, 0);
  write_journal(workspace.store(), workspace.state(), {.step = Step::undo});
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(upper)) names.push_back(entry.path().filename());
  for (const std::string& name : names) move_if_there(upper + "/" + name, undo + "/upper/" + name);
  for (const char* notes : kNotes) {
    move_if_there(workspace.state() + "/" + notes, undo + "/" + notes);
  }
}

// Gives everything in `from` its name in `to` back, unless something has it by now:
// into a directory that was made again goes what is missing in it.
void put_back(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == ENOENT || errno == ENOTDIR) return;
  if (errno != EEXIST) throw system_error(to, errno);
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(from, error)) ||
      !fs::is_directory(fs::symlink_status(to, error))) {
    return;
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(from)) names.push_back(entry.path().filename());
  for (const std::string& name : names) put_back(from + "/" + name, to + "/" + name);
}

void forget_cached_paths(OpenWorkspace& workspace) {
  workspace.core().control->rename_generation.fetch_add(1, std::memory_order_acq_rel);
}

}  // namespace

BaseLock::BaseLock(OpenWorkspace& workspace, StateLock::Wait wait)
    : lock_(workspace.state(), StateLock::make, wait) {
  if (held()) recover(workspace);
}

void move_base(OpenWorkspace& workspace, const Snapshot& snapshot) {
  std::optional<Snapshot> before;
  if (workspace.core().has_snapshot_base()) before = workspace.head();
  write_index(workspace.store(), workspace.manifest(), snapshot, before ? &*before : nullptr);
  replace_link(workspace.store(), index_link(snapshot.id), workspace.state() + "/base");
  // At once: who starts in between has the new base, and takes records of the old one for its own.
  Control& control = *workspace.core().control;
  control.base_kind.store(BaseKind::snapshot, std::memory_order_release);
  control.generation.fetch_add(1, std::memory_order_acq_rel);
  workspace.set_head(snapshot.id);
  // The new base has every directory where the workspace has it.
  discard_aside((workspace.state() + "/moved").c_str());
  forget_cached_paths(workspace);
}

void drop_laid_aside(OpenWorkspace& workspace) {
  const fs::path upper = workspace.state() + "/upper";
  Lookup root;
  const PathBuffer top;
  workspace.look_up(top, root);
  struct stat status = root.status;
  if (const std::optional<Snapshot> head = workspace.head();
      head && workspace.core().has_snapshot_base()) {
    status.st_mode = S_IFDIR | (head->root.mode & 07777);
    status.st_mtim = {head->root.mtime_seconds, static_cast<long>(head->root.mtime_nanoseconds)};
  } else {
    ::stat(workspace.root().c_str(), &status);
  }
  const struct timespec times[2] = {status.st_mtim, status.st_mtim};
  set_directory_mode(workspace.core(), upper.c_str(), kRootPathHash, status);
  ::utimensat(AT_FDCWD, upper.c_str(), times, 0);
  forget_cached_paths(workspace);
  discard_aside(undo_path(workspace).c_str());
}

void take_upper_back(OpenWorkspace& workspace) {
  const std::string undo = undo_path(workspace);
  const std::string upper = workspace.state() + "/upper";
  struct stat status;
  const bool kept = ::lstat((undo + "/times").c_str(), &status) == 0;
  put_back(undo + "/upper", upper);
  for (const char* notes : kNotes) put_back(undo + "/" + notes, workspace.state() + "/" + notes);
  const struct timespec times[2] = {status.st_atim, status.st_mtim};
  if (kept) ::utimensat(AT_FDCWD, upper.c_str(), times, 0);
  forget_cached_paths(workspace);
  discard_aside(undo.c_str());
}

void drop_upper(OpenWorkspace& workspace) {
  lay_aside(workspace);
  write_journal(workspace.store(), workspace.state(), {.step = Step::discard});
  drop_laid_aside(workspace);
  close_journal(workspace.state());
}

void switch_base(OpenWorkspace& workspace, const Snapshot& snapshot) {
  lay_aside(workspace);
  write_journal(workspace.store(), workspace.state(), {.step = Step::move, .snapshot = snapshot.id});
  move_base(workspace, snapshot);
  drop_laid_aside(workspace);
  close_journal(workspace.state());
  // What programs changed before they noticed belongs to what was left.
  drop_upper(workspace);
}

void restore_path(OpenWorkspace& workspace, const PathBuffer& path) {
  if (path.length == 0) return drop_upper(workspace);
  // What stands in upper above the path decides whether the base shows there.
  for (PathBuffer above = path; above.pop(), above.length != 0;) {
    Lookup found;
    workspace.look_up(above, found);
    if (!found.is_directory() || found.base_is_elsewhere ||
        (!found.base_may_have && found.source == Source::upper && base_has(workspace.core(), found))) {
      throw Error(path.text, fmt::format("the directory {} was removed or renamed", above.text),
                  "restore that directory");
    }
  }
  PathBuffer upper;
  if (!workspace.core().upper_path(path, upper)) throw system_error(path.text, ENAMETOOLONG);
  PathBuffer parent = upper;
  parent.pop();
  struct stat status;
  if (::lstat(upper.text, &status) != 0) return;
  const KeepTimes keep(parent.text);
  // In one step; a directory that is taken apart in its place could be seen half.
  const std::string undo = undo_path(workspace);
  const std::string aside = undo + "/upper/" + path.text;
  discard_aside(undo.c_str());
  std::error_code error;
  fs::create_directories(fs::path(aside).parent_path(), error);
  if (error) throw system_error(aside, error.value());
  move_if_there(upper.text, aside);
  forget_cached_paths(workspace);
  discard_aside(undo.c_str());
}

}  // namespace vfs
