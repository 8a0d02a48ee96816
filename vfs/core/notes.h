// Notes in the state directory: small texts under a 64-bit key.
//
// A note is a symbolic link `STATE/GROUP/KEY` whose target is the text, with a
// slash before it since a target cannot be empty. It is read and replaced by
// one system call each. Notes are only read where the change filter says that
// there may be one.
#pragma once

#include "vfs/core/workspace.h"

namespace vfs {

// The absolute path of a group; the directory need not exist.
bool note_group(const Workspace& workspace, const char* group, PathBuffer& directory);

// A key, or any other number, as it stands in names: 16 hexadecimal digits.
bool append_key(PathBuffer& out, uint64_t key);
// Reads one and advances `cursor`.
bool read_key(const char*& cursor, uint64_t& key);

// What cannot be written is not noted: all that notes tell can be done without.
void write_note(const Workspace& workspace, const PathBuffer& group, uint64_t key,
                const PathBuffer& text);
bool read_note(const PathBuffer& group, uint64_t key, PathBuffer& text);

// Goes through the notes of a group.
class NoteReader {
 public:
  explicit NoteReader(const PathBuffer& group);
  ~NoteReader();
  NoteReader(const NoteReader&) = delete;
  NoteReader& operator=(const NoteReader&) = delete;

  // False: no more.
  bool next(uint64_t& key, PathBuffer& text);

 private:
  const PathBuffer& group_;
  int fd_;
  long count_ = 0;  // bytes in the buffer
  long at_ = 0;
  alignas(8) char buffer_[2048];
};

}  // namespace vfs
