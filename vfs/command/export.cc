#include "vfs/command/export.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "manifest/ingest.h"
#include "manifest/nesting.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

void dress(const std::string& path, const Metadata& metadata, bool link) {
  const struct timespec time = {metadata.mtime_seconds,
                                static_cast<long>(metadata.mtime_nanoseconds)};
  const struct timespec times[2] = {time, time};
  const bool owned = ::lchown(path.c_str(), metadata.uid, metadata.gid) == 0;
  if (!owned && errno != EPERM) throw system_error(path, errno);
  // To run as its owner was meant for another owner than it has got.
  const mode_t mode = metadata.mode & (owned ? 07777 : 01777);
  if (!link && ::chmod(path.c_str(), mode) != 0) throw system_error(path, errno);
  if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    throw system_error(path, errno);
  }
}

void write_piece(int to, std::string_view piece, const std::string& path) {
  while (!piece.empty()) {
    const ssize_t written = ::write(to, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error(path, errno);
    piece.remove_prefix(static_cast<size_t>(written));
  }
}

void copy_content(int from, const std::string& path) {
  Descriptor to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to) throw system_error(path, errno);
  if (::ioctl(to.get(), FICLONE, from) == 0) return;
  std::string piece(1 << 20, '\0');
  for (ssize_t count;;) {
    count = ::copy_file_range(from, nullptr, to.get(), nullptr, 1 << 30, 0);
    if (count < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
      count = ::read(from, piece.data(), piece.size());
      if (count > 0) write_piece(to.get(), {piece.data(), static_cast<size_t>(count)}, path);
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error(path, errno);
    if (count == 0) return;
  }
}

// Writes one entry that is not a directory.
void write_entry(const std::string& path, const Entry& entry, int content) {
  if (S_ISREG(entry.metadata.mode)) {
    copy_content(content, path);
  } else if (S_ISLNK(entry.metadata.mode)) {
    if (::symlink(entry.target.c_str(), path.c_str()) != 0) throw system_error(path, errno);
  } else if (::mknod(path.c_str(), entry.metadata.mode, entry.device) != 0) {
    throw system_error(path, errno, "devices can only be made by root");
  }
  dress(path, entry.metadata, S_ISLNK(entry.metadata.mode));
}

// The directory to export to. A new one is written under another name, and gets
// its own when it is complete: who is killed has exported nothing, and the next
// export to that name begins with what was left. One that exists is written to
// where it is, since someone may stand in it, or have mounted it.
class Destination {
 public:
  explicit Destination(const std::string& directory) : directory_(directory), path_(directory) {
    struct stat status;
    if (::lstat(directory.c_str(), &status) != 0) {
      if (errno != ENOENT) throw system_error(directory, errno);
      make_beside();
      return;
    }
    std::error_code error;
    const bool empty = fs::is_empty(directory, error);
    if (error) throw system_error(directory, error.value());
    if (!fs::is_directory(directory)) throw system_error(directory, ENOTDIR);
    if (!empty) throw Error(directory, "the directory is not empty", "export to a new directory");
  }
  ~Destination() {
    std::error_code ignored;
    if (path_ != directory_) fs::remove_all(path_, ignored);
  }
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  const std::string& path() const { return path_; }

  void finish() {
    if (path_ == directory_) return;
    if (::rename(path_.c_str(), directory_.c_str()) != 0) throw system_error(directory_, errno);
    path_ = directory_;
  }

 private:
  void make_beside() {
    const fs::path directory = directory_;
    const std::string name = "." + directory.filename().string() + ".unfinished-export";
    const std::string beside = (directory.parent_path() / name).string();
    if (::mkdir(beside.c_str(), 0777) != 0 && errno != EEXIST) throw system_error(directory_, errno);
    lock_ = Descriptor(::open(beside.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!lock_) throw system_error(beside, errno);
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw system_error(beside, errno, "wait for the other export to this directory");
    }
    for (const auto& left : fs::directory_iterator(beside)) fs::remove_all(left.path());
    path_ = beside;
  }

  const std::string directory_;
  std::string path_;  // where it is written
  Descriptor lock_;
};

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0) throw system_error(path, errno);
}

