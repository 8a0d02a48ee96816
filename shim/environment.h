// The environment variables that carry the shim from process to process.
#pragma once

#include "shim/scratch.h"
#include "vfs/core/path_buffer.h"

namespace shim {

// At start: takes note of our own file, of descriptors that were inherited
// (VFS_DESCRIPTORS), and undoes what starting this program did to
// LD_LIBRARY_PATH, LD_PRELOAD and the process's name, so that the program does not see it and it
// does not pile up from process to process.
void adopt_environment();

// The variables in an environment that matter to us: their values, or null.
struct Variables {
  const char* preload;
  const char* library_path;
  const char* workspace;
  const char* log;
  const char* grants;
  const char* only;
  bool disabled;       // VFS_DISABLE: the new program is to run without us
  bool has_leftovers;  // variables that were for one process start only
};
Variables read_variables(char* const* environment);

// LD_PRELOAD with our library: `given` if it has it, else ours behind it. What
// others make of a call (fakeroot's owners) comes before what the tree says.
bool compose_preload(const char* given, vfs::PathBuffer& out);

// Our own file; empty if it is not known.
const vfs::KeptPath& own_library_path();
// Whether it is known not to lie in the workspace.
bool is_own_library_outside();

// LD_LIBRARY_PATH as the program was started with, for dlopen; empty: none.
const vfs::KeptPath& library_path_at_start();

// What a new program gets of us.
struct Additions {
  const char* preload;            // LD_PRELOAD as the program shall see it
  const char* library_directory;  // to put before LD_LIBRARY_PATH, or null
  const char* started_preload;    // LD_PRELOAD with real files, or null
  const char* descriptors;        // VFS_DESCRIPTORS, or null
  const char* process_name;       // VFS_PROCESS_NAME, or null
};

// Whether `environment` already is what a new program has to get.
bool is_right(const Variables& variables, const Additions& additions);

// A copy of an environment for a new program. In memory of its own mapping,
// given back by the destructor.
class ProgramEnvironment {
 public:
  ProgramEnvironment() = default;
  ProgramEnvironment(const ProgramEnvironment&) = delete;
  ProgramEnvironment& operator=(const ProgramEnvironment&) = delete;

  // False: no memory.
  bool build(char* const* environment, const Variables& variables, const Additions& additions);
  char* const* get() const { return entries_; }

 private:
  void add(const char* name, const char* first, const char* second = "", const char* third = "");

  char** entries_ = nullptr;
  size_t count_ = 0;
  char* text_ = nullptr;
  ScratchBytes memory_;
};

// For the libc functions that start a shell by themselves (system, popen,
// wordexp), with this process's own environment: our variables are in it for as
// long as an object of this type lives.
class OwnEnvironment {
 public:
  OwnEnvironment();
  ~OwnEnvironment();
  OwnEnvironment(const OwnEnvironment&) = delete;
  OwnEnvironment& operator=(const OwnEnvironment&) = delete;

 private:
  bool has_descriptors_ = false;
};

}  // namespace shim
