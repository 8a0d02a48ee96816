// fts: glibc's own walks past our functions. This one answers as glibc's does
// with FTS_NOCHDIR: it never changes the working directory, which programs
// cannot rely on anyway, and fts_accpath is good from where they are.
#include <stdlib.h>
#include <string.h>

#include "shim/hierarchy_entries.h"
#include "shim/table.h"

namespace {

// Marks a walk as ours; glibc uses the bits below.
constexpr int kOurs = 0x4000;
using Compare = int (*)(const FTSENT**, const FTSENT**);
using namespace shim::fts;

bool is_ours(const FTS* walk) { return has(walk, kOurs); }

// The path of a root: its name is the last part of what the program gave.
void load_root(FTS* walk, FTSENT* root) {
  root->fts_pathlen = root->fts_namelen;
  memmove(walk->fts_path, root->fts_name, root->fts_namelen + size_t{1});
  char* slash = strrchr(root->fts_name, '/');
  if (slash != nullptr && (slash != root->fts_name || slash[1] != '\0')) {
    const size_t length = strlen(++slash);
    memmove(root->fts_name, slash, length + 1);
    root->fts_namelen = static_cast<unsigned short>(length);
  }
  root->fts_accpath = root->fts_path = walk->fts_path;
  walk->fts_dev = root->fts_dev;
}

FTSENT* take(FTS* walk, FTSENT* entry) {
  walk->fts_cur = entry;
  if (entry->fts_level == FTS_ROOTLEVEL) {
    load_root(walk, entry);
    return entry;
  }
  char* end = walk->fts_path + end_of(entry->fts_parent);
  *end++ = '/';
  memcpy(end, entry->fts_name, entry->fts_namelen + size_t{1});
  return entry;
}

// What comes behind `entry` on its level, or its parent again.
FTSENT* go_on(FTS* walk, FTSENT* entry) {
  for (FTSENT* next = entry->fts_link; next != nullptr; next = entry->fts_link) {
    free(entry);
    entry = take(walk, next);
    if (entry->fts_level == FTS_ROOTLEVEL) return entry;
    if (entry->fts_instr == FTS_SKIP) continue;
    if (entry->fts_instr == FTS_FOLLOW) {
      entry->fts_info = look(walk, entry, true);
      entry->fts_instr = FTS_NOINSTR;
    }
    return entry;
  }
  FTSENT* above = entry->fts_parent;
  walk->fts_cur = above;
  free(entry);
  if (above->fts_level == FTS_ROOTPARENTLEVEL) {
    free(above);
    walk->fts_cur = nullptr;
    errno = 0;  // the end, not an error
    return nullptr;
  }
  walk->fts_path[above->fts_pathlen] = '\0';
  above->fts_info = above->fts_errno != 0 ? FTS_ERR : FTS_DP;
  return above;
}

void drop_children(FTS* walk) {
  free_list(walk->fts_child);
  walk->fts_child = nullptr;
}

// The roots as a list. False: errno.
bool make_roots(FTS* walk, char* const* paths, FTSENT* parent, FTSENT*& head) {
  FTSENT** last = &head;
  size_t count = 0;
  for (; *paths != nullptr; ++paths, ++count) {
    const size_t length = strlen(*paths);
    errno = length == 0 ? ENOENT : length >= kPathSize ? ENAMETOOLONG : errno;
    FTSENT* root =
        length == 0 || length >= kPathSize ? nullptr : allocate(walk, *paths, length);
    if (root == nullptr) return false;
    root->fts_level = FTS_ROOTLEVEL;
    root->fts_parent = parent;
    root->fts_accpath = root->fts_name;
    root->fts_info = look(walk, root, has(walk, FTS_COMFOLLOW));
    if (root->fts_info == FTS_DOT) root->fts_info = FTS_D;
    *last = root;
    last = &root->fts_link;
  }
  if (walk->fts_compar != nullptr && count > 1) head = sorted(walk, head, count);
  return true;
}

}  // namespace

