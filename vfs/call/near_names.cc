#include <algorithm>
#include <numeric>
#include <utility>

#include "vfs/call/knowledge.h"

namespace vfs::call {
namespace {

// How many letters must be added, dropped, changed or swapped with the next; more than `most` is not looked at.
size_t distance(std::string_view from, std::string_view to, size_t most) {
  const size_t difference = from.size() > to.size() ? from.size() - to.size() : to.size() - from.size();
  if (difference > most) return most + 1;
  std::vector<size_t> before(to.size() + 1);
  std::vector<size_t> row(to.size() + 1);
  std::vector<size_t> next(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 1; i <= from.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (from[i - 1] != to[j - 1])});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[to.size()];
}

}  // namespace

std::vector<std::string> near_names(std::string_view name, const std::vector<std::string_view>& names) {
  constexpr size_t kLongest = 64;  // of a name: what is longer is no misspelling
  constexpr size_t kMost = 3;
  if (name.size() > kLongest) return {};
  const size_t limit = std::max<size_t>(1, std::min<size_t>(3, name.size() / 3));
  std::vector<std::pair<size_t, std::string_view>> found;
  for (const std::string_view one : names) {
    const size_t far = distance(name, one, limit);
    if (far <= limit) found.emplace_back(far, one);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<std::string> nearest;
  for (size_t i = 0; i < found.size() && i < kMost; ++i) nearest.emplace_back(found[i].second);
  return nearest;
}

}  // namespace vfs::call
