// What the tests of vfs/ share: one tree, natively and as a workspace, and the
// same calls for both, so that the kernel itself says what is right.
#pragma once

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "cas/object_store.h"
#include "manifest/ingest.h"
#include "tests/unit/cas_fixture.h"
#include "vfs/command/base.h"
#include "vfs/command/state.h"
#include "vfs/command/upkeep.h"
#include "vfs/core/attributes.h"
#include "vfs/core/copy_up.h"
#include "vfs/core/listing.h"
#include "vfs/core/names.h"
#include "vfs/core/open.h"
#include "vfs/core/path_hash.h"

namespace vfs::test {

inline PathBuffer as_path(std::string_view text) {
  PathBuffer path;
  REQUIRE(path.assign(text.data(), text.size()));
  return path;
}

// A copy with modes, times, owners, links and hard links.
inline void copy_tree(const fs::path& from, const fs::path& to) {
  const std::string command = "cp -a '" + from.string() + "' '" + to.string() + "'";
  if (::system(command.c_str()) != 0) throw std::runtime_error(command);
}

// The calls of one tree. Paths are relative to its root; an absolute path is
// one of the workspace's root, also for the native tree. Every call gives a
// value >= 0 or a negative errno.
class Tree {
 public:
  virtual ~Tree() = default;
  virtual int status(const std::string& path, bool follow, struct stat& out) = 0;
  virtual int open(const std::string& path, int flags, mode_t mode = 0644) = 0;
  virtual int make_directory(const std::string& path, mode_t mode = 0755) = 0;
  virtual int make_node(const std::string& path, mode_t mode) = 0;
  virtual int make_link(const std::string& target, const std::string& path) = 0;
  virtual int hard_link(const std::string& from, const std::string& to) = 0;
  virtual int remove_file(const std::string& path) = 0;
  virtual int remove_directory(const std::string& path) = 0;
  virtual int rename(const std::string& from, const std::string& to, unsigned flags = 0) = 0;
  virtual int mode(const std::string& path, mode_t mode) = 0;
  virtual int owner(const std::string& path, uid_t uid, gid_t gid) = 0;
  virtual int times(const std::string& path, const struct timespec* times, bool follow = true) = 0;
  virtual int truncate(const std::string& path, off_t length) = 0;
  virtual int access(const std::string& path, int mask) = 0;
  virtual int target(const std::string& path, std::string& out) = 0;
  // Sorted, without "." and "..".
  virtual int names(const std::string& path, std::vector<std::string>& out) = 0;

  int write(const std::string& path, std::string_view bytes, int flags = O_CREAT | O_TRUNC) {
    const int fd = open(path, O_WRONLY | flags);
    if (fd < 0) return fd;
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    ::close(fd);
    return count == static_cast<ssize_t>(bytes.size()) ? 0 : -EIO;
  }
  int read(const std::string& path, std::string& out) {
    const int fd = open(path, O_RDONLY);
    if (fd < 0) return fd;
    char buffer[4096];
    out.clear();
    ssize_t count;
    while ((count = ::read(fd, buffer, sizeof(buffer))) > 0) out.append(buffer, static_cast<size_t>(count));
    const int result = count < 0 ? -errno : 0;
    ::close(fd);
    return result;
  }
  std::string content(const std::string& path) {
    std::string out;
    const int result = read(path, out);
    return result == 0 ? out : std::string("<") + strerrorname_np(-result) + ">";
  }
};

class NativeTree : public Tree {
 public:
  explicit NativeTree(fs::path root) : root_(std::move(root)) {}
  const fs::path& root() const { return root_; }

