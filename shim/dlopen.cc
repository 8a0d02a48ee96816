// dlopen of libraries in the tree.
#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "shim/dlopen_caller.h"
#include "shim/environment.h"
#include "shim/interpose.h"
#include "shim/locate.h"
#include "shim/namespaces.h"
#include "shim/scratch.h"

namespace {

using NextOpen = void* (*)(const char* file, int mode);
using NextOpenIn = void* (*)(Lmid_t space, const char* file, int mode);

using shim::Answered;

// One call of dlopen or dlmopen.
struct Call {
  Lmid_t space;
  const char* file;
  int mode;
  const void* caller;  // where it returns to
  bool called;         // libc is called by us: it will not see that caller

  // Libraries that were loaded ahead for it.
  static constexpr unsigned kMostAhead = 64;
  struct {
    link_map* library;
    char* name;  // its own, if it goes by another while the call lasts
  } ahead[kMostAhead];
  unsigned ahead_count;
};

struct Callers {
  shim::LoadedFile program;
  shim::LoadedFile library;
};

// Loads what a library needs, so that its names are known when ld.so meets
// them. One without a DT_SONAME ld.so only knows by its path; what it compares
// with is the public name of its list of libraries.
bool load_ahead(void* context, const char* file, const char* name) {
  Call& call = *static_cast<Call*>(context);
  if (call.ahead_count == Call::kMostAhead) return false;
  void* handle = call.space == LM_ID_BASE
                     ? VFS_NEXT(dlopen)(file, RTLD_LAZY | RTLD_LOCAL)
                     : VFS_NEXT(dlmopen)(call.space, file, RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) return false;
  link_map* library = static_cast<link_map*>(handle);
  call.ahead[call.ahead_count++] = {library, name != nullptr ? library->l_name : nullptr};
  if (name != nullptr) library->l_name = strdup(name);  // may be read by others: never freed
  return true;
}

// What was loaded ahead is its user's now, who holds it as long as it lives.
// After a failure dlclose would take away what dlerror has to say.
void let_go(const Call& call, bool loaded) {
  for (unsigned i = call.ahead_count; i-- > 0;) {
    if (call.ahead[i].name != nullptr) call.ahead[i].library->l_name = call.ahead[i].name;
  }
  for (unsigned i = call.ahead_count; loaded && i-- > 0;) dlclose(call.ahead[i].library);
}

// Whether it is loaded already under this name: then nothing is searched.
bool is_loaded(const Call& call) {
  const int mode = RTLD_LAZY | RTLD_NOLOAD;
  void* handle = call.space == LM_ID_BASE ? VFS_NEXT(dlopen)(call.file, mode)
                                          : VFS_NEXT(dlmopen)(call.space, call.file, mode);
  if (handle == nullptr) return false;
  dlclose(handle);
  return true;
}

// A path that leads nowhere near the tree.
bool is_elsewhere(const char* file) {
  if (strchr(file, '$') != nullptr) return false;
  shim::LocatedPath located;
  shim::locate(AT_FDCWD, file, vfs::Follow::yes, located, {.needs = shim::kNeedsNothing});
  return located.where == shim::Where::untouched;
}

Answered find(Call& call, vfs::PathBuffer& real) {
  if (call.file == nullptr || *call.file == '\0' || !shim::engaged()) return Answered::no;
  if (strchr(call.file, '/') != nullptr) {
    if (is_elsewhere(call.file)) return Answered::no;
  } else if (shim::activity != shim::Activity::active || is_loaded(call)) {
    return Answered::no;
  }
  shim::Scratch<Callers> callers;
  if (!callers) return Answered::no;
  callers->program.find_program();
  shim::LibraryRequest request = {};
  request.program = callers->program.user();
  if (callers->library.find_library_of(call.caller)) request.caller = callers->library.user();
  request.name = call.file;
  request.library_path = shim::library_path_at_start().text;
  request.with_needed = (call.mode & RTLD_NOLOAD) == 0;
  request.any = call.called;
  const Answered answered = shim::find_library(request, load_ahead, &call, real);
  if (answered != Answered::no) shim::log("dlopen", call.file, real.text, 0);
  return answered;
}

// Something that is really there, in a live base, but that the tree hides: a
// name that ld.so does not find, with the one the program gave in it.
void name_missing(const char* file, vfs::PathBuffer& real) {
  real.assign("/proc/");
  real.append(file);
}

}  // namespace

