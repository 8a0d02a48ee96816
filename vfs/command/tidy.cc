#include "vfs/command/tidy.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>
#include <string_view>

#include "cas/parallel.h"
#include "cas/same_time.h"
#include "vfs/command/journal.h"
#include "vfs/command/lease.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/identity.h"
#include "vfs/core/names_internal.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/upper.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// Everything but ctime, which our own rename changes.
bool same_but_ctime(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_mode == b.st_mode &&
         a.st_uid == b.st_uid && a.st_gid == b.st_gid && a.st_size == b.st_size &&
         same_time(a.st_mtim, b.st_mtim);
}

bool same_inode_state(const struct stat& a, const struct stat& b) {
  return same_but_ctime(a, b) && same_time(a.st_ctim, b.st_ctim);
}

// The locks of all these paths (see PathLock): nobody brings one of them up or
// takes it away. In the order of the bytes, as who needs two takes them.
class PathLocks {
 public:
  PathLocks(const std::string& state, const std::vector<const Draft*>& names) {
    std::set<off_t> bytes;
    for (const Draft* draft : names) bytes.insert(path_lock_byte(path_hash(draft->path.data(), draft->path.size())));
    const std::string path = state + "/lock";
    file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    for (const off_t byte : bytes) {
      struct flock range = {};
      range.l_type = F_WRLCK;
      range.l_start = byte;
      range.l_len = 1;
      if (!file_ || ::fcntl(file_.get(), F_OFD_SETLKW, &range) != 0) throw system_error(path, errno);
    }
  }

 private:
  Descriptor file_;
};

// Where it was, unless that name was given again: then that counts. Throws Error:
// what lies aside is then for recovery to put back.
bool take_back(const std::string& aside, const std::string& path) {
  if (::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == ENOENT) return false;
  if (errno != EEXIST) throw system_error(path, errno, "the next command puts it back");
  ::unlink(aside.c_str());
  return false;
}

// Not by remove_file(): that would take what a program makes here meanwhile.
void hide_in_base(OpenWorkspace& workspace, const std::string& path) {
  Workspace& core = workspace.core();
  Lookup found;
  PathBuffer upper;
  workspace.look_up(path_buffer(path), found);
  if (found.source != Source::snapshot || !core.upper_path(found.path, upper)) return;
  int result = mirror_parent(core, found.path);
  if (result == 0) {
    announce(core, found, found.status.st_mode);
    PathBuffer parent = upper;
    parent.pop();
    const KeepTimes keep(parent.text);
    const PathLock lock(core, found.hash);
    result = lock.error() != 0 ? lock.error() : make_whiteout(core, upper.text);
  }
  if (result != 0 && result != -EEXIST && result != -ENOENT) throw system_error(path, -result);
}

}  // namespace

Tidy::Tidy(OpenWorkspace& workspace) : workspace_(workspace) {
  note_records(workspace.state() + "/upper");
}

void Tidy::note_records(const std::string& directory) {
  std::error_code error;
  for (const auto& item : fs::directory_iterator(directory, error)) {
    struct stat status;
    const std::string& path = item.path().native();
    if (::lstat(path.c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode)) {
      directories_.push_back(path);
      note_records(path);
    } else if (!S_ISREG(status.st_mode) && !S_ISSOCK(status.st_mode)) {
      records_.emplace_back(path, status);
    }
  }
}

// Removes what stands at `path` if it still is `expected` and `sure` agrees.
// What is there may be replaced between a look and an unlink: so it is moved
// aside first, looked at where nobody else can reach it, and moved back if it
// has to stay. Moving back fails if something new took the name: then that is
// what counts. Aside it has a number by which recovery finds its name. Under the
// path's lock: to who is about to rename it the name must not be gone.
template <typename Sure>
bool Tidy::take_out(const std::string& path, size_t number, const struct stat& expected, Sure sure) {
  const std::string aside = tidy_path(workspace_.state(), number);
  if (::rename(path.c_str(), aside.c_str()) != 0) return false;
  struct stat moved;
  const bool same = ::lstat(aside.c_str(), &moved) == 0 && same_but_ctime(expected, moved);
  if ((!same || !sure()) && take_back(aside, path)) return false;
  ::unlink(aside.c_str());
  return true;
}

std::string Tidy::name_of(const std::string& real) const {
  return real.substr(workspace_.state().size() + 1);
}

