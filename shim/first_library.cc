#include "shim/first_library.h"

#include <elf.h>
#include <string.h>

#include "shim/elf_file.h"

namespace shim {
namespace {

// gcc's and clang's. The other sanitizers do not mind (and clang's, by default,
// is part of the program).
constexpr const char* kInsisting[] = {"libasan.so", "libclang_rt.asan"};

bool insists(const char* name) {
  for (const char* known : kInsisting) {
    if (strstr(name, known) != nullptr) return true;
  }
  return false;
}

}  // namespace

bool compose_first_library(const ProgramFile& program, const char* preload, vfs::PathBuffer& out) {
  // Without a head it was not read: a program of the system.
  if (memcmp(program.head, ELFMAG, SELFMAG) != 0) return false;
  ElfFile elf;
  if (!elf.open(program.real.text)) return false;
  const char* name = nullptr;
  for (unsigned i = 0; (name = elf.needed(i)) != nullptr && !insists(name); ++i) {
  }
  // Somebody who has put one of these first knows better which.
  vfs::PathBuffer first;
  first.assign(preload, strcspn(preload, " :"));
  const bool composed = name != nullptr && !insists(first.name()) && out.assign(name) &&
                        out.append_character(':') && out.append(preload);
  elf.close();
  return composed;
}

}  // namespace shim
