// The states of all workspaces of a store, seen from the store.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cas/descriptor.h"
#include "cas/store.h"
#include "manifest/manifest.h"
#include "vfs/core/record.h"

namespace vfs {

struct WorkspaceState {
  std::string path;  // of the state directory
  std::string root;  // what it says of its root; empty if it does not
};

// In the order of their names. Throws Error if the store cannot be read.
std::vector<WorkspaceState> all_states(const Store& store);

// What the root says of a state.
enum class Marker : unsigned char {
  ours,     // the marker names this state
  lost,     // there is no marker, or it names another state: nobody comes here
  unknown,  // it cannot be told now
};
// `why`: in words, unless it is ours.
Marker look_at_marker(const WorkspaceState& state, std::string& why);

// Where the root of a lost state is now, if it, or a directory above it, was only
// given another name where it is. Empty if it is not found.
std::string find_moved_root(const WorkspaceState& state);

// Somebody who has the workspace open or stands in it: "process 123". Nothing if
// there is none that we can see; something too if /proc does not tell.
std::optional<std::string> who_runs_in(const std::string& state);

// Keeps commands from moving the base of a workspace; see BaseLock, which stands on
// this. Needs no workspace that can be opened.
class StateLock {
 public:
  enum Wait : bool { if_free, until_free };
  // `leave`: a lock file that is missing, which nobody can hold, is not made.
  enum Missing : bool { leave, make };
  // Throws Error if the lock's file cannot be opened.
  StateLock(const std::string& state, Missing missing, Wait wait = if_free);
  bool held() const { return held_; }

 private:
  Descriptor file_;
  bool held_ = false;
};

// Of everything that upper holds, top down: its path in it, what lstat and
// readlink say. What vanishes meanwhile is passed over. Throws Error.
struct UpperItem {
  std::string path;
  struct stat status;
  std::string target;  // of a link
};
void walk_upper(const std::string& state, const std::function<void(const UpperItem&)>& visit);
// The same of what a command is taking out of upper.
void walk_work(const std::string& state, const std::function<void(const UpperItem&)>& visit);

// Whether upper holds more than directories: drafts, records, whiteouts.
bool holds_changes(const std::string& state);

// Removes a state, in one step as others see it. Hold its StateLock, and an
// exclusive StoreLock. Throws Error.
void remove_state(const Store& store, const std::string& state);

}  // namespace vfs