// Of the path that has `real` in upper.
uint64_t Tidy::hash_of(const std::string& real) const {
  const size_t start = workspace_.state().size() + strlen("/upper/");
  return path_hash(real.c_str() + start, static_cast<uint32_t>(real.size() - start));
}

void Tidy::announce(const std::vector<std::unique_ptr<Draft>>& drafts) {
  TidyNames list;
  list.reserve(directories_.size() + drafts.size() + records_.size());
  for (const std::string& path : directories_) list.push_back(name_of(path));
  for (const auto& draft : drafts) {
    draft->number = list.size();
    list.push_back(name_of(draft->real));
  }
  first_record_ = list.size();
  for (const auto& [path, status] : records_) list.push_back(name_of(path));
  write_tidy_names(workspace_.store(), workspace_.state(), list);
}

void Tidy::hide_removed(const std::vector<std::unique_ptr<Draft>>& drafts) {
  for (const std::string& path : directories_) hide_if_removed(workspace_, name_of(path));
  for (const auto& draft : drafts) hide_if_removed(workspace_, name_of(draft->real));
  for (const auto& [path, status] : records_) hide_if_removed(workspace_, name_of(path));
}

// One thread a directory, since two that keep the times of one would keep what
// the other has made of them.
uint64_t Tidy::run(const std::vector<std::unique_ptr<Draft>>& drafts) {
  std::map<std::string_view, std::vector<const Draft*>> by_directory;
  std::map<Inode, std::vector<const Draft*>> linked;
  for (const auto& draft : drafts) {
    const std::string_view real = draft->real;
    const bool alone = draft->status.st_nlink == 1;
    (alone ? by_directory[real.substr(0, real.rfind('/'))]
           : linked[{draft->status.st_dev, draft->status.st_ino}]).push_back(draft.get());
  }
  std::vector<const std::vector<const Draft*>*> parts;
  for (const auto& [directory, part] : by_directory) parts.push_back(&part);
  std::atomic<uint64_t> stay = 0;
  in_parallel(parts.size(), [&](size_t i) {
    for (const Draft* draft : *parts[i]) stay += !leaves(*draft);
  });
  for (const auto& [inode, names] : linked) stay += stay_of_linked(names);
  remove_records(drafts);
  return stay;
}

bool Tidy::leaves(const Draft& draft) {
  if (remove_draft(draft)) return true;
  renumber(draft);
  return false;
}

// They are part of the snapshot now. Directories stay, since someone may stand
// in them. A record that was replaced since we noted it is news.
void Tidy::remove_records(const std::vector<std::unique_ptr<Draft>>& drafts) {
  // A record may have become a draft before the tree was looked at.
  std::set<std::string_view> become;
  for (const auto& draft : drafts) become.insert(draft->real);
  // Taking out one name changes the ctime of the others.
  std::set<Inode> relinked;
  for (size_t i = 0; i < records_.size(); ++i) {
    const auto& [path, noted] = records_[i];
    struct stat now;
    if (become.contains(path)) continue;
    if (::lstat(path.c_str(), &now) != 0) {
      hide_if_removed(workspace_, name_of(path));
      continue;
    }
    const Inode inode = {now.st_dev, now.st_ino};
    const bool same = relinked.contains(inode) ? same_but_ctime(noted, now)
                                               : same_inode_state(noted, now);
    if (!same) continue;
    const KeepTimes keep(fs::path(path).parent_path().c_str());
    const PathLock lock(workspace_.core(), hash_of(path));
    if (lock.error() != 0) continue;
    const bool left = take_out(path, first_record_ + i, noted, [] { return true; });
    if (left && now.st_nlink > 1) relinked.insert(inode);
  }
}

// True if the draft left upper: nobody has it open for writing or locked, and
// it still is what was stored.
bool Tidy::remove_draft(const Draft& draft) {
  bool forced;
  const Descriptor fd = open_draft(draft.real, forced);
  if (!fd) {
    // A program removed or moved it before the new base was there to be hidden.
    if (errno == ENOENT) hide_in_base(workspace_, draft.path);
    return true;
  }
  // First: who holds it may wait for the lease.
  const PathLock lock(workspace_.core(), hash_of(draft.real));
  const Lease lease(fd.get());
  if (lock.error() != 0) return false;
  if (!lease.held() || is_locked(fd.get())) return false;
  struct stat now;
  if (!is_as_stored(draft, fd.get(), forced, now)) return false;
  const KeepTimes keep(fs::path(draft.real).parent_path().c_str());
  // Whoever had found the file here and waits in open(2) for the lease would
  // get an inode without a name; one that has a new name would lose that this is another.
  return take_out(draft.real, draft.number, now, [&] {
    struct stat last;
    return !lease.wanted() && ::fstat(fd.get(), &last) == 0 && last.st_nlink == 1;
  });
}

