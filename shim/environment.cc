// LD_PRELOAD and VFS_WORKSPACE have to reach every program, also past those
// that clear or rewrite the environment. VFS_LIBRARY_PATH and VFS_PRELOAD hold
// the entry, with its name, that the started program is to find in place of
// what ld.so had to see ("" if it had none): so it can be put back by moving a
// pointer, without memory of our own.
#include "shim/environment.h"

#include <link.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "shim/descriptors.h"
#include "shim/exec.h"
#include "shim/grants.h"
#include "shim/state.h"
#include "vfs/core/sys.h"

namespace shim {
namespace {

constexpr char kPreload[] = "LD_PRELOAD=";
constexpr char kLibraryPath[] = "LD_LIBRARY_PATH=";
constexpr char kWorkspace[] = "VFS_WORKSPACE=";
constexpr char kLog[] = "VFS_LOG=";
constexpr char kGrants[] = "VFS_GRANTS=";
constexpr char kOnly[] = "VFS_ONLY=";
constexpr char kDisable[] = "VFS_DISABLE=";
constexpr char kDescriptors[] = "VFS_DESCRIPTORS=";
constexpr char kProcessName[] = "VFS_PROCESS_NAME=";
constexpr char kSavedPreload[] = "VFS_PRELOAD=";
constexpr char kSavedLibraryPath[] = "VFS_LIBRARY_PATH=";

VFS_HOT constinit vfs::KeptPath own_library;
VFS_HOT bool own_library_is_outside;
VFS_HOT constinit vfs::KeptPath library_path_of_process;

// The value of an entry of this name, or null.
const char* value_of(const char* entry, const char* name) {
  const size_t length = strlen(name);
  return strncmp(entry, name, length) == 0 ? entry + length : nullptr;
}

extern "C" const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

int take_own_name(struct dl_phdr_info* info, size_t, void* name) {
  if (info->dlpi_addr != reinterpret_cast<ElfW(Addr)>(&__ehdr_start)) return 0;
  *static_cast<const char**>(name) = info->dlpi_name;
  return 1;
}

// LD_PRELOAD may name our library relative to a directory that is not the
// current one any more when the next program starts.
void find_own_library() {
  // Not dladdr: that goes through all our symbols.
  const char* name = "";
  dl_iterate_phdr(take_own_name, &name);
  if (*name == '\0') return;
  vfs::PathBuffer path;
  if (name[0] != '/') {
    const long length = vfs::sys::getcwd(path.text, sizeof(path.text));
    if (length <= 1) return;
    path.truncate(static_cast<uint32_t>(length - 1));
    path.append_character('/');
  }
  if (path.append(name)) workspace.memory.keep(own_library, path.text, path.length);
}

void remove_entry(char** entry) {
  for (; *entry != nullptr; ++entry) entry[0] = entry[1];
}

// Puts a saved entry in the place of the one called `name`.
void restore_entry(const char* name, char* saved) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (value_of(*entry, name) == nullptr) continue;
    if (*saved != '\0') {
      *entry = saved;
    } else {
      remove_entry(entry);
    }
    return;
  }
}

bool is_one_time(const char* entry) {
  return value_of(entry, kDescriptors) != nullptr || value_of(entry, kSavedPreload) != nullptr ||
         value_of(entry, kSavedLibraryPath) != nullptr || value_of(entry, kProcessName) != nullptr;
}

// Takes the entry called `name` out of our environment; its value, or null.
char* take_entry(const char* name) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const char* value = value_of(*entry, name);
    if (value == nullptr) continue;
    remove_entry(entry);
    return const_cast<char*>(value);
  }
  return nullptr;
}

// The library's own name, to know it again under another directory or with
// ld.so's $LIB in it.
bool is_own_name(const char* entry, size_t length) {
  const char* name = own_library.name();
  const size_t size = strlen(name);
  return length >= size && memcmp(entry + length - size, name, size) == 0 &&
         (length == size || entry[length - size - 1] == '/');
}

}  // namespace

