// Which error a call with two paths answers when several are true: the
// kernel's order. rename() walks to both directories, compares their file
// systems, and only then looks at names. link() looks up the whole first path,
// then sees whether the second exists, and compares file systems last.
//
// If only one path is in the tree, no link or rename can join them: EXDEV, as
// between two file systems.
#pragma once

#include "shim/locate.h"

namespace shim {

struct Side {
  int dirfd;
  const char* path;
  LocatedPath located;

  bool is_elsewhere() const {
    return located.where == Where::untouched || located.where == Where::outside;
  }
  // Of a look-up's errors the one that concerns the last name only.
  bool has_long_name() const;
  bool is_inside() const { return located.where == Where::inside || has_long_name(); }
  Passed passed() const { return pass_on(located, dirfd, path); }
};

// Whether the kernel lets this process use AT_EMPTY_PATH to start from there: not
// everybody may with a descriptor that another process opened.
bool may_link_by_descriptor(const Passed& from);

// 0: both sides are in the tree, and `to` can be made. For sides of which at
// least one is not elsewhere.
long link_error(const Side& from, bool follow, const Side& to);
// The same for rename; what depends on both files is left to the core.
long rename_error(const Side& from, const Side& to, unsigned flags);

}  // namespace shim