VFS_INTERPOSE(FTS*, fts_open, (char* const* paths, int options, Compare compare)) {
  if (!shim::engaged()) return VFS_NEXT(fts_open)(paths, options, compare);
  if ((options & ~FTS_OPTIONMASK) != 0) {
    errno = EINVAL;
    return nullptr;
  }
  auto* walk = static_cast<FTS*>(calloc(1, sizeof(FTS)));
  if (walk == nullptr) return nullptr;
  walk->fts_options = options | FTS_NOCHDIR | kOurs;
  walk->fts_rfd = -1;
  walk->fts_compar = reinterpret_cast<decltype(walk->fts_compar)>(
      reinterpret_cast<void*>(compare));
  walk->fts_path = static_cast<char*>(malloc(kPathSize + 1));
  walk->fts_pathlen = static_cast<int>(kPathSize);
  FTSENT* parent = allocate(walk, "", 0);
  FTSENT* before = allocate(walk, "", 0);
  FTSENT* roots = nullptr;
  if (walk->fts_path == nullptr || parent == nullptr || before == nullptr ||
      (parent->fts_level = FTS_ROOTPARENTLEVEL, !make_roots(walk, paths, parent, roots))) {
    const int error = errno;
    free_list(roots);
    free(before);
    free(parent);
    free(walk->fts_path);
    free(walk);
    errno = error;
    return nullptr;
  }
  before->fts_link = roots;
  before->fts_parent = parent;
  before->fts_info = FTS_INIT;
  walk->fts_cur = before;
  return walk;
}

VFS_INTERPOSE(FTSENT*, fts_read, (FTS * walk)) {
  if (!is_ours(walk)) return VFS_NEXT(fts_read)(walk);
  FTSENT* entry = walk->fts_cur;
  if (entry == nullptr || has(walk, FTS_STOP)) return nullptr;
  const int instruction = entry->fts_instr;
  entry->fts_instr = FTS_NOINSTR;
  if (instruction == FTS_AGAIN) {
    entry->fts_info = look(walk, entry, false);
    return entry;
  }
  if (instruction == FTS_FOLLOW &&
      (entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE)) {
    entry->fts_info = look(walk, entry, true);
    return entry;
  }
  if (entry->fts_info != FTS_D) return go_on(walk, entry);
  if (instruction == FTS_SKIP || (has(walk, FTS_XDEV) && entry->fts_dev != walk->fts_dev)) {
    drop_children(walk);
    entry->fts_info = FTS_DP;
    return entry;
  }
  if (has(walk, FTS_NAMEONLY)) {
    walk->fts_options &= ~FTS_NAMEONLY;
    drop_children(walk);
  }
  if (walk->fts_child == nullptr) walk->fts_child = read_children(walk, true);
  if (walk->fts_child == nullptr) return has(walk, FTS_STOP) ? nullptr : entry;
  FTSENT* first = walk->fts_child;
  walk->fts_child = nullptr;
  return take(walk, first);
}

VFS_INTERPOSE(FTSENT*, fts_children, (FTS * walk, int what)) {
  if (!is_ours(walk)) return VFS_NEXT(fts_children)(walk, what);
  if (what != 0 && what != FTS_NAMEONLY) {
    errno = EINVAL;
    return nullptr;
  }
  FTSENT* entry = walk->fts_cur;
  errno = 0;
  if (entry == nullptr || has(walk, FTS_STOP)) return nullptr;
  if (entry->fts_info == FTS_INIT) return entry->fts_link;
  if (entry->fts_info != FTS_D) return nullptr;
  drop_children(walk);
  walk->fts_options = (walk->fts_options & ~FTS_NAMEONLY) | what;
  return walk->fts_child = read_children(walk, false);
}

VFS_INTERPOSE(int, fts_set, (FTS * walk, FTSENT* entry, int instruction)) {
  if (!is_ours(walk)) return VFS_NEXT(fts_set)(walk, entry, instruction);
  if (instruction != 0 && instruction != FTS_AGAIN && instruction != FTS_FOLLOW &&
      instruction != FTS_NOINSTR && instruction != FTS_SKIP) {
    errno = EINVAL;
    return 1;
  }
  entry->fts_instr = static_cast<unsigned short>(instruction);
  return 0;
}

VFS_INTERPOSE(int, fts_close, (FTS * walk)) {
  if (!is_ours(walk)) return VFS_NEXT(fts_close)(walk);
  FTSENT* entry = walk->fts_cur;
  while (entry != nullptr) {
    FTSENT* next = entry->fts_level < FTS_ROOTLEVEL ? nullptr
                   : entry->fts_link != nullptr     ? entry->fts_link
                                                    : entry->fts_parent;
    free(entry);
    entry = next;
  }
  drop_children(walk);
  free(walk->fts_path);
  free(walk);
  return 0;
}

#define VFS_TABLE_FILE_HIERARCHY
#include "shim/entry_points.def"
