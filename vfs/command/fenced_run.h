// `vfs run` with limits: what a command may touch (--only), or only that the real root
// stays as it is (--strict); and --record, which finds out what a command touches.
#pragma once

#include <memory>

#include "vfs/command/fence.h"
#include "vfs/command/grants.h"

namespace vfs {

struct RunLimits {
  std::vector<std::string> grants;       // as on the command line
  std::vector<std::string> grant_files;
  std::string record;                    // where to write what was used; empty: does not record
  bool only = false;
  bool advisory = false;                 // go on where the kernel has no fence
  bool no_network = false;
  bool strict = false;

  bool any() const {
    return only || strict || no_network || !grants.empty() || !grant_files.empty() || !record.empty();
  }
};

// The grants that `limits` ask for, with the default ones, as far as this process may give
// them. `temporary` may be empty.
std::vector<NamedGrant> wanted_grants(const Context& context, OpenWorkspace& workspace, const RunLimits& limits,
                                      const std::string& temporary);

// A directory that goes with all that is in it.
class PrivateDirectory {
 public:
  PrivateDirectory() = default;  // none
  ~PrivateDirectory();
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;

  // In the usual place for temporary files. Throws Error.
  void make();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// One run. What it has made for that goes with it.
class FencedRun {
 public:
  // Sets the variables that tell the shim (VFS_GRANTS, VFS_ONLY, TMPDIR) in this process's
  // environment. Throws Error: what is asked for cannot be kept here.
  FencedRun(const Context& context, OpenWorkspace& workspace, const RunLimits& limits);
  FencedRun(const FencedRun&) = delete;
  FencedRun& operator=(const FencedRun&) = delete;

  // Puts the calling thread behind the fence, if there is one.
  void enter() const {
    if (fence_) fence_->enter();
  }
  // Writes what was recorded. Throws Error.
  void finish();

 private:
  void make_temporary();
  void make_fence(const RunLimits& limits);
  void allow_grants();
  void allow_workspace();
  void allow_all_but_root();

  OpenWorkspace& workspace_;
  const Context& context_;
  std::string record_;
  PrivateDirectory temporary_;
  std::vector<NamedGrant> grants_;
  std::unique_ptr<Fence> fence_;
};

}  // namespace vfs
