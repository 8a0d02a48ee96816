// The entries of an fts walk: allocated, looked at, read, sorted.
#pragma once

#include <fts.h>
#include <stddef.h>

namespace shim::fts {

// The longest path that fts_pathlen can count.
constexpr size_t kPathSize = 1 << 16;

inline bool has(const FTS* walk, int option) { return (walk->fts_options & option) != 0; }

// Where a name is to be put behind the path of a directory.
inline size_t end_of(const FTSENT* directory) {
  const size_t length = directory->fts_pathlen;
  return length > 0 && directory->fts_path[length - 1] == '/' ? length - 1 : length;
}

FTSENT* allocate(const FTS* walk, const char* name, size_t length);
void free_list(FTSENT* entry);

// What the entry is (FTS_D, FTS_F ...); fills in its status.
unsigned short look(const FTS* walk, FTSENT* entry, bool follow);

FTSENT* sorted(FTS* walk, FTSENT* head, size_t count);

// The entries of `walk->fts_cur`; null if there are none or they cannot be read
// (`reads`: then says so in the directory's own entry).
FTSENT* read_children(FTS* walk, bool reads);

}  // namespace shim::fts