  int status(const std::string& path, bool follow, struct stat& out) override {
    return answer(::fstatat(AT_FDCWD, at(path).c_str(), &out, follow ? 0 : AT_SYMLINK_NOFOLLOW));
  }
  int open(const std::string& path, int flags, mode_t mode) override {
    return answer(::open(at(path).c_str(), flags | O_CLOEXEC, mode));
  }
  int make_directory(const std::string& path, mode_t mode) override {
    return answer(::mkdir(at(path).c_str(), mode));
  }
  int make_node(const std::string& path, mode_t mode) override {
    return answer(::mknod(at(path).c_str(), mode, 0));
  }
  int make_link(const std::string& target, const std::string& path) override {
    return answer(::symlink(target.c_str(), at(path).c_str()));
  }
  int hard_link(const std::string& from, const std::string& to) override {
    return answer(::link(at(from).c_str(), at(to).c_str()));
  }
  int remove_file(const std::string& path) override { return answer(::unlink(at(path).c_str())); }
  int remove_directory(const std::string& path) override { return answer(::rmdir(at(path).c_str())); }
  int rename(const std::string& from, const std::string& to, unsigned flags) override {
    return answer(::renameat2(AT_FDCWD, at(from).c_str(), AT_FDCWD, at(to).c_str(), flags));
  }
  int mode(const std::string& path, mode_t mode) override {
    return answer(::chmod(at(path).c_str(), mode));
  }
  int owner(const std::string& path, uid_t uid, gid_t gid) override {
    return answer(::chown(at(path).c_str(), uid, gid));
  }
  int times(const std::string& path, const struct timespec* times, bool follow) override {
    return answer(::utimensat(AT_FDCWD, at(path).c_str(), times, follow ? 0 : AT_SYMLINK_NOFOLLOW));
  }
  int truncate(const std::string& path, off_t length) override {
    return answer(::truncate(at(path).c_str(), length));
  }
  int access(const std::string& path, int mask) override {
    return answer(::faccessat(AT_FDCWD, at(path).c_str(), mask, AT_EACCESS));
  }
  int target(const std::string& path, std::string& out) override {
    char buffer[PATH_MAX];
    const ssize_t length = ::readlink(at(path).c_str(), buffer, sizeof(buffer));
    if (length < 0) return -errno;
    out.assign(buffer, static_cast<size_t>(length));
    return 0;
  }
  int names(const std::string& path, std::vector<std::string>& out) override {
    out.clear();
    DIR* directory = ::opendir(at(path).c_str());
    if (directory == nullptr) return -errno;
    while (const struct dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") out.emplace_back(name);
    }
    ::closedir(directory);
    std::sort(out.begin(), out.end());
    return 0;
  }

 private:
  static int answer(int result) { return result < 0 ? -errno : result; }
  // An empty path stays empty: it is an error of its own.
  std::string at(const std::string& path) const {
    return path.empty() ? path : root_.string() + "/" + path;
  }
  fs::path root_;
};

class VirtualTree : public Tree {
 public:
  explicit VirtualTree(Workspace& workspace) : workspace_(workspace) {}

  int look(const std::string& path, Follow follow, Lookup& found) {
    const PathBuffer top;
    return look_up(workspace_, top, path.c_str(), follow, found);
  }
  int status(const std::string& path, bool follow, struct stat& out) override {
    return with(path, follow ? Follow::yes : Follow::no,
                [&](const Lookup& found) { return get_status(workspace_, found, out); });
  }
  int open(const std::string& path, int flags, mode_t mode) override {
    const bool itself = (flags & O_NOFOLLOW) != 0 ||
                        ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0);
    const bool refused = (flags & O_CREAT) != 0 && (flags & O_PATH) == 0 && path.ends_with('/');
    const Follow follow = refused ? Follow::name : itself ? Follow::no : Follow::yes;
    return with(path, follow, [&](const Lookup& found) {
      return open_file(workspace_, found, flags | O_CLOEXEC, mode, opened);
    });
  }
  int make_directory(const std::string& path, mode_t mode) override {
    return with(path, Follow::name, [&](const Lookup& found) {
      return vfs::make_directory(workspace_, found, mode);
    });
  }
  int make_node(const std::string& path, mode_t mode) override {
    return with(path, Follow::name,
                [&](const Lookup& found) { return vfs::make_node(workspace_, found, mode, 0); });
  }
  int make_link(const std::string& target, const std::string& path) override {
    return with(path, Follow::name, [&](const Lookup& found) {
      return make_symbolic_link(workspace_, target.c_str(), found);
    });
  }
  int hard_link(const std::string& from, const std::string& to) override {
    return with(from, Follow::no, [&](const Lookup& source) {
      if (!source.exists()) return -ENOENT;  // before anything is said of `to`
      return with(to, Follow::name,
                  [&](const Lookup& found) { return make_hard_link(workspace_, source, found); });
    });
  }
  int remove_file(const std::string& path) override {
    return with(path, Follow::name,
                [&](const Lookup& found) { return vfs::remove_file(workspace_, found); });
  }
  int remove_directory(const std::string& path) override {
    return with(path, Follow::name,
                [&](const Lookup& found) { return vfs::remove_directory(workspace_, found); });
  }
  int rename(const std::string& from, const std::string& to, unsigned flags) override {
    return with(from, Follow::name, [&](const Lookup& source) {
      return with(to, Follow::name, [&](const Lookup& found) {
        return rename_entry(workspace_, source, found, flags);
      });
    });
  }
  int mode(const std::string& path, mode_t mode) override {
    return with(path, Follow::yes,
                [&](const Lookup& found) { return change_mode(workspace_, found, mode); });
  }
  int owner(const std::string& path, uid_t uid, gid_t gid) override {
    return with(path, Follow::yes,
                [&](const Lookup& found) { return change_owner(workspace_, found, uid, gid); });
  }
  int times(const std::string& path, const struct timespec* times, bool follow) override {
    return with(path, follow ? Follow::yes : Follow::no,
                [&](const Lookup& found) { return change_times(workspace_, found, times); });
  }
  int truncate(const std::string& path, off_t length) override {
    return with(path, Follow::yes,
                [&](const Lookup& found) { return truncate_file(workspace_, found, length); });
  }
  int access(const std::string& path, int mask) override {
    return with(path, Follow::yes,
                [&](const Lookup& found) { return test_access(workspace_, found, mask, true); });
  }
  int target(const std::string& path, std::string& out) override {
    return with(path, Follow::no, [&](const Lookup& found) {
      PathBuffer text;
      if (!found.exists()) return -ENOENT;
      if (!found.is_link()) return -EINVAL;
      const int result = read_link(workspace_, found, text);
      if (result == 0) out.assign(text.text, text.length);
      return result;
    });
  }
  int names(const std::string& path, std::vector<std::string>& out) override {
    out.clear();
    return with(path, Follow::yes, [&](const Lookup& found) {
      if (!found.exists()) return -ENOENT;
      if (!found.is_directory()) return -ENOTDIR;
      Listing listing;
      const int result = listing.read(workspace_, found);
      if (result != 0) return result;
      for (const struct dirent64* entry = listing.at(0); entry != nullptr;
           entry = listing.at(static_cast<uint32_t>(entry->d_off))) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") out.emplace_back(name);
      }
      std::sort(out.begin(), out.end());
      return 0;
    });
  }

  OpenedKind opened = OpenedKind::draft;  // by the last open

 private:
  // Looks up and acts, again while the tree changes under the look-up.
  template <typename Action>
  int with(const std::string& path, Follow follow, const Action& action) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      Lookup found;
      int result = look(path, follow, found);
      if (result == 0 && !found.inside) return -EXDEV;
      if (result == 0) result = action(found);
      if (result != -ESTALE) return result;
    }
    return -ESTALE;
  }
  Workspace& workspace_;
};

