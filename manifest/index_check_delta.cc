#include <sys/stat.h>

#include <string_view>
#include <unordered_set>
#include <vector>

#include "cas/error.h"
#include "manifest/index_check.h"

namespace vfs {
namespace {

class DeltaCheck {
 public:
  DeltaCheck(IndexLevel delta, IndexLevel main)
      : delta_(delta), main_(main), counts_(delta.entry_count()) {}

  const char* place_problem(uint32_t number, uint32_t tree_end);
  // When the place of every entry is known.
  const char* sum_problem(uint32_t number) const;

 private:
  struct Counts {
    uint32_t tombstones = 0;
    uint32_t subdirectories = 0;  // more than main has; modulo 2^32
  };

  bool is_same_path(const IndexEntry& entry, const IndexEntry& main) const;
  bool is_in_main(const IndexEntry& entry) const;

  IndexLevel delta_;
  IndexLevel main_;
  std::vector<Counts> counts_;            // of what is below an entry
  std::unordered_set<uint32_t> covered_;  // main's entries that do not count any more
};

// The parents are the same path already, and so on up to the roots.
bool DeltaCheck::is_same_path(const IndexEntry& entry, const IndexEntry& main) const {
  const char* name = main_.name(main);
  return main.path_hash == entry.path_hash && name != nullptr &&
         main.parent == delta_.entry(entry.parent)->main &&
         std::string_view(name, main.name_length) ==
             std::string_view(delta_.name(entry), entry.name_length);
}

bool DeltaCheck::is_in_main(const IndexEntry& entry) const {
  const IndexEntry* above = main_.entry(delta_.entry(entry.parent)->main);
  return above != nullptr && main_.child(*above, delta_.name(entry), entry.name_length) != nullptr;
}

const char* DeltaCheck::place_problem(uint32_t number, uint32_t tree_end) {
  const IndexEntry& entry = *delta_.entry(number);
  if (number == 0) return entry.main == 0 ? nullptr : "is no root of main";
  const IndexEntry& parent = *delta_.entry(entry.parent);
  const IndexEntry* main = nullptr;
  if (entry.main != kNoEntry) {
    main = main_.entry(entry.main);
    if (main == nullptr || !is_same_path(entry, *main)) return "stands for another path of main";
    covered_.insert(entry.main);
  } else if (entry.mode == 0) {
    return "removes nothing";
  } else if (is_in_main(entry)) {
    return "stands for no path of main, but there is one";
  }
  if (number >= tree_end && (entry.mode != 0 || S_ISDIR(parent.mode))) return "is in no directory";
  Counts& counts = counts_[entry.parent];
  if (entry.mode == 0) ++counts.tombstones;
  if (S_ISDIR(entry.mode)) ++counts.subdirectories;
  if (main != nullptr && S_ISDIR(main->mode)) --counts.subdirectories;
  return nullptr;
}

const char* DeltaCheck::sum_problem(uint32_t number) const {
  const IndexEntry& entry = *delta_.entry(number);
  const IndexEntry* main = main_.entry(entry.main);
  const bool was_directory = main != nullptr && S_ISDIR(main->mode);
  if (S_ISDIR(entry.mode)) {
    const uint32_t before = was_directory ? main->children.subdirectories : 0;
    if (entry.children.subdirectories != before + counts_[number].subdirectories) {
      return "counts its subdirectories wrong";
    }
  } else if (was_directory && counts_[number].tombstones != main->children.count) {
    return "lets through what is below it in main";
  }
  if (main != nullptr && !was_directory && !covered_.contains(main->link_next)) {
    return "leaves a name of its inode in main";
  }
  return nullptr;
}

}  // namespace

std::string delta_problem(IndexLevel delta, IndexLevel main, uint32_t tree_end) {
  DeltaCheck check(delta, main);
  for (uint32_t i = 0; i < delta.entry_count(); ++i) {
    if (const char* what = check.place_problem(i, tree_end)) return fmt::format("entry {} {}", i, what);
  }
  for (uint32_t i = 0; i < delta.entry_count(); ++i) {
    if (const char* what = check.sum_problem(i)) return fmt::format("entry {} {}", i, what);
  }
  return {};
}

}  // namespace vfs