void adopt_environment() {
  if (own_library.length == 0) find_own_library();
  vfs::PathBuffer rest;
  own_library_is_outside =
      own_library.length != 0 && !vfs::enter_workspace(workspace, own_library.text, rest);
  prepare_exec();
  if (environ == nullptr) return;
  if (char* saved = take_entry(kSavedLibraryPath)) restore_entry(kLibraryPath, saved);
  if (char* saved = take_entry(kSavedPreload)) restore_entry(kPreload, saved);
  if (const char* name = take_entry(kProcessName)) {
    vfs::sys::call(SYS_prctl, PR_SET_NAME, vfs::sys::as_argument(name));
  }
  const Variables variables = read_variables(environ);
  if (variables.library_path != nullptr) {
    workspace.memory.keep(library_path_of_process, variables.library_path,
                          strlen(variables.library_path));
  }
  if (const char* descriptors = take_entry(kDescriptors)) adopt_inherited(descriptors);
}

const vfs::KeptPath& own_library_path() {
  if (own_library.length == 0) find_own_library();
  return own_library;
}

bool is_own_library_outside() { return own_library_is_outside; }

const vfs::KeptPath& library_path_at_start() { return library_path_of_process; }

Variables read_variables(char* const* environment) {
  Variables out = {};
  if (environment == nullptr) return out;
  for (; *environment != nullptr; ++environment) {
    const char* entry = *environment;
    if (entry[0] == 'L') {
      if (const char* value = value_of(entry, kPreload)) out.preload = value;
      if (const char* value = value_of(entry, kLibraryPath)) out.library_path = value;
    } else if (entry[0] == 'V') {
      if (const char* value = value_of(entry, kWorkspace)) out.workspace = value;
      if (const char* value = value_of(entry, kLog)) out.log = value;
      if (const char* value = value_of(entry, kGrants)) out.grants = value;
      if (const char* value = value_of(entry, kOnly)) out.only = value;
      if (const char* value = value_of(entry, kDisable)) {
        out.disabled = *value != '\0' && strcmp(value, "0") != 0;
      }
      if (is_one_time(entry)) out.has_leftovers = true;
    }
  }
  // ld.so takes no notice of an empty one.
  if (out.library_path != nullptr && *out.library_path == '\0') out.library_path = nullptr;
  return out;
}

bool compose_preload(const char* given, vfs::PathBuffer& out) {
  const vfs::KeptPath& own = own_library_path();
  out.truncate(0);
  bool fits = true;
  bool has_own = false;
  // ld.so separates by blanks and colons, and has no way to quote either.
  for (const char* at = given != nullptr ? given : ""; fits && *at != '\0';) {
    const size_t length = strcspn(at, " :");
    if (is_own_name(at, length)) {
      has_own = true;
      fits = *at == '/' ? out.append(at, length) : out.append(own.text);
    } else {
      fits = out.append(at, length);
    }
    at += length;
    if (*at != '\0') fits = fits && out.append_character(*at++);
  }
  if (has_own) return fits;
  return fits && (out.length == 0 || out.append_character(':')) && out.append(own.text);
}

// What is behind a fence says so to whatever it starts, as it was told itself.
bool are_grants_right(const Variables& variables) {
  const auto same = [](const char* given, const char* wanted) {
    return wanted == nullptr || (given != nullptr && strcmp(given, wanted) == 0);
  };
  return same(variables.grants, grants_to_hand_on()) && same(variables.only, fencing_to_hand_on());
}

bool is_right(const Variables& variables, const Additions& additions) {
  return variables.preload != nullptr && strcmp(variables.preload, additions.preload) == 0 &&
         variables.workspace != nullptr && variables.workspace[0] == '/' &&
         (variables.log != nullptr || log_path.length == 0) && are_grants_right(variables) && !variables.has_leftovers &&
         additions.descriptors == nullptr && additions.process_name == nullptr &&
         additions.library_directory == nullptr && additions.started_preload == nullptr;
}

