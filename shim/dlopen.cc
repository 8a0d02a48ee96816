// dlopen of libraries in the tree.
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "shim/environment.h"
#include "shim/interpose.h"
#include "shim/libraries.h"
#include "shim/locate.h"
#include "shim/startable.h"
#include "vfs/core/sys.h"

namespace {

using NextOpen = void* (*)(const char* file, int mode);

// Loads what a library needs, so that its names are known when ld.so meets
// them. The handles are kept: a library must not vanish under its user.
bool load_quietly(const char* file) {
  return VFS_NEXT(dlopen)(file, RTLD_LAZY | RTLD_LOCAL) != nullptr;
}

enum class Found : uint8_t { no, yes, missing };

// The real file for a path with a slash.
Found find_file(const char* file, int mode, vfs::PathBuffer& real) {
  shim::LocatedPath located;
  shim::locate(AT_FDCWD, file, vfs::Follow::yes, located);
  switch (located.where) {
    case shim::Where::untouched: return Found::no;
    case shim::Where::outside: real.assign(located.found.path); return Found::yes;
    case shim::Where::failed: return Found::missing;
    case shim::Where::inside: break;
  }
  if (!located.found.is_regular() || shim::startable_path(located.found, real) != 0) {
    // Not there either way: ld.so words the error best.
    return vfs::sys::faccessat(file, F_OK, 0) != 0 ? Found::no : Found::missing;
  }
  shim::log("dlopen", file, real.text, 0);
  if ((mode & RTLD_NOLOAD) == 0 &&
      !shim::load_libraries({real.text, &located.found.path, nullptr},
                            shim::library_path_at_start().text, load_quietly)) {
    return Found::missing;
  }
  return Found::yes;
}

// A bare name is looked for in the directories of LD_LIBRARY_PATH that lead
// into the tree; ld.so does the others, and its caller's DT_RUNPATH.
Found find_name(const char* name, int mode, vfs::PathBuffer& real) {
  const vfs::PathBuffer& list = shim::library_path_at_start();
  if (list.length == 0 || !shim::may_lead_into_tree(list.text, ":;")) return Found::no;
  for (const char* at = list.text;; ++at) {
    const size_t length = strcspn(at, ":;");
    vfs::PathBuffer file;
    file.assign(at, length);
    if (length == 0) file.assign(".");
    if (file.append_character('/') && file.append(name)) {
      const Found found = find_file(file.text, mode, real);
      if (found == Found::yes) return found;
      // One outside comes first: ld.so finds it too.
      if (found == Found::no && vfs::sys::faccessat(file.text, R_OK, 0) == 0) return found;
    }
    at += length;
    if (*at == '\0') return Found::no;
  }
}

Found find(const char* file, int mode, vfs::PathBuffer& real) {
  if (file == nullptr || *file == '\0' || !shim::engaged()) return Found::no;
  if (strchr(file, '/') != nullptr) return find_file(file, mode, real);
  return shim::activity == shim::Activity::active ? find_name(file, mode, real) : Found::no;
}

// Something that is really there, in a live base, but that the tree hides: a
// name that ld.so does not find, with the one the program gave in it.
void name_missing(const char* file, vfs::PathBuffer& real) {
  real.assign("/proc/");
  real.append(file);
}

}  // namespace

extern "C" {
// Where the trampoline below jumps to.
__attribute__((visibility("hidden"), used)) NextOpen vfs_next_dlopen = nullptr;

// True if the call was answered here, with `handle`.
__attribute__((visibility("hidden"), used)) bool vfs_dlopen_in_tree(const char* file, int mode,
                                                                   void** handle) {
  vfs_next_dlopen = VFS_NEXT(dlopen);
  vfs::PathBuffer real;
  const Found found = find(file, mode, real);
  if (found == Found::no) return false;
  if (found == Found::missing) name_missing(file, real);
  *handle = vfs_next_dlopen(real.text, mode);
  return true;
}
}

#if defined(__x86_64__)

// libc's dlopen looks at its return address: a bare name is searched in the
// caller's DT_RUNPATH, and loaded into the caller's namespace. What is not for
// us is therefore not called but jumped to, with the caller's frame on top.
asm(R"(
  .pushsection .text
  .globl dlopen
  .type dlopen, @function
dlopen:
  .cfi_startproc
  endbr64
  pushq %rdi
  .cfi_adjust_cfa_offset 8
  pushq %rsi
  .cfi_adjust_cfa_offset 8
  # Room for the handle, and the stack aligned to 16 bytes.
  subq $24, %rsp
  .cfi_adjust_cfa_offset 24
  leaq 8(%rsp), %rdx
  call vfs_dlopen_in_tree
  movq 8(%rsp), %rdx
  addq $24, %rsp
  .cfi_adjust_cfa_offset -24
  popq %rsi
  .cfi_adjust_cfa_offset -8
  popq %rdi
  .cfi_adjust_cfa_offset -8
  testb %al, %al
  jne 1f
  jmp *vfs_next_dlopen(%rip)
1:
  movq %rdx, %rax
  ret
  .cfi_endproc
  .size dlopen, . - dlopen
  .popsection
)");

#else

// Without the jump, a bare name is not searched in the caller's DT_RUNPATH.
VFS_INTERPOSE(void*, dlopen, (const char* file, int mode)) {
  void* handle = nullptr;
  return vfs_dlopen_in_tree(file, mode, &handle) ? handle : vfs_next_dlopen(file, mode);
}

#endif

// The namespace is given here; another one than the program's has its own
// copies of everything, so nothing is loaded ahead for it.
VFS_INTERPOSE(void*, dlmopen, (Lmid_t space, const char* file, int mode)) {
  vfs::PathBuffer real;
  const Found found = find(file, mode | RTLD_NOLOAD, real);
  if (found == Found::no) return VFS_NEXT(dlmopen)(space, file, mode);
  if (found == Found::missing) name_missing(file, real);
  return VFS_NEXT(dlmopen)(space, real.text, mode);
}
