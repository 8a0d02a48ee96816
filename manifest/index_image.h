// An index in the making: entries in the order of the file, and what goes
// behind them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cas/store.h"
#include "manifest/manifest.h"
#include "vfs/core/index_format.h"

namespace vfs {

// What a manifest's entry says of a path, but for names and numbers.
IndexEntry describe(const Entry& entry);

class IndexImage {
 public:
  std::vector<IndexEntry> entries;

  // Adds an entry of that name below the entry `parent`, as a single name of
  // its inode, and gives its number. The first is the root.
  uint32_t add(const IndexEntry& entry, std::string_view name, std::string_view target,
               uint32_t parent);
  // It is another name of the inode that goes by `group`.
  void join_group(uint64_t group, uint32_t number);

  // Writes the file; complete or not at all. `main` is the header of the index
  // that this is a delta of, null for a full one. Throws Error.
  void write(const Store& store, const std::filesystem::path& path, const SnapshotId& id,
             const IndexHeader* main);

 private:
  struct Ring {
    uint32_t first;
    uint32_t last;
  };

  uint32_t add_text(std::string_view text);
  std::vector<IndexGroup> finish_groups();

  std::string names_;
  std::unordered_map<uint64_t, Ring> rings_;  // by group
};

}  // namespace vfs
