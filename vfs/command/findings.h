// What checks have to say: one finding for each thing that is not as it should be.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace vfs {

enum class Repair : bool { no, yes };

struct Finding {
  enum class Kind : unsigned char {
    violation,  // something is wrong
    leftover,   // of a killed process: in nobody's way
    skipped,    // could not be looked at now
  };
  enum class Outcome : unsigned char {
    left,        // nothing that a command can do; `repair` says what people can
    repairable,  // `repair` says what `vfs fsck --repair` does
    repaired,    // it has done so
  };

  std::string what;    // "object", "workspace", ...
  std::string where;   // a path, a digest
  std::string why;     // what is wrong with it
  std::string repair;  // a whole clause: "it is removed"
  Kind kind = Kind::violation;
  Outcome outcome = Outcome::left;
  std::vector<std::string> serves;  // of an object: "snapshot:path"
};

// Something that is wrong in manifest.db, and that nothing here can mend.
Finding damaged_manifest(std::string why);

// One line: what, where, why, and what repair does; as terminal_text() has it,
// also for a file, since a line is one finding.
std::string line_of(const Finding& finding);
// The line, and one more for each path that is served.
std::string text_of(const Finding& finding);

class Findings {
 public:
  explicit Findings(Repair repair) : repair_(repair) {}

  bool repairs() const { return repair_ == Repair::yes; }

  // Something that cannot be repaired here, or that the caller has.
  void add(Finding finding) { list_.push_back(std::move(finding)); }
  // Something that `mend` repairs: called at once if this is to repair. What it
  // throws is told with the finding, which stays unrepaired.
  void add(Finding finding, const std::function<void()>& mend);

  const std::vector<Finding>& list() const { return list_; }
  // Violations that nobody has repaired.
  size_t left() const;

 private:
  Repair repair_;
  std::vector<Finding> list_;
};

}  // namespace vfs
