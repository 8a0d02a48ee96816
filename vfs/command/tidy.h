// After a commit: what is sealed leaves upper, unless it changed meanwhile.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <vector>

#include "vfs/command/drafts.h"

namespace vfs {

// Takes out of upper what a commit sealed. Programs may go on meanwhile: what
// they write, make or remove during the commit stays theirs. Not thread-safe.
class Tidy {
 public:
  // To be made before the commit looks at the tree: names that appear later
  // are not part of it.
  explicit Tidy(OpenWorkspace& workspace);

  // Says what run() will take out, for who has to finish it if we are killed. To
  // be called before the base moves. Throws Error.
  void announce(const std::vector<std::unique_ptr<Draft>>& drafts);

  // To be called when the base is the new snapshot: what programs removed before it
  // was there to be hidden stays removed. Throws Error.
  void hide_removed(const std::vector<std::unique_ptr<Draft>>& drafts);

  // To be called then. Gives the number of drafts that stay drafts. Throws Error.
  uint64_t run(const std::vector<std::unique_ptr<Draft>>& drafts);

 private:
  using Inode = std::pair<dev_t, ino_t>;

  void note_records(const std::string& directory);
  void remove_records(const std::vector<std::unique_ptr<Draft>>& drafts);
  bool leaves(const Draft& draft);
  bool remove_draft(const Draft& draft);
  uint64_t stay_of_linked(const std::vector<const Draft*>& names);
  bool remove_linked(const std::vector<const Draft*>& names);
  void renumber(const Draft& draft);
  static bool is_as_stored(const Draft& draft, int fd, bool forced, struct stat& now);
  template <typename Sure>
  bool take_out(const std::string& path, size_t number, const struct stat& expected, Sure sure);
  std::string name_of(const std::string& real) const;
  uint64_t hash_of(const std::string& real) const;

  OpenWorkspace& workspace_;
  size_t first_record_ = 0;  // its number
  std::vector<std::string> directories_;  // each behind the one it is in
  // Whiteouts, records, links and special files, with what lstat said.
  std::vector<std::pair<std::string, struct stat>> records_;
};

// For a name of TidyNames that upper does not have any more: makes sure that the tree
// does not show what the base has there. Who removed it while the base did not have it
// left no whiteout. Throws Error.
void hide_if_removed(OpenWorkspace& workspace, const std::string& name);

}  // namespace vfs
