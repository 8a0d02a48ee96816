#include "manifest/seen_files.h"

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

}  // namespace vfs
