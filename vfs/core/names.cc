#include "vfs/core/names.h"

#include "vfs/core/copy_up.h"
#include "vfs/core/descriptor_name.h"
#include "vfs/core/directory_mode.h"
#include "vfs/core/hard_links.h"
#include "vfs/core/listing.h"
#include "vfs/core/names_internal.h"
#include "vfs/core/path_hash.h"
#include "vfs/core/removed.h"
#include "vfs/core/sys.h"

namespace vfs {

int check_new_name(const Lookup& found, bool directory) {
  if (found.last != LastComponent::name || found.exists()) return -EEXIST;
  if (is_reserved(found.path)) return -EPERM;
  return found.must_be_directory && !directory ? -ENOENT : 0;
}

namespace {

// What the look-up found, or others have come first. Under the path's lock.
int check_whiteout(const Workspace& workspace, const Lookup& found) {
  UpperEntry entry;
  const int result = read_upper(workspace, found.path, entry);
  return result == 0 && entry.kind != UpperKind::whiteout ? -ESTALE : result;
}

// Puts a new directory in the place of a whiteout, with which it changes places:
// it cannot be renamed over one.
int place_directory(Workspace& workspace, const Lookup& found, const char* upper, NewInode& inode) {
  PathBuffer aside;
  if (!workspace.temporary_path(aside)) return -ENAMETOOLONG;
  const DirectoryRecordLock base_stays(workspace, DirectoryRecordLock::shared);
  if (base_stays.error() != 0) return base_stays.error();
  if (!is_of_this_base(workspace, found)) return -ESTALE;
  const PathLock lock(workspace, found.hash);
  if (lock.error() != 0) return lock.error();
  int result = check_whiteout(workspace, found);
  if (result == 0) result = inode.make(aside.text);
  if (result != 0) return result;
  if (inode.is_new()) inherit_group(workspace, found, aside.text);
  result = write_opaque(workspace, aside.text);
  if (result == 0) result = sys::rename(aside.text, upper, RENAME_EXCHANGE);
  discard_aside(aside.text);
  if (result == 0) workspace.control->rename_generation.fetch_add(1, std::memory_order_release);
  return result;
}

}  // namespace

int place_new(Workspace& workspace, const Lookup& found, mode_t type, NewInode& inode) {
  PathBuffer upper;
  if (!workspace.upper_path(found.path, upper)) return -ENAMETOOLONG;
  int result = prepare_parent(workspace, found, NameChange::make);
  if (result != 0) return result;
  announce(workspace, found, S_ISDIR(type) ? S_IFREG : type);
  if (!found.whiteout) return inode.make(upper.text);
  if (S_ISDIR(type)) return place_directory(workspace, found, upper.text, inode);

  // In place of a whiteout: made aside, then put over it.
  PathBuffer aside;
  if (!workspace.temporary_path(aside)) return -ENAMETOOLONG;
  const PathLock lock(workspace, found.hash);
  if (lock.error() != 0) return lock.error();
  result = check_whiteout(workspace, found);
  if (result == 0) result = inode.make(aside.text);
  if (result != 0) return result;
  if (inode.is_new()) inherit_group(workspace, found, aside.text);
  result = sys::rename(aside.text, upper.text);
  if (result != 0) sys::unlink(aside.text);
  return result;
}

void inherit_group(Workspace& workspace, const Lookup& place, const char* made) {
  PathBuffer directory;
  struct stat above;
  struct stat status;
  if (!workspace.upper_path(place.path, directory)) return;
  directory.pop();
  if (sys::lstat(directory.text, &above) != 0 || (above.st_mode & S_ISGID) == 0 ||
      sys::lstat(made, &status) != 0) {
    return;
  }
  if (S_ISDIR(status.st_mode)) {
    show_directory_mode(workspace, made, status);
    status.st_mode |= S_ISGID;
    status.st_gid = above.st_gid;
    set_directory_mode(workspace, made, place.hash, status);
    return;
  }
  sys::lchown(made, static_cast<uid_t>(-1), above.st_gid);
  // The change took the set-id bits that the program asked for.
  if ((status.st_mode & (S_ISUID | S_ISGID)) != 0) sys::chmod(made, status.st_mode & 07777);
}

void discard_aside(const char* path) {
  if (sys::unlink(path) != -EISDIR) return;
  PathBuffer child;
  int fd = sys::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd == -EACCES && sys::chmod(path, S_IRWXU) == 0) {
    fd = sys::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  }
  if (fd < 0) return;
  // Whiteouts and records, and mirrored directories with more of them.
  alignas(8) char buffer[2048];
  for (bool again = true; again;) {
    again = false;
    sys::lseek(fd, 0, SEEK_SET);
    for (long count; (count = sys::getdents64(fd, buffer, sizeof(buffer))) > 0;) {
      for (long at = 0; at < count;) {
        const auto* entry = reinterpret_cast<const struct dirent64*>(buffer + at);
        at += entry->d_reclen;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (!child.assign(path) || !child.push(entry->d_name, strlen(entry->d_name))) continue;
        discard_aside(child.text);
      }
    }
  }
  sys::close(fd);
  sys::rmdir(path);
}

