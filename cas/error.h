// What goes wrong in the command and its libraries, in the words a user sees.
#pragma once

#include <errno.h>
#include <fmt/format.h>
#include <string.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace vfs {

// Printed as "vfs: WHAT: WHY", and what to do next on a line of its own.
struct Error : std::runtime_error {
  Error(std::string what_failed, std::string why_it_failed, std::string what_next = {})
      : std::runtime_error(what_failed + ": " + why_it_failed),
        what_failed(std::move(what_failed)),
        why(std::move(why_it_failed)),
        hint(std::move(what_next)) {}

  std::string what_failed;  // on what: a path, a name
  std::string why;
  std::string hint;         // may be empty
  int code = 0;             // errno, if a system call said so
};

// The error of a system call: `error` is an errno.
inline Error system_error(std::string what, int error, std::string hint = {}) {
  Error result(std::move(what), strerrordesc_np(error) ? strerrordesc_np(error) : "unknown error",
               std::move(hint));
  result.code = error;
  return result;
}

// Whether an errno says that a file went away, or became something else, after it was found. (A device that
// nobody has: a whiteout.)
inline bool says_gone(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENXIO || error == ENODEV ||
         error == ESTALE;
}

}  // namespace vfs