void ProgramEnvironment::add(const char* name, const char* first, const char* second,
                             const char* third) {
  entries_[count_++] = text_;
  for (const char* part : {name, first, second, third}) {
    const size_t length = strlen(part);
    memcpy(text_, part, length);
    text_ += length;
  }
  *text_++ = '\0';
}

bool ProgramEnvironment::build(char* const* environment, const Variables& variables,
                               const Additions& additions) {
  const char* library_path = variables.library_path != nullptr ? variables.library_path : "";
  const char* grants = grants_to_hand_on();
  const char* only = fencing_to_hand_on();
  size_t entries = 11;  // ten of ours and the null
  for (char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) ++entries;
  // Eight texts of at most PATH_MAX, and LD_LIBRARY_PATH twice.
  const size_t text_size = 8 * (PATH_MAX + 32) + 2 * (strlen(library_path) + 64) +
                           (grants != nullptr ? strlen(grants) + 32 : 0);
  entries_ = static_cast<char**>(memory_.allocate(entries * sizeof(char*) + text_size));
  if (entries_ == nullptr) return false;
  text_ = reinterpret_cast<char*>(entries_ + entries);

  const bool keeps_workspace = variables.workspace != nullptr && variables.workspace[0] == '/';
  add(kPreload, additions.started_preload != nullptr ? additions.started_preload
                                                     : additions.preload);
  if (!keeps_workspace) add(kWorkspace, workspace.root.text);
  if (log_path.length != 0 && variables.log == nullptr) add(kLog, log_path.text);
  if (grants != nullptr) add(kGrants, grants);
  if (only != nullptr) add(kOnly, only);
  if (additions.descriptors != nullptr) add(kDescriptors, additions.descriptors);
  if (additions.process_name != nullptr) add(kProcessName, additions.process_name);
  if (additions.started_preload != nullptr) add(kSavedPreload, kPreload, additions.preload);
  if (additions.library_directory != nullptr) {
    const bool had = *library_path != '\0';
    add(kLibraryPath, additions.library_directory, had ? ":" : "", library_path);
    add(kSavedLibraryPath, had ? kLibraryPath : "", library_path);
  }
  for (char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const bool replaced =
        value_of(*entry, kPreload) != nullptr ||
        (!keeps_workspace && value_of(*entry, kWorkspace) != nullptr) ||
        (additions.library_directory != nullptr && value_of(*entry, kLibraryPath) != nullptr) ||
        (grants != nullptr && value_of(*entry, kGrants) != nullptr) ||
        (only != nullptr && value_of(*entry, kOnly) != nullptr) || is_one_time(*entry);
    if (!replaced) entries_[count_++] = *entry;
  }
  entries_[count_] = nullptr;
  return true;
}

OwnEnvironment::OwnEnvironment() {
  vfs::PathBuffer text;
  const Variables variables = read_variables(environ);
  if (variables.disabled) return;
  compose_preload(variables.preload, text);
  if (variables.preload == nullptr || strcmp(variables.preload, text.text) != 0) {
    setenv("LD_PRELOAD", text.text, 1);
  }
  if (variables.workspace == nullptr || variables.workspace[0] != '/') {
    setenv("VFS_WORKSPACE", workspace.root.text, 1);
  }
  if (!are_grants_right(variables)) {
    setenv("VFS_GRANTS", grants_to_hand_on(), 1);
    setenv("VFS_ONLY", fencing_to_hand_on(), 1);
  }
  if (activity == Activity::active && format_inherited(HandOn::inherited, text)) {
    has_descriptors_ = setenv("VFS_DESCRIPTORS", text.text, 1) == 0;
  }
}

OwnEnvironment::~OwnEnvironment() {
  if (!has_descriptors_) return;
  const int saved = errno;
  unsetenv("VFS_DESCRIPTORS");
  errno = saved;
}

}  // namespace shim