// For gc.
inline Collection without_grace() {
  Collection collection;
  collection.grace.seconds = 0;
  return collection;
}

inline std::string error_name(int result) {
  return result < 0 ? strerrorname_np(-result) : std::to_string(result);
}

// One line for each entry, depth first: what a program can see of a tree.
// Times later than `recent` were set by the calls under test and read "now".
inline void describe_tree(Tree& tree, const std::string& path, time_t recent, std::string& out) {
  std::vector<std::string> names;
  const int listed = tree.names(path, names);
  if (listed != 0) out += path + ": listing: " + error_name(listed) + "\n";
  for (const std::string& name : names) {
    if (path == "." && name == kMarkerName) continue;
    const std::string child = path == "." ? name : path + "/" + name;
    struct stat status;
    const int result = tree.status(child, false, status);
    if (result != 0) {
      out += child + ": " + error_name(result) + "\n";
      continue;
    }
    char line[256];
    const bool now = status.st_mtim.tv_sec >= recent;
    const bool directory = S_ISDIR(status.st_mode);
    snprintf(line, sizeof(line), " %o %u:%u links %lu size %ld mtime %s", status.st_mode,
             status.st_uid, status.st_gid, static_cast<unsigned long>(status.st_nlink),
             directory ? 0L : static_cast<long>(status.st_size),
             now ? "now"
                 : (std::to_string(status.st_mtim.tv_sec) + "." +
                    std::to_string(status.st_mtim.tv_nsec)).c_str());
    out += child + line;
    std::string text;
    if (S_ISLNK(status.st_mode)) {
      tree.target(child, text);
      out += " -> " + text;
    } else if (S_ISREG(status.st_mode)) {
      out += " = " + tree.content(child);
    }
    out += "\n";
    if (directory) describe_tree(tree, child, recent, out);
  }
}

enum class Base { live, snapshot };

inline const char* name_of(Base base) { return base == Base::live ? "live" : "snapshot"; }

// A native tree, and a workspace of each asked kind over a copy of it.
class Bed {
 public:
  using Fill = std::function<void(const fs::path&)>;

