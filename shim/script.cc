#include "shim/script.h"

#include <string.h>

namespace shim {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

char* skip_blanks(char* from, const char* end) {
  while (from < end && is_blank(*from)) ++from;
  return from;
}

char* skip_word(char* from, const char* end) {
  while (from < end && !is_blank(*from) && *from != '\0') ++from;
  return from;
}

}  // namespace

bool parse_script_line(char (&head)[kHeadSize], ScriptLine& line) {
  if (head[0] != '#' || head[1] != '!') return false;
  char* const start = head + 2;
  // The kernel keeps the last byte for a NUL.
  char* const limit = head + kHeadSize - 1;
  // A NUL before the newline hides it, as in the kernel's own search.
  char* end = start;
  while (end < head + kHeadSize && *end != '\n' && *end != '\0') ++end;
  if (end == head + kHeadSize || *end != '\n') {
    // Without a newline the name might be cut off: only one that is seen to
    // end counts.
    char* name = skip_blanks(start, limit + 1);
    if (name == limit + 1 || skip_word(name, limit + 1) == limit + 1) return false;
    end = limit;
  }
  while (end > start && is_blank(end[-1])) --end;
  char* name = skip_blanks(start, end);
  if (name == end || *name == '\0') return false;
  char* word_end = skip_word(name, end);
  line.interpreter = name;
  line.argument = nullptr;
  if (word_end < end && *word_end != '\0') {
    char* argument = skip_blanks(word_end, end);
    if (argument < end) line.argument = argument;
  }
  *end = '\0';
  *word_end = '\0';
  return true;
}

}  // namespace shim
