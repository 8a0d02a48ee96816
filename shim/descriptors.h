// What we know of the process's descriptors.
//
// Remembered are directories (their virtual path), sealed files (an object does
// not know whose content it is) and files of the live base (which may be copied
// up while they are open). Everything else is the kernel's to answer. A slot is
// a cache, never the truth: if it is missing (an inherited descriptor), the
// kernel's name for the descriptor says where it is.
#pragma once

#include <sys/stat.h>

#include "vfs/core/lookup.h"

namespace shim {

// The descriptor was closed, or is about to mean something else.
void forget_descriptor(int fd);
void forget_descriptors_from(unsigned first, unsigned last);
void copy_descriptor(int from, int to);

// `live`: as of Directory.
void note_directory(int fd, const vfs::PathBuffer& path, bool live);
// `object`: fstat's of the descriptor. Without it that is asked when somebody
// wants to know: most files are opened, read and closed.
void note_sealed(int fd, const vfs::Lookup& found, const struct stat* object = nullptr);
void note_live(int fd, const vfs::Lookup& found);
void note_draft(int fd, const vfs::Lookup& found, int flags);

// Where a descriptor leads.
enum class Place : uint8_t {
  elsewhere,  // nothing of ours
  upper,      // a real inode of upper: the kernel's answers are right
  live,       // a file or directory of the live base
  sealed,     // an object
};

struct Located {
  Place place;
  // Relative to the root. For sealed files empty if it cannot be known.
  vfs::PathBuffer path;
  bool path_known;
};

// Asks the slot first, then the kernel. False: elsewhere.
bool locate_descriptor(int fd, Located& located);

// What the tree has now at the place of a located descriptor, if that still is
// the file or directory that the descriptor holds.
bool find_located(int fd, const Located& located, vfs::Lookup& found);

// For a descriptor whose fstat is `status`: replaces it by what the virtual
// file has to answer, if it is a sealed file or a directory of the tree.
void correct_status(int fd, struct stat& status);

// The target of the link that an O_PATH descriptor holds, whether or not it has a
// name, and what it says if it is a record. False: it holds no link.
bool read_descriptor_link(int fd, vfs::PathBuffer& target, vfs::Record& record);

// After a change through the descriptor: what it has to tell once the name is gone.
void note_changed(int fd);

// Makes the descriptor of a sealed or live file an own inode (a draft), in
// place, keeping position and flags: what a lock or a metadata change needs. A
// file that has no name any more gets a private one. 0 (also if nothing had to
// be done) or a negative errno.
int make_descriptor_draft(int fd);

// The virtual working directory, or the directory that a *at call starts from.
struct Directory {
  bool inside;
  bool live;             // the kernel holds the live base's own directory at `path`
  vfs::PathBuffer path;  // inside: relative to the root; else absolute or empty
};

// 0, or -EBADF, -ENOTDIR, -ENOENT (a removed working directory).
int locate_directory(int dirfd, Directory& directory);

// A number for the stay in the working directory, if that is the kernel's own
// whichever path starts there (outside, or in a live base): another one after each
// change of it. 0: it is not, or is not known yet.
uint64_t working_directory_stay();
void forget_working_directory();

// Whether anything is remembered of the descriptor.
bool is_noted(int fd);
// The first descriptor behind `after` that was sealed when it was noted (it may
// be closed by now); -1: no more.
int next_sealed(int after);

// VFS_DESCRIPTORS: the sealed descriptors that the next program inherits, or
// all, if file actions of posix_spawn may hand on any of them. format returns
// false if there are none or they do not fit.
enum class HandOn : uint8_t { inherited, all };
bool has_inherited(HandOn which);
bool format_inherited(HandOn which, vfs::PathBuffer& out);
void adopt_inherited(const char* text);

}  // namespace shim
