// ftw and nftw: glibc's walk past our functions, so this is our own, made to
// call the program with the same paths, types and positions in the same order.
// (It needs no descriptor a level, so the limit on those has no meaning.)
#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/table.h"

namespace {

using OldCallback = int (*)(const char*, const struct stat*, int);
using NewCallback = int (*)(const char*, const struct stat*, int, struct FTW*);

constexpr int kKnownFlags = FTW_PHYS | FTW_MOUNT | FTW_CHDIR | FTW_DEPTH | FTW_ACTIONRETVAL;

class TreeWalk {
 public:
  TreeWalk(OldCallback old_callback, NewCallback new_callback, int flags)
      : old_(old_callback), new_(new_callback), flags_(flags) {}
  ~TreeWalk() {
    free(path_);
    free(seen_);
  }
  TreeWalk(const TreeWalk&) = delete;
  TreeWalk& operator=(const TreeWalk&) = delete;

  int run(const char* start);

 private:
  struct Identity {
    dev_t device;
    ino_t inode;
  };

  bool has(int flag) const { return (flags_ & flag) != 0; }
  int call(const struct stat& status, int type);
  int look(const char* name, struct stat& status, int& type);
  int walk_start();
  int walk_directory(const struct stat& status, DIR* parent);
  int walk_entries(DIR* directory);
  int walk_entry(const char* name, DIR* parent);
  bool was_seen(const struct stat& status) const;
  bool remember(const struct stat& status);
  bool extend(size_t length, const char* name);
  // What names the file from the working directory.
  const char* access_name() const {
    if (!has(FTW_CHDIR)) return path_;
    return path_[where_.base] != '\0' ? path_ + where_.base : ".";
  }

  OldCallback old_;
  NewCallback new_;
  int flags_;
  char* path_ = nullptr;
  size_t capacity_ = 0;
  struct FTW where_ = {};
  dev_t device_ = 0;
  Identity* seen_ = nullptr;  // directories, where links are followed
  size_t seen_count_ = 0;
  size_t seen_capacity_ = 0;
};

// Ends the path behind `length` bytes with `name`.
bool TreeWalk::extend(size_t length, const char* name) {
  const size_t size = length + strlen(name) + 2;
  if (size > capacity_) {
    auto* grown = static_cast<char*>(realloc(path_, size * 2));
    if (grown == nullptr) return false;
    path_ = grown;
    capacity_ = size * 2;
  }
  strcpy(path_ + length, name);
  return true;
}

int TreeWalk::call(const struct stat& status, int type) {
  if (new_ != nullptr) return new_(path_, &status, type, &where_);
  // The old interface knows fewer types.
  if (type == FTW_SL) type = FTW_F;
  if (type == FTW_DP) type = FTW_D;
  if (type == FTW_SLN) type = FTW_NS;
  return old_(path_, &status, type);
}

// 0 with the type, or -1.
int TreeWalk::look(const char* name, struct stat& status, int& type) {
  if ((has(FTW_PHYS) ? lstat(name, &status) : stat(name, &status)) == 0) {
    type = S_ISDIR(status.st_mode) ? FTW_D : S_ISLNK(status.st_mode) ? FTW_SL : FTW_F;
    return 0;
  }
  const int error = errno;
  type = FTW_NS;
  if (error != EACCES && error != ENOENT) return -1;
  if (!has(FTW_PHYS) && lstat(name, &status) == 0 && S_ISLNK(status.st_mode)) type = FTW_SLN;
  errno = error;
  return 0;
}

bool TreeWalk::was_seen(const struct stat& status) const {
  for (size_t i = 0; i < seen_count_; ++i) {
    if (seen_[i].inode == status.st_ino && seen_[i].device == status.st_dev) return true;
  }
  return false;
}

bool TreeWalk::remember(const struct stat& status) {
  if (seen_count_ == seen_capacity_) {
    const size_t capacity = seen_capacity_ * 2 + 64;
    auto* grown = static_cast<Identity*>(realloc(seen_, capacity * sizeof(Identity)));
    if (grown == nullptr) return false;
    seen_ = grown;
    seen_capacity_ = capacity;
  }
  seen_[seen_count_++] = {status.st_dev, status.st_ino};
  return true;
}

int TreeWalk::walk_entry(const char* name, DIR* parent) {
  struct stat status = {};
  int type;
  if (!extend(static_cast<size_t>(where_.base), name) || look(access_name(), status, type) != 0) {
    return -1;
  }
  if (type != FTW_NS && has(FTW_MOUNT) && status.st_dev != device_) return 0;
  int result = 0;
  if (type != FTW_D) {
    result = call(status, type);
  } else if (has(FTW_PHYS)) {
    result = walk_directory(status, parent);
  } else if (!was_seen(status)) {
    result = remember(status) ? walk_directory(status, parent) : -1;
  }
  return has(FTW_ACTIONRETVAL) && result == FTW_SKIP_SUBTREE ? 0 : result;
}

int TreeWalk::walk_entries(DIR* directory) {
  int result = 0;
  while (result == 0) {
    const struct dirent* entry = readdir(directory);
    if (entry == nullptr) break;
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      result = walk_entry(entry->d_name, directory);
    }
  }
  return result;
}

