#include "shim/hierarchy_entries.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

namespace shim::fts {

FTSENT* allocate(const FTS* walk, const char* name, size_t length) {
  constexpr size_t kAlign = alignof(struct stat);
  const size_t size = (sizeof(FTSENT) + length + kAlign) & ~(kAlign - 1);
  auto* entry = static_cast<FTSENT*>(
      calloc(1, size + (has(walk, FTS_NOSTAT) ? 0 : sizeof(struct stat))));
  if (entry == nullptr) return nullptr;
  memcpy(entry->fts_name, name, length);
  entry->fts_namelen = static_cast<unsigned short>(length);
  entry->fts_path = walk->fts_path;
  entry->fts_instr = FTS_NOINSTR;
  if (!has(walk, FTS_NOSTAT)) {
    entry->fts_statp = reinterpret_cast<struct stat*>(reinterpret_cast<char*>(entry) + size);
  }
  return entry;
}

void free_list(FTSENT* entry) {
  while (entry != nullptr) {
    FTSENT* next = entry->fts_link;
    free(entry);
    entry = next;
  }
}

namespace {

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

unsigned short directory_type(FTSENT* entry) {
  if (is_dot(entry->fts_name)) return FTS_DOT;
  for (FTSENT* above = entry->fts_parent; above->fts_level >= FTS_ROOTLEVEL;
       above = above->fts_parent) {
    if (above->fts_ino == entry->fts_ino && above->fts_dev == entry->fts_dev) {
      entry->fts_cycle = above;
      return FTS_DC;
    }
  }
  return FTS_D;
}

}  // namespace

unsigned short look(const FTS* walk, FTSENT* entry, bool follow) {
  struct stat own;
  struct stat& status = entry->fts_statp != nullptr ? *entry->fts_statp : own;
  const char* path = entry->fts_accpath;
  int error = 0;
  if (has(walk, FTS_LOGICAL) || follow) {
    if (stat(path, &status) != 0) {
      error = errno;
      if (lstat(path, &status) == 0) {
        errno = 0;
        return FTS_SLNONE;
      }
    }
  } else if (lstat(path, &status) != 0) {
    error = errno;
  }
  if (error != 0) {
    entry->fts_errno = error;
    status = {};
    return FTS_NS;
  }
  if (S_ISDIR(status.st_mode)) {
    entry->fts_dev = status.st_dev;
    entry->fts_ino = status.st_ino;
    entry->fts_nlink = status.st_nlink;
    return directory_type(entry);
  }
  if (S_ISLNK(status.st_mode)) return FTS_SL;
  return S_ISREG(status.st_mode) ? FTS_F : FTS_DEFAULT;
}

FTSENT* sorted(FTS* walk, FTSENT* head, size_t count) {
  auto** entries = static_cast<FTSENT**>(malloc(count * sizeof(FTSENT*)));
  if (entries == nullptr) return head;
  size_t filled = 0;
  for (FTSENT* entry = head; entry != nullptr; entry = entry->fts_link) entries[filled++] = entry;
  qsort(entries, count, sizeof(*entries),
        reinterpret_cast<int (*)(const void*, const void*)>(
            reinterpret_cast<void*>(walk->fts_compar)));
  for (size_t i = 0; i < count; ++i) entries[i]->fts_link = i + 1 < count ? entries[i + 1] : nullptr;
  head = entries[0];
  free(entries);
  return head;
}

namespace {

// One entry of the directory `walk->fts_cur`, whose path ends before `end`.
FTSENT* make_child(FTS* walk, const struct dirent* found, size_t end) {
  FTSENT* directory = walk->fts_cur;
  const size_t length = strlen(found->d_name);
  if (end + length >= kPathSize) {
    errno = ENAMETOOLONG;
    return nullptr;
  }
  FTSENT* child = allocate(walk, found->d_name, length);
  if (child == nullptr) return nullptr;
  child->fts_level = static_cast<short>(directory->fts_level + 1);
  child->fts_parent = directory;
  child->fts_pathlen = static_cast<unsigned short>(end + length);
  child->fts_accpath = child->fts_path;
  const bool names_only = has(walk, FTS_NAMEONLY);
  const bool is_known = has(walk, FTS_NOSTAT) && has(walk, FTS_PHYSICAL) &&
                        found->d_type != DT_DIR && found->d_type != DT_UNKNOWN;
  memcpy(walk->fts_path + end, found->d_name, length + 1);
  child->fts_info = names_only || is_known ? FTS_NSOK : look(walk, child, false);
  return child;
}

}  // namespace

FTSENT* read_children(FTS* walk, bool reads) {
  FTSENT* directory = walk->fts_cur;
  DIR* stream = opendir(directory->fts_accpath);
  if (stream == nullptr) {
    if (reads) {
      directory->fts_info = FTS_DNR;
      directory->fts_errno = errno;
    }
    return nullptr;
  }
  const size_t length = end_of(directory);
  walk->fts_path[length] = '/';
  FTSENT* head = nullptr;
  FTSENT** last = &head;
  size_t count = 0;
  bool failed = false;
  while (const struct dirent* found = readdir(stream)) {
    if (!has(walk, FTS_SEEDOT) && is_dot(found->d_name)) continue;
    FTSENT* child = make_child(walk, found, length + 1);
    failed = child == nullptr;
    if (failed) break;
    *last = child;
    last = &child->fts_link;
    ++count;
  }
  const int error = errno;
  closedir(stream);
  walk->fts_path[directory->fts_pathlen] = '\0';
  if (failed) {
    free_list(head);
    directory->fts_info = FTS_ERR;
    walk->fts_options |= FTS_STOP;
    errno = error;
    return nullptr;
  }
  if (count == 0 && reads) directory->fts_info = FTS_DP;
  return walk->fts_compar != nullptr && count > 1 ? sorted(walk, head, count) : head;
}

}  // namespace shim::fts
