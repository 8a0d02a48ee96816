#include "manifest/index_delta.h"

#include <optional>

#include "manifest/index_file.h"
#include "manifest/index_overlay.h"
#include "manifest/index_writer.h"

namespace vfs {
namespace {

// A delta may have one entry for so many of its main. Each commit carries the
// delta over, at about a hundredth of what compiling as many entries costs: at
// an eighth that is little beside the change itself, while compiling everything
// once in M/8 changed entries costs eight entries for each of them.
constexpr uint64_t kMainPerDelta = 8;

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
    IndexOverlay overlay(manifest, main, main.entry_count() / kMainPerDelta);
    if (before.is_delta()) overlay.load(before.level());
    overlay.apply(predecessor, snapshot);
    overlay.image().write(store, index_path(store, snapshot.id), snapshot.id, &main.header());
  } catch (const NoDelta&) {
    return false;
  }
  return true;
}

}  // namespace vfs