namespace {

struct Directory final : NewInode {
  Workspace& workspace;
  uint64_t hash;
  mode_t mode;
  Directory(Workspace& w, uint64_t h, mode_t m) : workspace(w), hash(h), mode(m) {}
  int make(const char* path) override {
    const int result = sys::mkdir(path, mode);
    struct stat status;
    // The umask may have taken rights away that upper needs.
    if (result != 0 || sys::lstat(path, &status) != 0) return result;
    if ((status.st_mode & (S_IRWXU | 0011 | S_ISVTX)) == (S_IRWXU | 0011)) return 0;
    return set_directory_mode(workspace, path, hash, status);
  }
};

struct Node final : NewInode {
  mode_t mode;
  dev_t device;
  Node(mode_t m, dev_t d) : mode(m), device(d) {}
  int make(const char* path) override { return sys::mknod(path, mode, device); }
};

struct SymbolicLink final : NewInode {
  PathBuffer stored;
  int make(const char* path) override { return sys::symlink(stored.text, path); }
};

struct HardLink final : NewInode {
  const Workspace& workspace;
  PathBuffer from;
  explicit HardLink(const Workspace& w) : workspace(w) {}
  // A commit that took the other name since has not seen this one: they would be parted.
  int make(const char* path) override {
    const int result = sys::link(from.text, path);
    const int reached = check_reached(workspace, from, result);
    if (result == 0 && reached != 0) sys::unlink(path);
    return reached;
  }
  bool is_new() const override { return false; }
};

struct DescriptorLink final : NewInode {
  DescriptorName name;
  explicit DescriptorLink(int fd) : name(fd) {}
  bool is_new() const override { return false; }
  // Through /proc, because AT_EMPTY_PATH asks for a capability.
  int make(const char* path) override {
    return static_cast<int>(sys::call(SYS_linkat, AT_FDCWD, sys::as_argument(name.text), AT_FDCWD,
                                      sys::as_argument(path), AT_SYMLINK_FOLLOW));
  }
};

}  // namespace

int make_directory(Workspace& workspace, const Lookup& found, mode_t mode) {
  const int result = check_new_name(found, true);
  Directory directory(workspace, found.hash, mode);
  return result != 0 ? result : place_new(workspace, found, S_IFDIR, directory);
}

int make_node(Workspace& workspace, const Lookup& found, mode_t mode, dev_t device) {
  const int result = check_new_name(found, false);
  if ((mode & S_IFMT) == 0) mode |= S_IFREG;
  // The whiteout's own shape cannot be a program's device.
  if (S_ISCHR(mode) && device == 0) return result != 0 ? result : -EPERM;
  Node node(mode, device);
  return result != 0 ? result : place_new(workspace, found, mode, node);
}

int make_symbolic_link(Workspace& workspace, const char* target, const Lookup& found) {
  if (*target == '\0') return -ENOENT;
  const int result = check_new_name(found, false);
  SymbolicLink link;
  if (!format_link_target(target, link.stored)) return -ENAMETOOLONG;
  return result != 0 ? result : place_new(workspace, found, S_IFLNK, link);
}

