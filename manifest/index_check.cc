#include "manifest/index_check.h"

#include <sys/stat.h>

#include <string_view>

#include "cas/error.h"
#include "cas/hash.h"
#include "manifest/index_file.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

// A whole index whose header is sound.
class Body {
 public:
  explicit Body(IndexLevel level) : level_(level), is_delta_(level.header().main_offset != 0) {}

  // The first thing that is wrong, or an empty string. Where the entries that
  // stand in directories end, is in `tree_end`.
  std::string problem(uint32_t& tree_end) const;

 private:
  // Only where level_.name() is not null.
  std::string_view name(const IndexEntry& entry) const {
    return {level_.name(entry), entry.name_length};
  }
  const char* entry_problem(uint32_t number, uint32_t& next_child) const;
  const char* children_problem(uint32_t number, uint32_t& next_child) const;
  const char* ring_problem(uint32_t number) const;
  bool groups_are_sound() const;
  bool is_found(uint32_t number) const;

  IndexLevel level_;
  bool is_delta_;
};

// Entries stand breadth first: `next_child` is where the children of the next
// directory begin.
const char* Body::children_problem(uint32_t number, uint32_t& next_child) const {
  const auto& children = level_.entry(number)->children;
  if (children.count > 0 && children.first_child != next_child) {
    return "has its children in the wrong place";
  }
  if (children.count > level_.entry_count() - next_child) return "has too many children";
  uint32_t directories = 0;
  for (uint32_t i = next_child; i < next_child + children.count; ++i) {
    const IndexEntry& child = *level_.entry(i);
    if (child.parent != number) return "has a child with another parent";
    if (level_.name(child) == nullptr) return "has a child without a name";
    if (i > next_child && name(*level_.entry(i - 1)) >= name(child)) return "has unsorted children";
    if (S_ISDIR(child.mode)) ++directories;
  }
  if (!is_delta_ && directories != children.subdirectories) {
    return "counts its subdirectories wrong";
  }
  next_child += children.count;
  return nullptr;
}

const char* Body::ring_problem(uint32_t number) const {
  const IndexEntry& entry = *level_.entry(number);
  if (entry.link_next >= level_.entry_count() || entry.link_first > number) {
    return "has a broken ring";
  }
  // Each ring is followed once, from its first name.
  if (entry.link_first != number) return nullptr;
  uint32_t length = 0;
  uint32_t at = number;
  do {
    const IndexEntry* name = level_.entry(at);
    if (name == nullptr || name->link_first != number || name->link_count != entry.link_count ||
        ++length > entry.link_count) {
      return "has a broken ring of hard links";
    }
    at = name->link_next;
  } while (at != number);
  return length == entry.link_count ? nullptr : "counts its links wrong";
}

bool Body::is_found(uint32_t number) const {
  const uint64_t mask = level_.header().bucket_count - 1;
  uint64_t slot = level_.entry(number)->path_hash & mask;
  for (uint64_t steps = 0; steps <= mask; ++steps, slot = (slot + 1) & mask) {
    if (level_.buckets()[slot] == number + 1) return true;
    if (level_.buckets()[slot] == 0) return false;
  }
  return false;
}

const char* Body::entry_problem(uint32_t number, uint32_t& next_child) const {
  const IndexEntry& entry = *level_.entry(number);
  if (level_.name(entry) == nullptr) return "has no name";
  const std::string_view own = name(entry);
  uint64_t hash = kRootPathHash;
  if (number == 0) {
    if (!own.empty() || entry.parent != 0 || !S_ISDIR(entry.mode)) return "is no root";
  } else {
    if (own.empty() || own == "." || own == ".." || own.find('/') != own.npos ||
        own.find('\0') != own.npos) {
      return "has an impossible name";
    }
    if (entry.parent >= number) return "stands before its parent";
    hash = path_hash_append(level_.entry(entry.parent)->path_hash, own.data(), entry.name_length);
  }
  if (entry.path_hash != hash) return "has the wrong hash";
  if (entry.mtime_nanoseconds >= 1'000'000'000) return "has an impossible time";
  if (!is_delta_ && (entry.mode == 0 || entry.main != kNoEntry)) return "belongs into a delta";
  if (S_ISLNK(entry.mode) &&
      (level_.target(entry) == nullptr || entry.size != entry.target.length)) {
    return "has no target";
  }
  if (!is_found(number)) return "is not found by its hash";
  if (S_ISDIR(entry.mode)) {
    if (const char* problem = children_problem(number, next_child)) return problem;
  }
  return ring_problem(number);
}

bool Body::groups_are_sound() const {
  uint64_t before = 0;
  for (uint64_t i = 0; i < level_.header().group_count; ++i) {
    const IndexGroup& group = level_.groups()[i];
    const IndexEntry* first = level_.entry(group.first);
    if (group.group <= before || first == nullptr || first->link_first != group.first) return false;
    before = group.group;
  }
  return true;
}

std::string Body::problem(uint32_t& tree_end) const {
  tree_end = 1;
  for (uint32_t i = 0; i < level_.entry_count(); ++i) {
    if (const char* what = entry_problem(i, tree_end)) return fmt::format("entry {} {}", i, what);
  }
  if (!is_delta_ && tree_end != level_.entry_count()) {
    return "there are entries that no directory has";
  }
  return groups_are_sound() ? "" : "the groups of hard links are wrong";
}

std::filesystem::path main_path(const std::filesystem::path& path, const IndexHeader& delta) {
  Digest id;
  memcpy(id.bytes, delta.main_snapshot, Digest::kSize);
  return path.parent_path() / (digest_text(id) + ".index");
}

}  // namespace

bool check_index_header(const std::filesystem::path& path, const Digest& snapshot) {
  const IndexFile file(path);
  if (!file.is_sound() || memcmp(file.header().snapshot, snapshot.bytes, Digest::kSize) != 0) {
    return false;
  }
  if (!file.is_delta()) return true;
  const IndexFile main(main_path(path, file.header()));
  return main.is_sound() && is_main_of(main.header(), file.header());
}

std::optional<Digest> main_of_index(const std::filesystem::path& path) {
  const IndexFile file(path);
  if (!file.is_sound() || !file.is_delta()) return std::nullopt;
  Digest id;
  memcpy(id.bytes, file.header().main_snapshot, Digest::kSize);
  return id;
}

std::string check_index(const std::filesystem::path& path) {
  const IndexFile file(path);
  if (!file.is_sound()) return file.problem();
  if (!file.body_is_sound()) return "the body is damaged";
  uint32_t tree_end;
  std::string problem = Body(file.level()).problem(tree_end);
  if (!problem.empty() || !file.is_delta()) return problem;
  const IndexFile main(main_path(path, file.header()));
  if (!main.is_sound()) return "the index it is derived from: " + main.problem();
  if (!is_main_of(main.header(), file.header())) return "it is derived from another index";
  return delta_problem(file.level(), main.level(), tree_end);
}

}  // namespace vfs
