#include "vfs/command/fsck.h"

#include <sys/stat.h>

#include <functional>
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

// What one part of the store keeps from being checked, is told as well as all else.
void check_part(Findings& findings, const std::function<void()>& check) {
  try {
    check();
  } catch (const Error& error) {
    Finding finding;
    finding.what = "store";
    finding.where = error.what_failed;
    finding.why = error.why;
    finding.repair = error.hint.empty() ? "see to that, and check again" : error.hint;
    findings.add(std::move(finding));
  }
}

}  // namespace

Checked check_all(const Store& store, const FsckRules& rules) {
  Checked result = {0, 0, Findings(rules.repair)};
  Findings& findings = result.findings;
  if (findings.repairs()) finish_what_was_begun(store);
  Manifest manifest(store);
  ObjectCheck objects(store, manifest);
  auto lock = std::make_unique<StoreLock>(store, StoreLock::shared, rules.waiting);
  bool looked = false;
  check_part(findings, [&] {
    objects.look();
    looked = true;
  });
  if (findings.repairs()) {
    lock.reset();
    lock = std::make_unique<StoreLock>(store, StoreLock::exclusive, rules.waiting);
  }
  if (looked) check_part(findings, [&] { objects.report(findings); });
  check_part(findings, [&] { check_manifest(manifest, findings); });
  check_part(findings, [&] { check_indexes(store, manifest, findings); });
  check_part(findings, [&] { check_names(store, manifest, findings); });
  check_leftovers(store, rules.workspaces.grace, findings);
  const std::vector<WorkspaceState> states = all_states(store);
  for (const WorkspaceState& state : states) {
    check_workspace(store, manifest, state, rules.workspaces, findings);
  }
  result.objects = objects.count();
  result.workspaces = states.size();
  return result;
}

}  // namespace vfs
