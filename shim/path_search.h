// PATH, as execvp and posix_spawnp walk it.
#pragma once

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "vfs/core/path_buffer.h"

namespace shim {

// Whether glibc's execvp goes on to the next directory after this errno.
inline bool is_not_here(int error) {
  return error == EACCES || error == ENOENT || error == ESTALE || error == ENOTDIR ||
         error == ENODEV || error == ETIMEDOUT;
}

// Calls `attempt(candidate)` for one directory of PATH after the other, until
// its result (0 or a negative errno) is not one of those above. A refusal
// (EACCES) is what is reported if nothing is found after it.
template <typename Attempt>
int search_path(const char* file, Attempt attempt) {
  if (*file == '\0') return -ENOENT;
  if (strchr(file, '/') != nullptr) return attempt(file);
  if (strlen(file) > NAME_MAX) return -ENAMETOOLONG;
  const char* list = getenv("PATH");
  if (list == nullptr) list = "/bin:/usr/bin";
  bool refused = false;
  for (const char* at = list;; ++at) {
    const size_t length = strcspn(at, ":");
    vfs::PathBuffer candidate;
    // Nothing between two colons is the working directory.
    if (candidate.assign(at, length) && (length == 0 || candidate.append_character('/')) &&
        candidate.append(file)) {
      const int result = attempt(candidate.text);
      if (result >= 0 || !is_not_here(-result)) return result;
      refused = refused || result == -EACCES;
    }
    at += length;
    if (*at == '\0') return refused ? -EACCES : -ENOENT;
  }
}

}  // namespace shim
