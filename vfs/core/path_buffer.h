// A path under construction, in place: no allocation, safe in a signal handler.
#pragma once

#include <limits.h>
#include <stdint.h>
#include <string.h>

namespace vfs {

// A path that is known for as long as the process lives: see PathMemory.
struct KeptPath {
  const char* text = "";
  uint32_t length = 0;

  // Where the last component begins.
  const char* name() const {
    uint32_t start = length;
    while (start > 0 && text[start - 1] != '/') --start;
    return text + start;
  }
};

// At most PATH_MAX - 1 bytes of path, always NUL-terminated. append() and
// assign() return false, leaving the text as it was, when it would not fit:
// the caller's answer is ENAMETOOLONG, which is the kernel's too.
struct PathBuffer {
  uint32_t length = 0;  // bytes, without the NUL
  char text[PATH_MAX];

  PathBuffer() { text[0] = '\0'; }

  bool append(const char* bytes, size_t count) {
    if (count >= sizeof(text) - length) return false;
    memcpy(text + length, bytes, count);
    truncate(length + static_cast<uint32_t>(count));
    return true;
  }
  bool append(const char* string) { return append(string, strlen(string)); }
  bool append_character(char c) { return append(&c, 1); }
  // In decimal digits.
  bool append_number(uint64_t value) {
    char digits[20];
    unsigned start = sizeof(digits);
    do {
      digits[--start] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    return append(digits + start, sizeof(digits) - start);
  }

  bool assign(const char* bytes, size_t count) {
    if (count >= sizeof(text)) return false;
    memmove(text, bytes, count);
    truncate(static_cast<uint32_t>(count));
    return true;
  }
  bool assign(const char* string) { return assign(string, strlen(string)); }
  bool assign(const PathBuffer& other) { return assign(other.text, other.length); }
  bool assign(const KeptPath& other) { return assign(other.text, other.length); }

  // Adds one component, with a slash before it unless the path is empty.
  bool push(const char* name, size_t count) {
    const uint32_t before = length;
    if (length != 0 && !append_character('/')) return false;
    if (append(name, count)) return true;
    truncate(before);
    return false;
  }

  // Takes the last component away; "a" becomes "".
  void pop() {
    uint32_t end = length;
    while (end > 0 && text[end - 1] != '/') --end;
    truncate(end > 0 ? end - 1 : 0);
  }

  void truncate(uint32_t new_length) {
    length = new_length;
    text[length] = '\0';
  }

  // Where the last component begins.
  const char* name() const {
    uint32_t start = length;
    while (start > 0 && text[start - 1] != '/') --start;
    return text + start;
  }
};

// Where kept paths lie, one behind the other: buffers of constant size would
// have a page each, and each page that is touched is a fault in every process.
// What is kept stays. Not for two threads at once.
template <uint32_t size>
struct PathMemory {
  uint32_t used;
  char bytes[size];

  // Keeps `text` with `more` behind it. False: no room; `kept` is as it was.
  bool keep(KeptPath& kept, const char* text, size_t length, const char* more = "") {
    const size_t rest = strlen(more);
    if (length + rest >= PATH_MAX || length + rest >= size - used) return false;
    char* start = bytes + used;
    memcpy(start, text, length);
    memcpy(start + length, more, rest + 1);
    kept.text = start;
    kept.length = static_cast<uint32_t>(length + rest);
    used += kept.length + 1;
    return true;
  }
};

}  // namespace vfs
