// Other copies of what an object held.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cas/descriptor.h"
#include "cas/store.h"
#include "manifest/manifest.h"

namespace vfs {

struct Copy {
  Descriptor file;  // for reading, at its start
  std::string path;
};

// Looks by the paths that an object serves: in the upper layers and the roots of
// live workspaces, among what was started as a program, and where a snapshot was
// ingested from. Not thread-safe.
class Copies {
 public:
  explicit Copies(const Store& store);

  // A regular file of this size whose bytes have this digest. Looks at some
  // thousands of places at most, and reads no more than 64 files.
  std::optional<Copy> find(const Digest& digest, uint64_t size, const std::vector<ServedPath>& serves) const;

 private:
  std::vector<std::string> places_;  // directories
};

}  // namespace vfs