int TreeWalk::walk_directory(const struct stat& status, DIR* parent) {
  DIR* directory = opendir(access_name());
  if (directory == nullptr) return errno == EACCES ? call(status, FTW_DNR) : -1;
  int result = has(FTW_DEPTH) ? 0 : call(status, FTW_D);
  if (result == 0 && has(FTW_CHDIR) && fchdir(dirfd(directory)) != 0) result = -1;
  if (result != 0) {
    const int error = errno;
    closedir(directory);
    errno = error;
    return result;
  }
  const int base = where_.base;
  const size_t length = strlen(path_);
  const bool slash = length == 0 || path_[length - 1] != '/';
  if (slash && !extend(length, "/")) result = -1;
  where_.base = static_cast<int>(length + (slash ? 1 : 0));
  ++where_.level;
  if (result == 0) result = walk_entries(directory);
  --where_.level;
  path_[length] = '\0';
  where_.base = base;
  const int error = errno;
  closedir(directory);
  errno = error;
  if (has(FTW_ACTIONRETVAL) && result == FTW_SKIP_SIBLINGS) result = 0;
  if (result == 0 && has(FTW_DEPTH)) result = call(status, FTW_DP);
  // Not by "..": a link may have led here.
  const bool goes_on =
      result == 0 || (has(FTW_ACTIONRETVAL) && result != -1 && result != FTW_STOP);
  if (parent != nullptr && has(FTW_CHDIR) && goes_on && fchdir(dirfd(parent)) != 0) result = -1;
  return result;
}

int TreeWalk::walk_start() {
  struct stat status;
  int type;
  errno = 0;
  if (look(access_name(), status, type) != 0 || type == FTW_NS) return -1;
  if (type != FTW_D) return call(status, type);
  device_ = status.st_dev;
  if (!has(FTW_PHYS) && !remember(status)) return -1;
  return walk_directory(status, nullptr);
}

int TreeWalk::run(const char* start) {
  if (*start == '\0') return shim::answer(-ENOENT);
  if (!extend(0, start)) return -1;
  size_t length = strlen(path_);
  while (length > 1 && path_[length - 1] == '/') path_[--length] = '\0';
  while (length > 0 && path_[length - 1] != '/') --length;
  where_.base = static_cast<int>(length);
  int here = -1;
  if (has(FTW_CHDIR)) {
    here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here < 0) return -1;
    const char letter = path_[length];
    path_[length] = '\0';
    const int result = length > 0 ? chdir(path_) : 0;
    path_[length] = letter;
    if (result != 0) {
      close(here);
      return -1;
    }
  }
  int result = walk_start();
  if (has(FTW_ACTIONRETVAL) && (result == FTW_SKIP_SUBTREE || result == FTW_SKIP_SIBLINGS)) {
    result = 0;
  }
  if (here >= 0) {
    const int error = errno;
    if (fchdir(here) == 0) errno = error;
    close(here);
  }
  return result;
}

}  // namespace

VFS_INTERPOSE(int, ftw, (const char* path, OldCallback callback, int descriptors)) {
  if (!shim::engaged()) return VFS_NEXT(ftw)(path, callback, descriptors);
  return TreeWalk(callback, nullptr, 0).run(path);
}

VFS_INTERPOSE(int, nftw,
              (const char* path, NewCallback callback, int descriptors, int flags)) {
  if (!shim::engaged()) return VFS_NEXT(nftw)(path, callback, descriptors, flags);
  if ((flags & ~kKnownFlags) != 0) return shim::answer(-EINVAL);
  return TreeWalk(nullptr, callback, flags).run(path);
}

#define VFS_TABLE_FILE_TREE_WALK
#include "shim/entry_points.def"
