#include "manifest/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "cas/error.h"
#include "cas/parallel.h"
#include "manifest/nesting.h"
#include "vfs/core/record.h"
#include "vfs/io/interrupt.h"

namespace vfs {
namespace {

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

// One directory of the level that is being read.
struct Scan {
  TreeNode* node;
  std::string path;
  std::vector<FoundFile> files;
  std::vector<std::pair<TreeNode*, FileStamp>> linked;  // more than one link
};

class Walk {
 public:
  Walk(int top, const WalkOptions& options, WalkedTree& tree)
      : top_(top), options_(options), tree_(tree) {}

  void run();

 private:
  void scan(Scan& directory);
  void add(Scan& directory, int fd, const std::string& name);
  void read_target(int fd, const std::string& directory, TreeNode& node);
  void finish(Scan& directory, std::vector<Scan>& next);
  void skip(const std::string& directory, const std::string& name, const char* why);
  void skip(const std::string& path, const char* why);
  std::string shown(const std::string& path) const { return join(options_.shown, path); }

  const int top_;
  const WalkOptions& options_;
  WalkedTree& tree_;
  std::mutex mutex_;  // for options_.skipped
  // First name and node of every inode with more than one link.
  std::map<std::pair<uint64_t, uint64_t>, std::pair<std::string, TreeNode*>> first_names_;
};

void Walk::skip(const std::string& path, const char* why) {
  const std::lock_guard lock(mutex_);
  if (options_.skipped) options_.skipped(path, why);
}

void Walk::skip(const std::string& directory, const std::string& name, const char* why) {
  skip(join(directory, name), why);
}

void Walk::read_target(int fd, const std::string& directory, TreeNode& node) {
  node.entry.target.resize(PATH_MAX);
  const ssize_t length = ::readlinkat(fd, node.entry.name.c_str(), node.entry.target.data(),
                                      node.entry.target.size());
  node.entry.target.resize(length < 0 ? 0 : static_cast<size_t>(length));
  node.entry.target.shrink_to_fit();
  if (length >= 0) return;
  // EINVAL: something else has the name now.
  if (errno != ENOENT && errno != EINVAL) throw system_error(shown(join(directory, node.entry.name)), errno);
  skip(directory, node.entry.name, "it vanished meanwhile");
  mark_vanished(node);
}

void Walk::add(Scan& directory, int fd, const std::string& name) {
  if (name == kDirectoryRecordName) return skip(directory.path, name, "the name is reserved: no workspace could show it");
  struct stat status;
  if (::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) throw system_error(shown(join(directory.path, name)), errno);
    return skip(directory.path, name, "it vanished meanwhile");
  }
  if (S_ISSOCK(status.st_mode)) return skip(directory.path, name, "sockets cannot be stored");
  const FileStamp stamp(status);
  if (stamp.device == options_.left_out.device && stamp.inode == options_.left_out.inode) {
    return skip(directory.path, name, "it is the store itself");
  }
  TreeNode& node = directory.node->children.emplace_back();
  node.entry.name = name;
  node.entry.metadata = metadata_of(status);
  if (S_ISREG(status.st_mode)) {
    node.entry.size = stamp.size;
    directory.files.push_back({&node, 0, stamp});
  } else if (S_ISLNK(status.st_mode)) {
    read_target(fd, directory.path, node);
  } else if (!S_ISDIR(status.st_mode)) {
    node.entry.device = status.st_rdev;
  }
  if (status.st_nlink > 1 && !S_ISDIR(status.st_mode)) directory.linked.emplace_back(&node, stamp);
}

void Walk::scan(Scan& directory) {
  Descriptor fd = open_below(top_, directory.path, O_RDONLY | O_DIRECTORY);
  if (!fd) {
    // ENOTDIR, ELOOP: something else has the name now.
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
      throw system_error(shown(directory.path), errno, "make it readable, or move it out of the tree");
    }
    skip(directory.path, "it vanished meanwhile");
    return mark_vanished(*directory.node);
  }
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(fd.get()));
  if (!stream) throw system_error(shown(directory.path), errno);
  fd.release();  // the stream closes it
  std::vector<std::string> names;
  errno = 0;
  while (const struct dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    const bool marker = directory.path.empty() && name == kMarkerName;
    if (name != "." && name != ".." && !marker) names.emplace_back(name);
  }
  if (errno != 0) throw system_error(shown(directory.path), errno);
  std::sort(names.begin(), names.end());
  // Nodes are pointed at: no reallocation after this.
  directory.node->children.reserve(names.size());
  for (const std::string& name : names) add(directory, ::dirfd(stream.get()), name);
}

