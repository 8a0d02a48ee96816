// The first line of a script: "#!interpreter argument".
#pragma once

#include <stddef.h>

namespace shim {

// How much of a file the kernel looks at to tell what it is.
constexpr size_t kHeadSize = 256;

struct ScriptLine {
  const char* interpreter;
  const char* argument;  // null: none
};

// Parses the head of a file as the kernel does; `head` is padded with zeros
// behind the end of the file and is cut into strings in place. False: not a
// script, or one that the kernel refuses (ENOEXEC), which it may say itself.
bool parse_script_line(char (&head)[kHeadSize], ScriptLine& line);

}  // namespace shim