int make_hard_link(Workspace& workspace, const Lookup& from, const Lookup& to) {
  if (!from.exists()) return -ENOENT;
  int result = check_new_name(to, false);
  if (result != 0) return result;
  result = prepare_parent(workspace, to, NameChange::make);
  if (result != 0) return result;
  if (from.is_directory()) return -EPERM;
  // Two names of one inode: upper has to have that inode.
  result = copy_up(workspace, from, Content::keep);
  HardLink link(workspace);
  if (!workspace.upper_path(from.path, link.from)) return -ENAMETOOLONG;
  return result != 0 ? result : place_new(workspace, to, from.status.st_mode, link);
}

int link_descriptor(Workspace& workspace, int fd, const Lookup& to) {
  const int result = check_new_name(to, false);
  if (result != 0) return result;
  struct stat status;
  const int known = sys::fstat(fd, &status);
  if (known != 0) return known;
  DescriptorLink link(fd);
  return place_new(workspace, to, status.st_mode, link);
}

int remove_file(Workspace& workspace, const Lookup& found) {
  if (!found.exists()) return -ENOENT;
  if (found.must_be_directory) return found.is_directory() ? -EISDIR : -ENOTDIR;
  int result = prepare_parent(workspace, found, NameChange::remove);
  if (result != 0) return result;
  if (found.is_directory()) return -EISDIR;
  PathBuffer upper;
  if (!workspace.upper_path(found.path, upper)) return -ENAMETOOLONG;
  note_removed(workspace, found);
  if (!base_has(workspace, found)) {
    result = sys::unlink(upper.text);
    // Not here any more, but maybe in the base that a commit has made since.
    return result == -ENOENT && !is_of_this_base(workspace, found) ? -ESTALE : result;
  }

  note_hidden_name(workspace, found);
  announce(workspace, found, found.status.st_mode);
  PathLock lock(workspace, found.hash);
  if (lock.error() != 0) return lock.error();
  UpperEntry entry;
  result = read_upper(workspace, found.path, entry);
  if (result != 0) return result;
  if (entry.kind == UpperKind::whiteout) return -ENOENT;
  if (entry.kind == UpperKind::absent) return make_whiteout(workspace, upper.text);
  PathBuffer aside;
  if (!workspace.temporary_path(aside)) return -ENAMETOOLONG;
  result = make_whiteout(workspace, aside.text);
  if (result == 0) result = sys::rename(aside.text, upper.text);
  if (result != 0) sys::unlink(aside.text);
  return result;
}

int remove_directory(Workspace& workspace, const Lookup& found) {
  if (found.last == LastComponent::dot) return -EINVAL;
  if (found.last == LastComponent::dot_dot) return -ENOTEMPTY;
  if (!found.exists()) return -ENOENT;
  bool empty = false;
  if (found.last == LastComponent::root) {
    const int result = is_empty_directory(workspace, found, empty);
    return result != 0 ? result : empty ? -EBUSY : -ENOTEMPTY;
  }
  int result = prepare_parent(workspace, found, NameChange::remove);
  if (result != 0) return result;
  if (!found.is_directory()) return -ENOTDIR;
  PathBuffer upper;
  if (!workspace.upper_path(found.path, upper)) return -ENAMETOOLONG;
  const bool hides_base = base_has(workspace, found);
  if (!hides_base) {
    // The usual case: a directory that only upper ever had, without records.
    workspace.control->filter.announce(removed_key(found.hash));
    result = sys::rmdir(upper.text);
    if (result != -ENOTEMPTY) return result;
  }
  result = is_empty_directory(workspace, found, empty);
  if (result != 0) return result;
  if (!empty) return -ENOTEMPTY;

  PathBuffer aside;
  if (!workspace.temporary_path(aside)) return -ENAMETOOLONG;
  announce_subtree(workspace, found);
  PathLock lock(workspace, found.hash);
  if (lock.error() != 0) return lock.error();
  if (found.source != Source::upper) {
    result = make_whiteout(workspace, upper.text);
    // Mirrored to be opened: now that it is announced the look-up finds it.
    if (result == -EEXIST) result = -ESTALE;
  } else if (hides_base) {
    note_removed_directory(workspace, found, upper.text);
    result = make_whiteout(workspace, aside.text);
    if (result == 0) result = sys::rename(aside.text, upper.text, RENAME_EXCHANGE);
    discard_aside(aside.text);
  } else {
    result = sys::rename(upper.text, aside.text);
    if (result == 0) discard_aside(aside.text);
  }
  return result;
}

}  // namespace vfs
