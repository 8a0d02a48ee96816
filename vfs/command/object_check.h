// Objects: whether each is what its name says, and each that is needed is there.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "cas/object_store.h"
#include "manifest/manifest.h"
#include "vfs/command/findings.h"

namespace vfs {

class ObjectCheck {
 public:
  ObjectCheck(const Store& store, Manifest& manifest)
      : store_(store), objects_(store), manifest_(manifest) {}

  // Reads every object, with all processors. Hold a StoreLock. Throws Error.
  void look();
  // After look(): whether there is something to repair.
  bool is_sound() const { return suspects_.empty() && odd_modes_.empty() && odd_sizes_.empty(); }
  uint64_t count() const { return count_; }

  // Looks again at what was suspect. If `findings` repairs: a damaged object goes
  // to the quarantine; it, and one that is missing, is stored again if a copy is
  // found (copies.h). Hold a StoreLock, which has to be exclusive to repair.
  void report(Findings& findings);

 private:
  struct Need {
    uint64_t size;
    uint64_t other_size = size;        // that the manifest also says
    bool in_manifest = false;
    std::vector<std::string> records = {};  // in upper layers: "PATH of STATE"
    std::vector<ServedPath> serves = {};    // filled for what is reported
  };
  using Needs = std::unordered_map<Digest, Need, DigestHash>;

  Needs collect_needs();
  // `all_told`: the paths in `need` are all that there are.
  void report_object(const Digest& digest, const Need& need, bool all_told, Findings& findings);
  void report_sizes(Findings& findings);
  void report_mode(const Digest& digest, Findings& findings);

  const Store& store_;
  const ObjectStore objects_;
  Manifest& manifest_;
  uint64_t count_ = 0;
  std::vector<Digest> suspects_;
  std::vector<Digest> odd_modes_;
  std::vector<std::string> odd_sizes_;
};

}  // namespace vfs