class WorkspaceExport {
 public:
  explicit WorkspaceExport(OpenWorkspace& workspace) : workspace_(workspace) {}

  void directory(const Lookup& found, const std::string& to) {
    for (const std::string& name : names_in(workspace_, found)) {
      Lookup child;
      workspace_.look_up(child_of(found.path, name), child);
      if (!child.exists() || S_ISSOCK(child.status.st_mode)) continue;
      const std::string path = to + "/" + name;
      if (child.is_directory()) {
        make_directory(path);
        directory(child, path);
      } else if (!linked(child, path)) {
        const Descriptor content = child.is_regular() ? workspace_.open_content(child) : Descriptor();
        write_entry(path, entry_of(workspace_, child), content.get());
      }
    }
    dress(to, metadata_of(found.status), false);
  }

 private:
  bool linked(const Lookup& child, const std::string& path) {
    if (child.status.st_nlink < 2) return false;
    const auto [first, fresh] =
        first_name_.try_emplace({child.status.st_dev, child.status.st_ino}, path);
    return !fresh && ::link(first->second.c_str(), path.c_str()) == 0;
  }

  OpenWorkspace& workspace_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_name_;
};

class SnapshotExport {
 public:
  SnapshotExport(const ObjectStore& objects, Manifest& manifest)
      : objects_(objects), manifest_(manifest) {}

  void directory(TreeId tree, const Metadata& metadata, const std::string& to) {
    for (const Entry& entry : manifest_.list(tree)) {
      const std::string path = to + "/" + entry.name;
      if (S_ISDIR(entry.metadata.mode)) {
        make_directory(path);
        directory(entry.tree, entry.metadata, path);
      } else if (!linked(entry, path)) {
        write_entry(path, entry, content_of(entry).get());
      }
    }
    dress(to, metadata, false);
  }

 private:
  // Of a regular file.
  Descriptor content_of(const Entry& entry) {
    if (!S_ISREG(entry.metadata.mode)) return {};
    Descriptor fd = objects_.open(entry.digest);
    struct stat status;
    if (::fstat(fd.get(), &status) != 0 || static_cast<uint64_t>(status.st_size) != entry.size) {
      throw Error("object " + digest_text(entry.digest), fmt::format("it has not the {} bytes that it should", entry.size),
                  "run `vfs verify`");
    }
    return fd;
  }

  bool linked(const Entry& entry, const std::string& path) {
    if (entry.link_group == 0) return false;
    const auto [first, fresh] = first_name_.try_emplace(entry.link_group, path);
    return !fresh && ::link(first->second.c_str(), path.c_str()) == 0;
  }

  const ObjectStore& objects_;
  Manifest& manifest_;
  std::map<uint64_t, std::string> first_name_;
};

// A small database can say a tree that would fill any disk: told before it does.
void check_room(const std::string& directory, const Extent& extent) {
  struct statvfs room;
  if (::statvfs(directory.c_str(), &room) != 0 || room.f_files == 0) return;
  if (extent.paths <= static_cast<double>(room.f_favail)) return;
  throw Error(directory, fmt::format("there is room for {} more files, and the snapshot has {:.6g} paths", room.f_favail, extent.paths),
              "export to another file system; if the tree never was so large, run `vfs fsck`");
}

}  // namespace

void export_workspace(OpenWorkspace& workspace, const std::string& directory) {
  Destination destination(directory);
  Lookup root;
  const PathBuffer top;
  workspace.look_up(top, root);
  WorkspaceExport(workspace).directory(root, destination.path());
  destination.finish();
}

void export_snapshot(const ObjectStore& objects, Manifest& manifest, const Snapshot& snapshot,
                     const std::string& directory) {
  Extents extents(manifest);
  const Extent& extent = extents.of(snapshot.tree);
  Destination destination(directory);
  check_room(destination.path(), extent);
  SnapshotExport(objects, manifest).directory(snapshot.tree, snapshot.root, destination.path());
  destination.finish();
}

}  // namespace vfs
