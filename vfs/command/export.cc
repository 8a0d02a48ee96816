#include "vfs/command/export.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "manifest/ingest.h"
#include "manifest/nesting.h"
#include "vfs/command/export_files.h"
#include "vfs/io/interrupt.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

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
  explicit WorkspaceExport(OpenWorkspace& workspace) : workspace_(workspace), files_(workspace.objects()) {}

  void run(const Lookup& root, const std::string& to) {
    directory(root, to);
    files_.finish();
  }

 private:
  void directory(const Lookup& found, const std::string& to) {
    files_.add_directory(to, metadata_of(found.status));
    for (const std::string& name : names_in(workspace_, found)) {
      io::throw_if_interrupted();
      Lookup child;
      workspace_.look_up(child_of(found.path, name), child);
      if (!child.exists() || S_ISSOCK(child.status.st_mode)) continue;
      const std::string path = to + "/" + name;
      if (child.is_directory()) {
        make_directory(path);
        directory(child, path);
      } else {
        add(child, path);
      }
    }
  }

  void add(const Lookup& child, const std::string& path) {
    // A draft may be sealed, or go, before its turn comes: it is held open.
    const bool draft = child.is_regular() && !child.is_sealed();
    Descriptor content = draft ? workspace_.open_content(child) : Descriptor();
    Entry entry = entry_of(workspace_, child);
    if (child.status.st_nlink > 1) {
      const auto [first, fresh] = first_name_.try_emplace({child.status.st_dev, child.status.st_ino}, path);
      if (!fresh) return files_.add_name(path, first->second, std::move(entry), std::move(content));
    }
    files_.add(path, std::move(entry), std::move(content));
  }

  OpenWorkspace& workspace_;
  ExportFiles files_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_name_;
};

class SnapshotExport {
 public:
  SnapshotExport(const ObjectStore& objects, Manifest& manifest) : manifest_(manifest), files_(objects) {}

  void run(const Snapshot& snapshot, const std::string& to) {
    directory(snapshot.tree, snapshot.root, to);
    files_.finish();
  }

 private:
  void directory(TreeId tree, const Metadata& metadata, const std::string& to) {
    files_.add_directory(to, metadata);
    for (Entry& entry : manifest_.list(tree)) {
      io::throw_if_interrupted();
      const std::string path = to + "/" + entry.name;
      if (S_ISDIR(entry.metadata.mode)) {
        make_directory(path);
        directory(entry.tree, entry.metadata, path);
      } else if (const uint64_t group = entry.link_group; group == 0) {
        files_.add(path, std::move(entry));
      } else {
        const auto [first, fresh] = first_name_.try_emplace(group, path);
        if (fresh) {
          files_.add(path, std::move(entry));
        } else {
          files_.add_name(path, first->second, std::move(entry));
        }
      }
    }
  }

  Manifest& manifest_;
  ExportFiles files_;
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
  const io::Interruptible interruptible;
  Destination destination(directory);
  Lookup root;
  const PathBuffer top;
  workspace.look_up(top, root);
  WorkspaceExport(workspace).run(root, destination.path());
  destination.finish();
}

void export_snapshot(const ObjectStore& objects, Manifest& manifest, const Snapshot& snapshot,
                     const std::string& directory) {
  const io::Interruptible interruptible;
  Extents extents(manifest);
  const Extent& extent = extents.of(snapshot.tree);
  Destination destination(directory);
  check_room(destination.path(), extent);
  SnapshotExport(objects, manifest).run(snapshot, destination.path());
  destination.finish();
}

}  // namespace vfs
