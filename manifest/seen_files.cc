#include "manifest/seen_files.h"

#include <algorithm>

namespace vfs {
namespace {

// Rows of other files that are passed over before a new search is cheaper.
constexpr int kNear = 16;

}  // namespace

SeenFiles::SeenFiles(Manifest& manifest)
    : row_(manifest.database().prepare(
          "SELECT inode, size, mtime_ns, ctime_ns, digest FROM seen_file "
          "WHERE device = ? AND inode >= ? ORDER BY inode")) {}

void SeenFiles::step() {
  has_row_ = row_.step();
  if (has_row_) inode_ = row_.integer(0);
}

void SeenFiles::seek(int64_t device, int64_t inode) {
  row_.reset();
  row_.bind(1, device).bind(2, inode);
  begun_ = true;
  device_ = device;
  inode_ = inode;
  step();
}

std::optional<Digest> SeenFiles::find(const FileStamp& stamp) {
  const int64_t device = static_cast<int64_t>(stamp.device);
  const int64_t inode = static_cast<int64_t>(stamp.inode);
  const bool behind_last = begun_ && device == device_ && !has_row_ && inode > inode_;
  if (behind_last) return std::nullopt;
  if (!begun_ || device != device_ || !has_row_ || inode < inode_) seek(device, inode);
  for (int steps = 0; has_row_ && inode_ < inode && steps < kNear; ++steps) step();
  if (has_row_ && inode_ < inode) seek(device, inode);
  if (!has_row_ || inode_ != inode) return std::nullopt;
  const bool same = row_.integer(1) == static_cast<int64_t>(stamp.size) &&
                    row_.integer(2) == stamp.mtime_ns && row_.integer(3) == stamp.ctime_ns;
  if (!same) return std::nullopt;
  return row_.digest(4);
}

std::optional<Digest> Manifest::seen_file(const FileStamp& stamp) {
  Statement row = database_->prepare(
      "SELECT digest FROM seen_file WHERE device = ? AND inode = ? AND size = ? AND "
      "mtime_ns = ? AND ctime_ns = ?");
  row.bind(1, static_cast<int64_t>(stamp.device)).bind(2, static_cast<int64_t>(stamp.inode));
  row.bind(3, static_cast<int64_t>(stamp.size)).bind(4, stamp.mtime_ns).bind(5, stamp.ctime_ns);
  if (!row.step()) return std::nullopt;
  return row.digest(0);
}

void Manifest::remember_file(const FileStamp& stamp, const Digest& digest, int64_t looked_at_ns) {
  constexpr int64_t kSettled = 2'000'000'000;
  const int64_t looked_at = looked_at_ns != 0 ? looked_at_ns : opened_ns_;
  // A time of change in the future says nothing either.
  if (std::max(stamp.mtime_ns, stamp.ctime_ns) > looked_at - kSettled) return;
  Statement insert = database_->prepare("INSERT OR REPLACE INTO seen_file VALUES (?, ?, ?, ?, ?, ?)");
  insert.bind(1, static_cast<int64_t>(stamp.device)).bind(2, static_cast<int64_t>(stamp.inode));
  insert.bind(3, static_cast<int64_t>(stamp.size)).bind(4, stamp.mtime_ns).bind(5, stamp.ctime_ns);
  insert.bind(6, digest).run();
}

void Manifest::forget_file(const Digest& digest) {
  database_->prepare("DELETE FROM seen_file WHERE digest = ?").bind(1, digest).run();
}

}  // namespace vfs
