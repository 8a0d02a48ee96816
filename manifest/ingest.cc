#include "manifest/ingest.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "cas/error.h"
#include "cas/parallel.h"

namespace vfs {
namespace {

// A regular file that has to be stored.
struct PendingFile {
  TreeNode* node;
  std::string path;  // relative to the top
  struct stat status;
  bool known;        // its digest was remembered
};

struct Walk {
  const Store& store;
  const IngestOptions& options;
  std::string top;
  std::vector<PendingFile> files;
  // First name and node of every inode with more than one link.
  std::map<std::pair<dev_t, ino_t>, std::pair<std::string, TreeNode*>> linked;
  struct stat store_status;

  void skip(const std::string& path, const std::string& why) const {
    if (options.skipped) options.skipped(path, why);
  }
  std::string name_of(const std::string& path) const { return path.empty() ? top : top + "/" + path; }
  void directory(int fd, const std::string& path, TreeNode& node);
  void entry(int directory, const std::string& path, TreeNode& node, const struct stat& status);
};

std::vector<std::string> names_in(int fd, const std::string& shown) {
  DIR* stream = ::fdopendir(::dup(fd));
  if (stream == nullptr) throw system_error(shown, errno);
  std::vector<std::string> names;
  while (const struct dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

void Walk::entry(int directory_fd, const std::string& path, TreeNode& node,
                 const struct stat& status) {
  node.entry.metadata = metadata_of(status);
  if (S_ISDIR(status.st_mode)) {
    Descriptor child(::openat(directory_fd, node.entry.name.c_str(),
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child) throw system_error(name_of(path), errno);
    directory(child.get(), path, node);
    return;
  }
  if (S_ISLNK(status.st_mode)) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length =
        ::readlinkat(directory_fd, node.entry.name.c_str(), target.data(), target.size());
    if (length < 0) throw system_error(name_of(path), errno);
    target.resize(static_cast<size_t>(length));
    node.entry.target = target;
    node.entry.size = target.size();
  } else if (S_ISREG(status.st_mode)) {
    node.entry.size = static_cast<uint64_t>(status.st_size);
    files.push_back({&node, path, status, false});
  } else {
    node.entry.device = status.st_rdev;
  }
  if (status.st_nlink > 1) {
    const auto [place, fresh] =
        linked.try_emplace({status.st_dev, status.st_ino}, std::pair{path, &node});
    if (!fresh) {
      const uint64_t group = link_group_of(place->second.first);
      place->second.second->entry.link_group = group;
      node.entry.link_group = group;
    }
  }
}

void Walk::directory(int fd, const std::string& path, TreeNode& node) {
  const std::vector<std::string> names = names_in(fd, name_of(path));
  // Nodes are pointed at from `files` and `linked`: no reallocation after this.
  node.children.reserve(names.size());
  for (const std::string& name : names) {
    if (path.empty() && name == ".vfs") continue;
    const std::string below = path.empty() ? name : path + "/" + name;
    struct stat status;
    if (::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) throw system_error(name_of(below), errno);
      skip(below, "it vanished meanwhile");
    } else if (S_ISSOCK(status.st_mode)) {
      skip(below, "sockets cannot be stored");
    } else if (status.st_dev == store_status.st_dev && status.st_ino == store_status.st_ino) {
      skip(below, "it is the store itself");
    } else {
      TreeNode& child = node.children.emplace_back();
      child.entry.name = name;
      entry(fd, below, child, status);
    }
  }
}

// Opened by path from the top, without following links on the way.
void store_file(const ObjectStore& objects, int top, const std::string& shown, PendingFile& file) {
  Descriptor fd(::openat(top, file.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) throw system_error(shown, errno, "make it readable, or move it out of the tree");
  const StoredObject stored = objects.put(fd.get(), shown);
  ::fstat(fd.get(), &file.status);
  file.node->entry.digest = stored.digest;
  file.node->entry.size = stored.size;
  file.node->entry.metadata = metadata_of(file.status);
}

void store_files(Walk& walk, const ObjectStore& objects, Manifest& manifest, int top) {
  IngestProgress progress;
  progress.files_total = walk.files.size();
  std::vector<PendingFile*> unknown;
  for (PendingFile& file : walk.files) {
    const std::optional<Digest> digest = manifest.seen_file(file.status);
    file.known = digest && objects.contains(*digest);
    if (file.known) {
      file.node->entry.digest = *digest;
      ++progress.files_done;
      progress.bytes_done += file.node->entry.size;
    } else {
      unknown.push_back(&file);
    }
  }
  std::mutex mutex;
  in_parallel(unknown.size(), [&](size_t i) {
    store_file(objects, top, walk.name_of(unknown[i]->path), *unknown[i]);
    const std::lock_guard lock(mutex);
    ++progress.files_done;
    progress.bytes_done += unknown[i]->node->entry.size;
    if (walk.options.progress) walk.options.progress(progress);
  });
}

}  // namespace

Metadata metadata_of(const struct stat& status) {
  return {status.st_mode, status.st_uid, status.st_gid, status.st_mtim.tv_sec,
          static_cast<uint32_t>(status.st_mtim.tv_nsec)};
}

uint64_t link_group_of(std::string_view path) {
  const Digest digest = digest_of(path.data(), path.size());
  uint64_t number;
  memcpy(&number, digest.bytes, sizeof(number));
  return number >> 1 | 1;  // fits SQLite's signed integers and is never 0
}

Snapshot ingest(const Store& store, Manifest& manifest, const std::filesystem::path& directory,
                const IngestOptions& options) {
  const ObjectStore objects(store);
  Descriptor top(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top) throw system_error(directory.string(), errno);
  Walk walk{store, options, directory.string(), {}, {}, {}};
  ::stat(store.path().c_str(), &walk.store_status);
  TreeNode root;
  struct stat status;
  ::fstat(top.get(), &status);
  root.entry.metadata = metadata_of(status);
  walk.directory(top.get(), "", root);
  store_files(walk, objects, manifest, top.get());
  {
    Transaction transaction(manifest.database());
    for (const PendingFile& file : walk.files) {
      if (!file.known) manifest.remember_file(file.status, file.node->entry.digest);
    }
    transaction.commit();
  }
  return manifest.add_snapshot(root, options.parent, options.message);
}

}  // namespace vfs
