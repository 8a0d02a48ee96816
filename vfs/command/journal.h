// What a command is about to do to a workspace, so that the next one can finish
// or undo it if this one is killed: see rfcs/0006-promises.md.
//
// One link in the state directory, `journal`, whose target is the text; replaced
// in one step, and only by who holds the workspace's BaseLock.
#pragma once

#include <string>
#include <vector>

#include "manifest/manifest.h"

namespace vfs {

enum class Step : uint8_t {
  none,
  undo,     // upper is being laid aside, in work/undo: put it back
  discard,  // all of it is there: drop it
  move,     // the same, and let the workspace stand on the snapshot
  commit,   // the base is about to be the snapshot. If it is: go on with tidy,
            // and hide what was removed by programs that did not know
  tidy,     // what is sealed leaves upper by way of work/: put back what is there
};

struct Journal {
  Step step = Step::none;
  SnapshotId snapshot = {};  // of move, commit and tidy
};

// Of the workspace with this state directory. What cannot be read is none.
Journal read_journal(const std::string& state);
// Throws Error.
void write_journal(const Store& store, const std::string& state, const Journal& journal);
void close_journal(const std::string& state);

// What a commit seals of upper: directories, each behind the one it is in, and what
// a tidy takes out. Relative to the state directory; "work/tidy.N" is the N-th of
// them on its way, "work/tidy.group/N" with all names of its inode.
using TidyNames = std::vector<std::string>;

std::string tidy_path(const std::string& state, size_t number);
std::string tidy_group_path(const std::string& state);
// Throw Error. Names that were never written are none; one that does not lead into
// upper is read as empty.
void write_tidy_names(const Store& store, const std::string& state, const TidyNames& names);
TidyNames read_tidy_names(const std::string& state);
void remove_tidy_names(const std::string& state);

}  // namespace vfs
