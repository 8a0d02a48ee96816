// What a program or library says about the libraries it needs.
#pragma once

#include <elf.h>
#include <link.h>
#include <stddef.h>

namespace shim {

// A mapped ELF file for this machine. Plain data: all zeros is "not open".
// Every offset is checked: files in a build tree may be half written.
class ElfFile {
 public:
  // False if it cannot be read or is something else (a script, another machine
  // or word size): ld.so would skip it too. A static program has no dynamic
  // section and needs nothing, but is open.
  bool open(const char* path);
  void close();
  bool is_open() const { return bytes_ != nullptr; }

  // The string of the first dynamic entry with this tag (DT_RPATH, DT_RUNPATH,
  // DT_SONAME), or null.
  const char* text(ElfW(Sxword) tag) const;
  // The program interpreter (PT_INTERP), or null.
  const char* interpreter() const;
  // The name of the `number`-th DT_NEEDED, or null behind the last.
  const char* needed(unsigned number) const;

 private:
  bool read_headers();
  void find_dynamic();
  const unsigned char* at_address(ElfW(Addr) address, size_t& left) const;
  const char* string(ElfW(Xword) offset) const;

  const unsigned char* bytes_;
  size_t size_;
  const ElfW(Phdr)* segments_;
  size_t segment_count_;
  const ElfW(Dyn)* dynamic_;
  size_t dynamic_count_;
  const char* strings_;
  size_t strings_size_;
};

}  // namespace shim