  Bed(Base base, const Fill& fill)
      : kind(base),
        root(scratch / "root"),
        native_tree((::umask(022), fs::create_directory(scratch / "native"), scratch / "native")),
        store(scratch.store()) {
    fill(scratch / "native");
    // What the fixture made is old, so that what the calls make is new.
    age(scratch / "native");
    started_ = ::time(nullptr) - 1000;
    if (kind == Base::live) {
      copy_tree(scratch / "native", root);
      make_live_workspace(store, root.string());
    } else {
      Manifest manifest(store);
      const Snapshot snapshot = ingest(store, manifest, scratch / "native", {});
      make_snapshot_workspace(store, manifest, snapshot, root.string());
      base_id = snapshot.id;
    }
    context.directory = root.string();
    reopen();
  }

  // The workspace as another process would see it.
  void reopen() {
    workspace_ = std::make_unique<OpenWorkspace>(context, root.string());
    virtual_tree_ = std::make_unique<VirtualTree>(workspace_->core());
  }

  OpenWorkspace& workspace() { return *workspace_; }
  Workspace& core() { return workspace_->core(); }
  Tree& tree() { return *virtual_tree_; }
  Tree& native() { return native_tree; }
  // What the last open of tree() gave.
  OpenedKind opened() const { return virtual_tree_->opened; }

  // Does the same on both sides; both must answer alike. Gives the answer.
  int both(const std::string& what, const std::function<int(Tree&)>& action) {
    const int expected = action(native_tree);
    const int seen = action(*virtual_tree_);
    INFO(name_of(kind) << ": " << what);
    CHECK(error_name(seen) == error_name(expected));
    return seen;
  }
  // Both trees must look the same.
  void compare(const std::string& what) {
    std::string expected;
    std::string seen;
    describe_tree(native_tree, ".", started_, expected);
    describe_tree(*virtual_tree_, ".", started_, seen);
    INFO(name_of(kind) << ": " << what);
    CHECK(seen == expected);
  }
  // The real tree below the root, which nothing may touch.
  std::string real() {
    NativeTree real_tree(root);
    std::string out;
    describe_tree(real_tree, ".", started_, out);
    return out;
  }

  Lookup look(const std::string& path, Follow follow = Follow::no) {
    Lookup found;
    INFO(path);
    REQUIRE(virtual_tree_->look(path, follow, found) == 0);
    return found;
  }
  fs::path upper(const std::string& path) const {
    return fs::path(workspace_->state()) / "upper" / path;
  }

  Scratch scratch;
  Base kind;
  fs::path root;
  NativeTree native_tree;
  Store store;
  Context context;
  SnapshotId base_id = {};

 private:
  static void age(const fs::path& top) {
    std::vector<fs::path> paths = {top};
    for (const auto& entry : fs::recursive_directory_iterator(top)) paths.push_back(entry.path());
    int64_t seconds = 1'600'000'000;
    for (auto at = paths.rbegin(); at != paths.rend(); ++at) set_mtime(*at, seconds++, 123'456'789);
  }

  time_t started_ = 0;
  std::unique_ptr<OpenWorkspace> workspace_;
  std::unique_ptr<VirtualTree> virtual_tree_;
};

// Runs a test over both kinds of base.
inline void for_both(const Bed::Fill& fill, const std::function<void(Bed&)>& test) {
  for (const Base base : {Base::live, Base::snapshot}) {
    Bed bed(base, fill);
    INFO("base: " << name_of(base));
    const std::string before = bed.real();
    test(bed);
    CHECK(bed.real() == before);
  }
}

// All that programs see of it.
inline std::string described(Bed& bed) {
  std::string text;
  describe_tree(bed.tree(), ".", 0x7fffffff, text);
  return text;
}

// A little of everything.
inline void fill_small(const fs::path& top) {
  fs::create_directories(top / "dir/sub/deep");
  fs::create_directories(top / "empty");
  fs::create_directories(top / "full");
  write_file(top / "file", "content of file\n");
  write_file(top / "other", "another\n");
  write_file(top / "nothing", "");
  write_file(top / "dir/inner", "inner\n");
  write_file(top / "dir/sub/low", "low\n");
  write_file(top / "dir/sub/deep/lowest", "lowest\n");
  for (const char* name : {"a", "b", "c"}) write_file(top / "full" / name, name);
  write_file(top / "script", "#!/bin/sh\n");
  ::chmod((top / "script").c_str(), 0750);
  ::chmod((top / "dir/sub").c_str(), 0711);
  fs::create_symlink("file", top / "link");
  fs::create_symlink("dir", top / "dir_link");
  fs::create_symlink("nowhere", top / "dangling");
  write_file(top / "one", "shared\n");
  fs::create_hard_link(top / "one", top / "two");
  fs::create_hard_link(top / "one", top / "dir/three");
}

}  // namespace vfs::test
