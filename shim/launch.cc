#include "shim/aliases.h"
#include "shim/exec.h"
#include "shim/first_library.h"
#include "shim/state.h"
#include "vfs/core/sys.h"

namespace shim {

// A program of the system, started with an environment that has all it needs of
// us, as nearly every program of a build is: that takes no working memory, each
// page of which a child of fork pays for.
bool Launch::changes_nothing(const ProgramName& program, const Variables& variables,
                             HandOn descriptors) const {
  if (activity != Activity::active || variables.disabled || variables.library_path != nullptr ||
      !is_of_the_system(program.path) || !is_surely_outside(program.path) ||
      !is_own_library_outside() || has_inherited(descriptors)) {
    return false;
  }
  Additions additions = {};
  additions.preload = own_library_path().text;
  return is_right(variables, additions);
}

int Launch::prepare(const ProgramName& program, char* const* argv, char* const* envp,
                    HandOn descriptors) {
  const Variables variables = read_variables(envp);
  // The copy may be inherited where what it was made from is not.
  if (in_vfork_child && vfork_child_copied) descriptors = HandOn::all;
  if (changes_nothing(program, variables, descriptors)) {
    arguments_ = argv;
    environment_ = envp;
    return 0;
  }
  work_ = static_cast<Work*>(memory_.allocate(sizeof(Work)));
  if (work_ == nullptr) return -ENOMEM;
  if (!compose_preload(variables.preload, work_->preload)) return -E2BIG;
  // Libraries of the tree matter to every program, also those outside it, if
  // one of the two lists leads there.
  const bool lists_lead_into_tree =
      activity == Activity::active && !variables.disabled &&
      (may_lead_into_tree(variables.library_path, ":;") ||
       (variables.preload != nullptr && may_lead_into_tree(work_->preload.text, " :")));
  int result = work_->program.resolve(program, lists_lead_into_tree);
  if (result != 0) return result;
  path_ = work_->program.path_to_start();
  result = write_arguments(argv);
  if (result != 0) return result;
  environment_ = envp;
  if (variables.disabled) return 0;
  const ProgramFile& last = work_->program.last();
  if (activity == Activity::active && (last.in_tree || lists_lead_into_tree)) {
    const LibraryUser user = {last.real.text, last.in_tree ? &last.path : nullptr,
                              last.in_tree ? nullptr : last.name.text};
    choose_libraries(user, variables.library_path, work_->preload.text, work_->libraries);
  }
  if (work_->libraries.loader.length != 0) {
    result = use_loader();
    if (result != 0) return result;
  }
  return write_environment(envp, variables, descriptors);
}

bool Launch::has_left() const {
  if (work_ == nullptr) return false;
  const ProgramFile& file = work_->program.started();
  struct stat status;
  return file.in_tree && !file.sealed && vfs::sys::lstat(file.real.text, &status) == -ENOENT;
}

// Starts ld.so in place of the program that it is to load: see LibraryChoice.
int Launch::use_loader() {
  LibraryChoice& libraries = work_->libraries;
  const size_t count = Program::count(arguments_);
  const char* file = work_->program.last().real.text;
  const char* options[] = {libraries.loader.text,    "--argv0",
                           count > 0 ? arguments_[0] : file,
                           "--inhibit-rpath",        libraries.inhibited.text,
                           "--library-path",         libraries.search.text,
                           file};
  constexpr size_t kOptions = sizeof(options) / sizeof(options[0]);
  char** own = static_cast<char**>(
      loader_arguments_.allocate((kOptions + count + 1) * sizeof(char*)));
  if (own == nullptr) return -ENOMEM;
  for (const char* option : options) *own++ = const_cast<char*>(option);
  for (size_t i = 1; i < count; ++i) *own++ = arguments_[i];
  *own = nullptr;
  arguments_ = own - (kOptions + (count > 0 ? count - 1 : 0));
  path_ = libraries.loader.text;
  libraries.directory.truncate(0);  // told already
  return 0;
}

int Launch::write_arguments(char* const* argv) {
  arguments_ = argv;
  if (work_->program.unrolled() == 0) return 0;
  const size_t size = work_->program.room_for(argv) * sizeof(char*);
  char** own = static_cast<char**>(own_arguments_.allocate(size));
  if (own == nullptr) return -ENOMEM;
  work_->program.write_arguments(argv, own);
  arguments_ = own;
  return 0;
}

int Launch::write_environment(char* const* envp, const Variables& variables,
                              HandOn descriptors) {
  const LibraryChoice& libraries = work_->libraries;
  Additions additions = {};
  additions.preload = work_->preload.text;
  if (libraries.directory.length != 0) additions.library_directory = libraries.directory.text;
  if (libraries.preload.length != 0) additions.started_preload = libraries.preload.text;
  const char* preload = additions.started_preload != nullptr ? additions.started_preload
                                                             : additions.preload;
  if (activity == Activity::active &&
      compose_first_library(work_->program.last(), preload, work_->first_preload)) {
    additions.started_preload = work_->first_preload.text;
  }
  additions.process_name = work_->program.process_name();
  if (activity == Activity::active && format_inherited(descriptors, work_->descriptors)) {
    additions.descriptors = work_->descriptors.text;
  }
  if (is_right(variables, additions)) return 0;
  if (!own_environment_.build(envp, variables, additions)) return -ENOMEM;
  environment_ = own_environment_.get();
  return 0;
}

}  // namespace shim