extern "C" {
// Where the trampolines below jump to.
__attribute__((visibility("hidden"), used)) NextOpen vfs_next_dlopen = nullptr;
__attribute__((visibility("hidden"), used)) NextOpenIn vfs_next_dlmopen = nullptr;

// True if the call was answered here, with `handle`.
__attribute__((visibility("hidden"), used)) bool vfs_dlopen_in_tree(const char* file, int mode,
                                                                   void** handle,
                                                                   const void* caller) {
  vfs_next_dlopen = VFS_NEXT(dlopen);
  Call call = {LM_ID_BASE, file, mode, caller, false, {}, 0};
  vfs::PathBuffer real;
  const Answered answered = find(call, real);
  if (answered == Answered::no) return false;
  if (answered == Answered::missing) name_missing(file, real);
  *handle = vfs_next_dlopen(real.text, mode);
  let_go(call, *handle != nullptr);
  return true;
}

static bool open_in_namespace(Call call, void** handle) {
  vfs::PathBuffer real;
  const Answered answered = find(call, real);
  if (answered == Answered::no && !call.called) return false;
  if (answered == Answered::missing) name_missing(call.file, real);
  const char* file = answered == Answered::no ? call.file : real.text;
  *handle = vfs_next_dlmopen(call.space, file, call.mode);
  let_go(call, *handle != nullptr);
  return true;
}

__attribute__((visibility("hidden"), used)) bool vfs_dlmopen_in_tree(Lmid_t space,
                                                                    const char* file, int mode,
                                                                    void** handle,
                                                                    const void* caller) {
  vfs_next_dlmopen = VFS_NEXT(dlmopen);
  if (space == LM_ID_NEWLM && file != nullptr && shim::engaged()) {
    const shim::Namespace made;
    return made.id() != LM_ID_NEWLM &&
           open_in_namespace({made.id(), file, mode, caller, true, {}, 0}, handle);
  }
  return open_in_namespace({space, file, mode, caller, false, {}, 0}, handle);
}
}

#if defined(__x86_64__)

// libc's functions look at their return address: a bare name is searched in the
// caller's DT_RUNPATH, and loaded into the caller's namespace. What is not for
// us is therefore not called but jumped to, with the caller's frame on top.
// Three registers are saved, with room for the handle; 32 bytes and the return
// address leave the stack aligned to 16 bytes after eight more.
#define VFS_TRAMPOLINE_START(name)   \
  ".globl " name "\n"                \
  ".type " name ", @function\n"      \
  name ":\n"                         \
  ".cfi_startproc\n"                 \
  "endbr64\n"                        \
  "subq $40, %rsp\n"                 \
  ".cfi_adjust_cfa_offset 40\n"      \
  "movq %rdi, 8(%rsp)\n"             \
  "movq %rsi, 16(%rsp)\n"            \
  "movq %rdx, 24(%rsp)\n"
#define VFS_TRAMPOLINE_END(name)     \
  "call vfs_" name "_in_tree\n"      \
  "movq (%rsp), %rcx\n"              \
  "movq 8(%rsp), %rdi\n"             \
  "movq 16(%rsp), %rsi\n"            \
  "movq 24(%rsp), %rdx\n"            \
  "addq $40, %rsp\n"                 \
  ".cfi_adjust_cfa_offset -40\n"     \
  "testb %al, %al\n"                 \
  "jne 1f\n"                         \
  "jmp *vfs_next_" name "(%rip)\n"   \
  "1: movq %rcx, %rax\n"             \
  "ret\n"                            \
  ".cfi_endproc\n"                   \
  ".size " name ", . - " name "\n"
asm(".pushsection .text\n"
    VFS_TRAMPOLINE_START("dlopen")
    "movq %rsp, %rdx\n"
    "movq 40(%rsp), %rcx\n"
    VFS_TRAMPOLINE_END("dlopen")
    VFS_TRAMPOLINE_START("dlmopen")
    "movq %rsp, %rcx\n"
    "movq 40(%rsp), %r8\n"
    VFS_TRAMPOLINE_END("dlmopen")
    ".popsection\n");

#else

// Without the jump, a library outside the tree is not found by its caller's
// DT_RUNPATH.
VFS_INTERPOSE(void*, dlopen, (const char* file, int mode)) {
  void* handle = nullptr;
  return vfs_dlopen_in_tree(file, mode, &handle, __builtin_return_address(0))
             ? handle
             : vfs_next_dlopen(file, mode);
}

VFS_INTERPOSE(void*, dlmopen, (Lmid_t space, const char* file, int mode)) {
  void* handle = nullptr;
  return vfs_dlmopen_in_tree(space, file, mode, &handle, __builtin_return_address(0))
             ? handle
             : vfs_next_dlmopen(space, file, mode);
}

#endif