// What depends on the order of directories.
void Walk::finish(Scan& directory, std::vector<Scan>& next) {
  for (const auto& [node, stamp] : directory.linked) {
    const auto [place, fresh] =
        first_names_.try_emplace({stamp.device, stamp.inode},
                                 std::pair{join(directory.path, node->entry.name), node});
    if (fresh) continue;
    const uint64_t group = link_group_of(place->second.first);
    place->second.second->entry.link_group = group;
    node->entry.link_group = group;
  }
  const size_t number = tree_.directories.size();
  for (FoundFile& file : directory.files) {
    file.directory = number;
    tree_.files.push_back(file);
  }
  for (TreeNode& child : directory.node->children) {
    if (!S_ISDIR(child.entry.metadata.mode)) continue;
    next.push_back({&child, join(directory.path, child.entry.name), {}, {}});
  }
  tree_.directories.push_back(std::move(directory.path));
}

// Level by level: the directories of one level have nothing to do with one
// another, and none stays open, however deep the tree is.
void Walk::run() {
  std::vector<Scan> level;
  level.push_back({&tree_.root, "", {}, {}});
  for (size_t depth = 0; !level.empty(); ++depth) {
    if (depth >= kMostNested) {
      throw Error(shown(level[0].path.substr(0, level[0].path.find('/'))),
                  fmt::format("directories in it are nested more than {} deep", kMostNested),
                  "no path is long enough to reach them: move them out of the tree");
    }
    in_parallel(level.size(), [&](size_t i) {
      io::throw_if_interrupted();
      scan(level[i]);
    });
    std::vector<Scan> next;
    for (Scan& directory : level) finish(directory, next);
    level = std::move(next);
  }
}

}  // namespace

std::string WalkedTree::path(const FoundFile& file) const {
  return join(directories[file.directory], file.node->entry.name);
}

void walk(int top, const WalkOptions& options, WalkedTree& tree) {
  struct stat status;
  if (::fstat(top, &status) != 0) throw system_error(options.shown, errno);
  tree.root.entry.metadata = metadata_of(status);
  Walk(top, options, tree).run();
}

Descriptor open_below(int top, const std::string& path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_NO_SYMLINKS;
  const auto open_part = [&](int at, const std::string& part, const struct open_how& part_how) {
    return Descriptor(static_cast<int>(
        ::syscall(SYS_openat2, at, part.empty() ? "." : part.c_str(), &part_how, sizeof(part_how))));
  };
  if (path.size() < PATH_MAX) {
    Descriptor fd = open_part(top, path, how);
    // Kernels before 5.6 look only at the last component.
    if (!fd && errno == ENOSYS) {
      return Descriptor(::openat(top, path.empty() ? "." : path.c_str(),
                                 flags | O_CLOEXEC | O_NOFOLLOW));
    }
    return fd;
  }
  struct open_how directory_how = how;
  directory_how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const size_t cut = path.rfind('/', PATH_MAX - 1);
  const Descriptor half = open_part(top, path.substr(0, cut), directory_how);
  if (!half) return {};
  return open_below(half.get(), path.substr(cut + 1), flags);
}

void mark_vanished(TreeNode& node) { node.entry.metadata.mode = 0; }

void remove_vanished(TreeNode& node) {
  std::erase_if(node.children, [](const TreeNode& child) { return child.entry.metadata.mode == 0; });
  for (TreeNode& child : node.children) remove_vanished(child);
}

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

}  // namespace vfs
