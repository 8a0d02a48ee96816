#include "manifest/index_delta.h"

#include <algorithm>
#include <optional>

#include "manifest/index_file.h"
#include "manifest/index_overlay.h"
#include "manifest/index_writer.h"

namespace vfs {
namespace {

// A delta may have one entry for so many of its main. A change that is larger,
// and spread, costs as much to find as compiling everything; and each commit
// carries the delta over, at half the price of compiling as many entries, which
// is to stay small beside the change. rfcs/0004 has the sum.
constexpr uint64_t kMainPerDelta = 32;
constexpr uint64_t kSmallDelta = 64;  // entries: no matter how small main is

Digest main_of(const IndexHeader& delta) {
  Digest id;
  memcpy(id.bytes, delta.main_snapshot, Digest::kSize);
  return id;
}

}  // namespace

bool write_delta(const Store& store, Manifest& manifest, const Snapshot& snapshot,
                 const Snapshot& predecessor) {
  const IndexFile before(index_path(store, predecessor.id));
  if (!before.is_sound() ||
      memcmp(before.header().snapshot, predecessor.id.bytes, Digest::kSize) != 0) {
    return false;
  }
  std::optional<IndexFile> other;
  if (before.is_delta()) {
    other.emplace(index_path(store, main_of(before.header())));
    // What is carried over from one delta to the next is read as a whole anyway.
    if (!other->is_sound() || !is_main_of(other->header(), before.header()) ||
        !before.body_is_sound()) {
      return false;
    }
  }
  const IndexLevel main = other ? other->level() : before.level();
  try {
    const uint64_t limit = std::max(main.entry_count() / kMainPerDelta, kSmallDelta);
    IndexOverlay overlay(manifest, main, limit);
    if (before.is_delta()) overlay.load(before.level());
    overlay.apply(predecessor, snapshot);
    overlay.image().write(store, index_path(store, snapshot.id), snapshot.id, &main.header());
  } catch (const NoDelta&) {
    return false;
  }
  return true;
}

}  // namespace vfs