uint64_t Tidy::stay_of_linked(const std::vector<const Draft*>& names) {
  std::vector<const Draft*> there;
  for (const Draft* draft : names) {
    struct stat status;
    if (::lstat(draft->real.c_str(), &status) == 0) {
      there.push_back(draft);
    } else if (errno == ENOENT) {
      hide_in_base(workspace_, draft->path);
    }
  }
  if (there.empty() || remove_linked(there)) return 0;
  for (const Draft* draft : there) renumber(*draft);
  return there.size();
}

// All names of an inode leave upper, or none: of what is written by one that stays
// the others, sealed, would know nothing. They are moved to a directory of their
// own, and that leaves in one step.
bool Tidy::remove_linked(const std::vector<const Draft*>& names) {
  // First: who holds one of them may wait for the lease.
  const PathLocks locks(workspace_.state(), names);
  const Draft& draft = *names.front();
  bool forced;
  const Descriptor fd = open_draft(draft.real, forced);
  if (!fd) return false;
  const Lease lease(fd.get());
  struct stat now;
  if (!lease.held() || is_locked(fd.get()) || !is_as_stored(draft, fd.get(), forced, now)) return false;
  if (now.st_nlink != names.size()) return false;  // one that the commit does not know
  std::map<std::string, KeepTimes> keep;
  for (const Draft* name : names) {
    const std::string parent = fs::path(name->real).parent_path();
    keep.try_emplace(parent, parent.c_str());
  }
  const std::string group = tidy_group_path(workspace_.state());
  if (::mkdir(group.c_str(), 0700) != 0) return false;
  const auto aside = [&](const Draft& name) { return fmt::format("{}/{}", group, name.number); };
  const bool all = std::all_of(names.begin(), names.end(), [&](const Draft* name) {
    struct stat moved;
    const std::string path = aside(*name);
    return ::rename(name->real.c_str(), path.c_str()) == 0 && ::lstat(path.c_str(), &moved) == 0 &&
           same_but_ctime(now, moved) && moved.st_nlink == names.size();
  });
  PathBuffer leaving;
  if (all && !lease.wanted() && workspace_.core().temporary_path(leaving) &&
      ::rename(group.c_str(), leaving.text) == 0) {
    discard_aside(leaving.text);
    return true;
  }
  for (const Draft* name : names) take_back(aside(*name), name->real);
  ::rmdir(group.c_str());
  return false;
}

// A draft that stays goes on as what the new base has under its name: the number
// that it kept from the old base may be another file's now.
void Tidy::renumber(const Draft& draft) {
  Workspace& core = workspace_.core();
  struct stat own;
  if (::lstat(draft.real.c_str(), &own) != 0) return;
  struct stat shown = own;
  restore_identity(core, draft.real.c_str(), shown);
  Lookup base;
  if (shown.st_ino == own.st_ino || !look_up_in_base(core, path_buffer(draft.path), base) ||
      base.status.st_ino == shown.st_ino) {
    return;
  }
  bool forced;
  if (const Descriptor fd = open_draft(draft.real, forced)) {
    keep_identity(core, fd.get(), base.status);
  }
}

// Under the lease: nothing can be written any more.
bool Tidy::is_as_stored(const Draft& draft, int fd, bool forced, struct stat& now) {
  if (::fstat(fd, &now) != 0) return false;
  if (forced) {  // which has changed ctime: only the bytes can tell
    return same_but_ctime(now, draft.status) && digest_of_file(fd, draft.path) == draft.digest;
  }
  if (!same_inode_state(now, draft.status)) return false;
  return draft.settled || digest_of_file(fd, draft.path) == draft.digest;
}

void hide_if_removed(OpenWorkspace& workspace, const std::string& name) {
  constexpr std::string_view kUpper = "upper/";
  struct stat status;
  if (name.starts_with(kUpper) && ::lstat((workspace.state() + "/" + name).c_str(), &status) != 0) {
    hide_in_base(workspace, name.substr(kUpper.size()));
  }
}

}  // namespace vfs
