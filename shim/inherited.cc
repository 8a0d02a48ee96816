// The sealed descriptors that the next program inherits: VFS_DESCRIPTORS.
//
// "3:path\n7:path\n"; '\n' and '\\' in a path are escaped as "\n" and "\\". The
// object behind a descriptor does not say whose content it is; this does.
#include "shim/descriptors.h"
#include "shim/slots.h"
#include "shim/state.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

namespace sys = vfs::sys;

bool append_escaped(vfs::PathBuffer& out, const char* path) {
  for (const char* c = path; *c != '\0'; ++c) {
    const bool fits = *c == '\n'   ? out.append("\\n")
                      : *c == '\\' ? out.append("\\\\")
                                   : out.append_character(*c);
    if (!fits) return false;
  }
  return true;
}

// Takes one "3:path\n" off the front of `text`.
bool take_entry(const char*& text, int& fd, vfs::PathBuffer& path) {
  fd = 0;
  while (*text >= '0' && *text <= '9' && fd < 1'000'000) fd = fd * 10 + (*text++ - '0');
  if (*text++ != ':') return false;
  path.truncate(0);
  for (; *text != '\0' && *text != '\n'; ++text) {
    char c = *text;
    if (c == '\\' && text[1] != '\0') c = *++text == 'n' ? '\n' : '\\';
    if (!path.append_character(c)) return false;
  }
  if (*text == '\n') ++text;
  return true;
}

bool is_object(int fd, const vfs::Digest& digest) {
  vfs::PathBuffer object;
  vfs::PathBuffer name;
  return workspace.object_path(digest, object) && vfs::name_of_descriptor(fd, name) &&
         strcmp(name.text, object.text) == 0;
}

bool is_sealed_file(const vfs::Lookup& found) { return found.is_sealed() && found.is_regular(); }

// Remembers the descriptor if it really is the object that the path leads to,
// or that the base has there: it may have been copied up or removed since.
bool adopt(int fd, const vfs::PathBuffer& path) {
  vfs::Lookup found;
  if (vfs::look_up_canonical(workspace, path, found) != 0) return false;
  if (!is_sealed_file(found) || !is_object(fd, found.digest)) {
    if (!vfs::look_up_in_base(workspace, path, found) || !is_sealed_file(found) ||
        !is_object(fd, found.digest)) {
      return false;
    }
  }
  note_sealed(fd, found);
  return true;
}

// A descriptor that a file action of posix_spawn put elsewhere: one of the
// first few, as for standard input.
void adopt_moved(const vfs::PathBuffer& path) {
  constexpr int kFirstFew = 16;
  for (int fd = 0; fd < kFirstFew; ++fd) {
    struct stat status;
    if (sys::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && !is_noted(fd)) {
      adopt(fd, path);
    }
  }
}

// The first one behind `fd`, or -1.
int next_inherited(int fd, HandOn which) {
  while ((fd = next_sealed(fd)) >= 0 && which == HandOn::inherited) {
    // The reader sees for itself whether a descriptor is what it is said to be;
    // a vfork child may have closed it after it made copies.
    const int flags = sys::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) break;
  }
  return fd;
}

}  // namespace

bool has_inherited(HandOn which) { return next_inherited(-1, which) >= 0; }

bool format_inherited(HandOn which, vfs::PathBuffer& out) {
  out.truncate(0);
  for (int fd = -1; (fd = next_inherited(fd, which)) >= 0;) {
    const Slot* slot = find_slot(fd);
    if (slot == nullptr) continue;
    const uint32_t before = out.length;
    if (!out.append_number(static_cast<unsigned>(fd)) || !out.append_character(':') ||
        !append_escaped(out, slot->path.text) || !out.append_character('\n')) {
      out.truncate(before);
    }
  }
  return out.length != 0;
}

void adopt_inherited(const char* text) {
  const char* const all = text;
  int fd;
  vfs::PathBuffer path;
  bool moved = false;
  while (*text != '\0' && take_entry(text, fd, path)) moved = !adopt(fd, path) || moved;
  if (!moved) return;
  // Those that are where they were told to be come first: content that two
  // paths share does not say which of them it was.
  for (text = all; *text != '\0' && take_entry(text, fd, path);) {
    if (!is_noted(fd)) adopt_moved(path);
  }
}

}  // namespace shim
