// Starting programs, for everything that starts one.
#pragma once

#include "shim/descriptors.h"
#include "shim/environment.h"
#include "shim/libraries.h"
#include "shim/program.h"

namespace shim {

// Everything the kernel, or libc, has to be given to start one program of the
// tree or outside it.
class Launch {
 public:
  // 0, or a negative errno as execve gives it.
  int prepare(const ProgramName& program, char* const* argv, char* const* envp,
              HandOn descriptors = HandOn::inherited);

  // Null: the path as it was given.
  const char* path() const { return path_; }
  char* const* arguments() const { return arguments_; }
  char* const* environment() const { return environment_; }

  // Whether what was to be started was a draft, and is not in upper any more.
  bool has_left() const;

 private:
  bool changes_nothing(const ProgramName& program, const Variables& variables,
                       HandOn descriptors) const;

  struct Work {
    Program program;
    LibraryChoice libraries;
    vfs::PathBuffer preload;        // as the program is to see it
    vfs::PathBuffer first_preload;  // with a library in front that insists on it
    vfs::PathBuffer descriptors;
  };

  int write_arguments(char* const* argv);
  int use_loader();
  int write_environment(char* const* envp, const Variables& variables, HandOn descriptors);

  ScratchBytes memory_;
  Work* work_ = nullptr;
  ProgramEnvironment own_environment_;
  const char* path_ = nullptr;
  char* const* arguments_ = nullptr;
  char* const* environment_ = nullptr;
  ScratchBytes own_arguments_;
  ScratchBytes loader_arguments_;
};

// Looks up the function behind execve while ld.so can still be asked: between
// fork and exec another thread's lock on it would never be released.
void prepare_exec();

}  // namespace shim
