// What is read of a program before it is started, and of a library before it is
// loaded: the ELF file, the first line of a script, paths with $ORIGIN in them.
#include "shim/elf_file.h"
#include "shim/library_path.h"
#include "shim/script.h"
#include "tests/fuzz/harness.h"

using namespace vfs;
using namespace vfs::fuzz;

namespace {

Scratch* scratch;

enum What : uint8_t { elf, script, path, whats };

void read_elf(std::string_view bytes) {
  const fs::path file = *scratch / "program";
  test::write_file(file, bytes);
  shim::ElfFile program;
  if (!program.open(file.c_str())) return;
  size_t sum = 0;
  const auto use = [&](const char* text) { sum += text != nullptr ? strlen(text) : 0; };
  for (const ElfW(Sxword) tag : {DT_RPATH, DT_RUNPATH, DT_SONAME}) use(program.text(tag));
  use(program.interpreter());
  for (unsigned i = 0; i < 100; ++i) use(program.needed(i));
  program.close();
  consume(sum);
  require(!program.is_open(), "a closed file is closed");
}

void read_script(std::string_view bytes) {
  char head[shim::kHeadSize] = {};
  memcpy(head, bytes.data(), std::min(bytes.size(), sizeof(head)));
  shim::ScriptLine line;
  if (!shim::parse_script_line(head, line)) return;
  require(line.interpreter > head && *line.interpreter != '\0', "a script has an interpreter");
  require(line.interpreter + strlen(line.interpreter) < head + sizeof(head), "which ends");
  require(line.argument == nullptr || line.argument + strlen(line.argument) < head + sizeof(head),
          "and so does its argument");
}

void read_path(std::string_view bytes) {
  // In memory of its own size: it does not end with a NUL.
  const std::vector<char> text(bytes.begin(), bytes.end());
  PathBuffer origin;
  PathBuffer out;
  shim::set_directory_of("/a/b/program", origin);
  if (shim::expand_library_path(text.data(), text.size(), origin, out)) {
    require(out.length < PATH_MAX && out.text[out.length] == '\0', "a path fits its buffer");
  }
}

// The least that has all that is read.
std::string small_elf() {
  constexpr char kStrings[] = "\0libc.so.6\0libx.so\0$ORIGIN/../lib\0/lib64/ld.so";
  struct {
    ElfW(Ehdr) header;
    ElfW(Phdr) segments[3];
    ElfW(Dyn) dynamic[7];
    char strings[sizeof(kStrings)];
  } file = {};
  const auto offset = [&](const void* part) {
    return static_cast<ElfW(Off)>(static_cast<const char*>(part) - reinterpret_cast<const char*>(&file));
  };
  const std::string own = test::read_file("/proc/self/exe").substr(0, sizeof(file.header));
  memcpy(&file.header, own.data(), sizeof(file.header));
  file.header.e_phoff = offset(file.segments);
  file.header.e_phnum = 3;
  file.segments[0].p_type = PT_LOAD;
  file.segments[0].p_filesz = sizeof(file);
  file.segments[1].p_type = PT_DYNAMIC;
  file.segments[1].p_offset = offset(file.dynamic);
  file.segments[1].p_filesz = sizeof(file.dynamic);
  file.segments[2].p_type = PT_INTERP;
  file.segments[2].p_offset = offset(file.strings) + 34;
  file.segments[2].p_filesz = sizeof(kStrings) - 34;
  const ElfW(Sxword) tags[] = {DT_STRTAB, DT_STRSZ, DT_NEEDED, DT_NEEDED, DT_RUNPATH, DT_SONAME, DT_NULL};
  const ElfW(Xword) values[] = {offset(file.strings), sizeof(kStrings), 1, 11, 19, 11, 0};
  for (size_t i = 0; i < std::size(tags); ++i) {
    file.dynamic[i].d_tag = tags[i];
    file.dynamic[i].d_un.d_val = values[i];
  }
  memcpy(file.strings, kStrings, sizeof(kStrings));
  return std::string(reinterpret_cast<const char*>(&file), sizeof(file));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  write_seeds({std::string(1, elf) + small_elf(), std::string(1, elf) + test::read_file("/bin/true").substr(0, 4000),
               std::string(1, script) + "#!/bin/sh -e\n", std::string(1, script) + "#! /usr/bin/env  python3",
               std::string(1, path) + "$ORIGIN/../lib", std::string(1, path) + "${LIB}/x/$PLATFORM/$ORIGINAL"});
  scratch = new Scratch;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t what = input.byte() % whats;
  const std::string_view bytes = input.rest();
  if (what == elf) read_elf(bytes);
  if (what == script) read_script(bytes);
  if (what == path) read_path(bytes);
  return 0;
}
