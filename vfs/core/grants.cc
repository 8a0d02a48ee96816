#include "vfs/core/grants.h"

#include <errno.h>

namespace vfs {
namespace {

struct Letter {
  char letter;
  Rights right;
};
constexpr Letter kLetters[] = {{'r', kMayRead}, {'w', kMayWrite}, {'x', kMayExecute}};

bool is_name(const char* name, size_t length) {
  if (length == 0 || length > Grants::kNameLength) return false;
  for (size_t i = 0; i < length; ++i) {
    const char c = name[i];
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && c != '_' && c != '-') return false;
  }
  return true;
}

// Absolute, and each component is a name.
bool is_normal(const char* path, size_t length) {
  if (length == 0 || path[0] != '/') return false;
  if (length == 1) return true;
  for (size_t start = 1;;) {
    size_t end = start;
    while (end < length && path[end] != '/') {
      if (path[end++] == '\0') return false;
    }
    const size_t count = end - start;
    const bool dots = (count == 1 && path[start] == '.') ||
                      (count == 2 && path[start] == '.' && path[start + 1] == '.');
    if (count == 0 || dots) return false;
    if (end == length) return true;
    start = end + 1;
  }
}

// The reverse of how format() writes a path. -EINVAL: a backslash that stands for nothing.
int unescape(const char* text, size_t length, PathBuffer& path) {
  for (size_t i = 0; i < length; ++i) {
    char c = text[i];
    if (c == '\\') {
      if (++i == length || (text[i] != '\\' && text[i] != 'n')) return -EINVAL;
      c = text[i] == 'n' ? '\n' : '\\';
    }
    if (!path.append_character(c)) return -ENAMETOOLONG;
  }
  return 0;
}

// Counts what does not fit any more.
class Sink {
 public:
  Sink(char* out, size_t size) : out_(out), size_(size) {}
  void put(char c) {
    if (length_ < size_) out_[length_] = c;
    ++length_;
  }
  void put(const KeptPath& text) {
    for (uint32_t i = 0; i < text.length; ++i) put(text.text[i]);
  }
  size_t length() const { return length_; }

 private:
  char* out_;
  size_t size_;
  size_t length_ = 0;
};

}  // namespace

bool contains(const KeptPath& directory, const char* path, size_t length) {
  if (directory.length == 1) return length > 0 && path[0] == '/';  // "/"
  if (directory.length == 0 || length < directory.length) return false;
  if (memcmp(directory.text, path, directory.length) != 0) return false;
  return length == directory.length || path[directory.length] == '/';
}

int Grants::add(const char* name, size_t name_length, const char* path, size_t path_length,
                Rights rights) {
  if (!is_name(name, name_length) || (rights & ~kAllRights) != 0) return -EINVAL;
  if (path_length >= PATH_MAX) return -ENAMETOOLONG;
  if (!is_normal(path, path_length) || find(name, name_length) != nullptr) return -EINVAL;
  if (count_ == kCapacity) return -E2BIG;
  Grant grant;
  const uint32_t used = memory_.used;
  if (!memory_.keep(grant.name, name, name_length) ||
      !memory_.keep(grant.path, path, path_length)) {
    memory_.used = used;
    return -E2BIG;
  }
  grant.rights = rights;
  grants_[count_++] = grant;
  return 0;
}

int Grants::parse_line(const char* line, size_t length) {
  const auto* equals = static_cast<const char*>(memchr(line, '=', length));
  if (equals == nullptr) return -EINVAL;
  const char* at = equals + 1;
  const char* end = line + length;
  Rights rights = 0;
  for (const Letter& known : kLetters) {
    if (at != end && *at == known.letter) {
      rights |= known.right;
      ++at;
    }
  }
  if (at == end || *at != ':') return -EINVAL;
  ++at;
  PathBuffer path;
  const int result = unescape(at, static_cast<size_t>(end - at), path);
  return result != 0
             ? result
             : add(line, static_cast<size_t>(equals - line), path.text, path.length, rights);
}

int Grants::parse(const char* text, size_t length) {
  count_ = 0;
  memory_.used = 0;
  const char* end = text + length;
  for (const char* line = text; length != 0;) {
    const auto* newline =
        static_cast<const char*>(memchr(line, '\n', static_cast<size_t>(end - line)));
    const char* stop = newline != nullptr ? newline : end;
    const int result = parse_line(line, static_cast<size_t>(stop - line));
    if (result != 0) {
      count_ = 0;
      return result;
    }
    if (newline == nullptr) break;
    line = newline + 1;
  }
  return 0;
}

size_t Grants::format(char* out, size_t size) const {
  Sink sink(out, size);
  for (const Grant& grant : *this) {
    if (&grant != begin()) sink.put('\n');
    sink.put(grant.name);
    sink.put('=');
    for (const Letter& known : kLetters) {
      if ((grant.rights & known.right) != 0) sink.put(known.letter);
    }
    sink.put(':');
    for (uint32_t i = 0; i < grant.path.length; ++i) {
      const char c = grant.path.text[i];
      if (c == '\\' || c == '\n') sink.put('\\');
      sink.put(c == '\n' ? 'n' : c);
    }
  }
  return sink.length();
}

const Grant* Grants::find(const char* name, size_t length) const {
  for (const Grant& grant : *this) {
    if (grant.name.length == length && memcmp(grant.name.text, name, length) == 0) return &grant;
  }
  return nullptr;
}

Rights Grants::rights_of(const char* path, size_t length) const {
  Rights rights = 0;
  for (const Grant& grant : *this) {
    if (contains(grant.path, path, length)) rights |= grant.rights;
  }
  return rights;
}

}  // namespace vfs
