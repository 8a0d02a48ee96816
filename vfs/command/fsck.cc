#include "vfs/command/fsck.h"

#include <sys/stat.h>

#include <memory>

#include "cas/error.h"
#include "vfs/command/context.h"
#include "vfs/command/object_check.h"
#include "vfs/command/store_check.h"

namespace vfs {
namespace {

// Opening a workspace does that. Before any lock is taken: it takes its own.
void finish_what_was_begun(const Store& store) {
  Context context;
  context.directory = "/";
  for (const WorkspaceState& state : all_states(store)) {
    std::string why;
    struct stat status;
    if (::lstat((state.path + "/journal").c_str(), &status) != 0) continue;
    if (look_at_marker(state, why) != Marker::ours) continue;
    try {
      const OpenWorkspace finished(context, state.root);
    } catch (const Error&) {
      // What is wrong with it is found below.
    }
  }
}

}  // namespace

Checked check_all(const Store& store, const FsckRules& rules) {
  Checked result = {0, 0, Findings(rules.repair)};
  const bool repairs = result.findings.repairs();
  if (repairs) finish_what_was_begun(store);
  Manifest manifest(store);
  ObjectCheck objects(store, manifest);
  auto lock = std::make_unique<StoreLock>(store, StoreLock::shared, rules.waiting);
  objects.look();
  if (repairs) {
    lock.reset();
    lock = std::make_unique<StoreLock>(store, StoreLock::exclusive, rules.waiting);
  }
  objects.report(result.findings);
  check_manifest(manifest, result.findings);
  check_indexes(store, manifest, result.findings);
  check_names(store, manifest, result.findings);
  check_leftovers(store, rules.workspaces.grace, result.findings);
  const std::vector<WorkspaceState> states = all_states(store);
  for (const WorkspaceState& state : states) {
    check_workspace(store, manifest, state, rules.workspaces, result.findings);
  }
  result.objects = objects.count();
  result.workspaces = states.size();
  return result;
}

}  // namespace vfs
