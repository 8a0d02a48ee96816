#include "vfs/command/export_files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "cas/error.h"
#include "vfs/core/copy_content.h"
#include "vfs/io/for_each.h"
#include "vfs/io/fs.h"

namespace vfs {
namespace {

constexpr size_t kSmall = 1 << 20;       // bytes: read by a completion, and written at once
constexpr size_t kMostItems = 4096;      // before they are written
constexpr size_t kMostDescriptors = 64;

void write_piece(int to, std::string_view piece, const std::string& path) {
  while (!piece.empty()) {
    const ssize_t written = ::write(to, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error(path, errno);
    piece.remove_prefix(static_cast<size_t>(written));
  }
}

Descriptor make_file(const std::string& path) {
  Descriptor to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to) throw system_error(path, errno);
  return to;
}

// Shares the blocks, where the file system can.
bool clone_content(int from, int fd) { return ::ioctl(fd, FICLONE, from) == 0; }

}  // namespace

void dress(const std::string& path, const Metadata& metadata, bool link) {
  const struct timespec time = {metadata.mtime_seconds,
                                static_cast<long>(metadata.mtime_nanoseconds)};
  const struct timespec times[2] = {time, time};
  const bool owned = ::lchown(path.c_str(), metadata.uid, metadata.gid) == 0;
  if (!owned && errno != EPERM) throw system_error(path, errno);
  // To run as its owner was meant for another owner than it has got.
  const mode_t mode = metadata.mode & (owned ? 07777 : 01777);
  if (!link && ::chmod(path.c_str(), mode) != 0) throw system_error(path, errno);
  if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    throw system_error(path, errno);
  }
}

void ExportFiles::add(std::string path, Entry entry, Descriptor content) {
  add_item(items_, {std::move(path), {}, std::move(entry), std::move(content)});
}

void ExportFiles::add_name(std::string path, std::string first, Entry entry, Descriptor content) {
  add_item(names_, {std::move(path), std::move(first), std::move(entry), std::move(content)});
}

void ExportFiles::add_directory(std::string path, const Metadata& metadata) {
  directories_.emplace_back(std::move(path), metadata);
}

void ExportFiles::add_item(std::vector<Item>& list, Item item) {
  open_ += static_cast<bool>(item.content);
  list.push_back(std::move(item));
  const size_t most_open = std::min(kMostDescriptors, 2 * io::usual_depth());
  if (items_.size() + names_.size() >= kMostItems || open_ >= most_open) write();
}

void ExportFiles::write() {
  write_all(items_);
  write_all(names_);
  open_ = 0;
}

void ExportFiles::write_all(std::vector<Item>& items) {
  io::for_each(items.size(), io::usual_depth(), [&](size_t i) { return write_one(items[i]); });
  items.clear();
}

// Those below first: what is written into a directory changes its times.
void ExportFiles::finish() {
  write();
  for (; !directories_.empty(); directories_.pop_back()) {
    const auto& [path, metadata] = directories_.back();
    dress(path, metadata, false);
  }
}

Descriptor ExportFiles::open_object(const Entry& entry) const {
  Descriptor fd = objects_.open(entry.digest);
  struct stat status;
  if (::fstat(fd.get(), &status) != 0 || static_cast<uint64_t>(status.st_size) != entry.size) {
    throw Error("object " + digest_text(entry.digest), fmt::format("it has not the {} bytes that it should", entry.size),
                "run `vfs verify`");
  }
  return fd;
}

io::Task<> ExportFiles::write_file(Item& item) const {
  if (!item.content) item.content = open_object(item.entry);
  const int from = item.content.get();
  const Descriptor to = make_file(item.path);
  if (item.entry.size > 0 && clone_content(from, to.get())) co_return;
  if (item.entry.size > kSmall) {
    // Here and now: it is the processors that copy, and each has an executor.
    const int result = copy_content(from, to.get());
    if (result != 0) throw system_error(item.path, -result);
    co_return;
  }
  // A byte more than there should be: a draft may have grown.
  io::Buffer piece(item.entry.size + 1);
  for (int64_t position = 0;;) {
    io::Transfer done = co_await io::read_full(from, std::move(piece), position);
    piece = std::move(done.buffer);
    if (done.count < 0) throw system_error(item.path, static_cast<int>(-done.count));
    write_piece(to.get(), piece.text(), item.path);
    if (piece.size() < piece.capacity()) co_return;
    position += done.count;
  }
}

io::Task<> ExportFiles::write_one(Item& item) const {
  const Entry& entry = item.entry;
  // Too many names, or a file system without hard links: then a copy.
  if (!item.first.empty() && ::link(item.first.c_str(), item.path.c_str()) == 0) co_return;
  const bool link = S_ISLNK(entry.metadata.mode);
  if (S_ISREG(entry.metadata.mode)) {
    co_await write_file(item);
  } else if (link) {
    if (::symlink(entry.target.c_str(), item.path.c_str()) != 0) throw system_error(item.path, errno);
  } else if (::mknod(item.path.c_str(), entry.metadata.mode, entry.device) != 0) {
    throw system_error(item.path, errno, "devices can only be made by root");
  }
  dress(item.path, entry.metadata, link);
  item.content.reset();
}

}  // namespace vfs
