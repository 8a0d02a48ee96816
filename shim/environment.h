// The environment variables that carry the shim from process to process.
#pragma once

#include "vfs/core/path_buffer.h"

namespace shim {

// At start: takes note of our own file, of descriptors that were inherited
// (VFS_DESCRIPTORS) and undoes what exec did to LD_LIBRARY_PATH.
void adopt_environment();

// A copy of an environment for a new program: `envp` with LD_PRELOAD,
// VFS_WORKSPACE and what else the shim needs put back. In memory of its own
// mapping, given back by the destructor (the caller is about to exec, or its
// vfork child is).
class ProgramEnvironment {
 public:
  // `library_path`: what to put before LD_LIBRARY_PATH, or null.
  ProgramEnvironment(char* const* envp, const char* library_path);
  ~ProgramEnvironment();
  ProgramEnvironment(const ProgramEnvironment&) = delete;
  ProgramEnvironment& operator=(const ProgramEnvironment&) = delete;

  // Null if there was no memory.
  char* const* get() const { return entries_; }

 private:
  char** entries_ = nullptr;
  char* memory_ = nullptr;
  size_t size_ = 0;
};

}  // namespace shim
