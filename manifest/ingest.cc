#include "manifest/ingest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "cas/error.h"
#include "cas/parallel.h"
#include "manifest/seen_files.h"
#include "vfs/io/for_each.h"
#include "vfs/io/fs.h"
#include "vfs/io/interrupt.h"

namespace vfs {
namespace {

// The files of a walked tree on their way into the store.
class Ingest {
 public:
  Ingest(const Store& store, Manifest& manifest, const IngestOptions& options, std::string shown)
      : store_(store), objects_(store), manifest_(manifest), options_(options),
        shown_(std::move(shown)) {}

  Snapshot run(int top);

 private:
  std::vector<FoundFile*> files_by_inode();
  std::vector<FoundFile*> unknown_files();
  io::Task<> store_file(int top, FoundFile& file);
  void store_files(int top, const std::vector<FoundFile*>& files);
  void report(uint64_t files, uint64_t bytes);

  const Store& store_;
  const ObjectStore objects_;
  Manifest& manifest_;
  const IngestOptions& options_;
  const std::string shown_;
  WalkedTree tree_;
  std::mutex mutex_;  // for progress_ and what the options call
  IngestProgress progress_;
};

int64_t now_ns() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}

void Ingest::report(uint64_t files, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  progress_.files_done += files;
  progress_.bytes_done += bytes;
  if (options_.progress) options_.progress(progress_);
}

// The files in the order in which the manifest has them.
std::vector<FoundFile*> Ingest::files_by_inode() {
  struct Key {
    uint64_t device;
    uint64_t inode;
    FoundFile* file;
  };
  std::vector<Key> keys;
  keys.reserve(tree_.files.size());
  for (FoundFile& file : tree_.files) keys.push_back({file.stamp.device, file.stamp.inode, &file});
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return a.device != b.device ? a.device < b.device : a.inode < b.inode;
  });
  std::vector<FoundFile*> files;
  files.reserve(keys.size());
  for (const Key& key : keys) files.push_back(key.file);
  return files;
}

// Gives every file that was stored before and has not changed its digest, and
// returns the others.
std::vector<FoundFile*> Ingest::unknown_files() {
  const std::vector<FoundFile*> files = files_by_inode();
  std::vector<char> known(files.size());
  const Transaction one_state(manifest_.database(), Transaction::read);
  SeenFiles seen(manifest_);
  std::mutex one_reader;
  const ObjectDirectory objects(store_);
  // One thread asks the manifest of a batch while the others look for the
  // objects of theirs.
  constexpr size_t kBatch = 256;
  in_parallel((files.size() + kBatch - 1) / kBatch, [&](size_t batch) {
    const size_t begin = batch * kBatch;
    const size_t end = std::min(files.size(), begin + kBatch);
    {
      const std::lock_guard lock(one_reader);
      for (size_t i = begin; i < end; ++i) {
        const std::optional<Digest> digest = seen.find(files[i]->stamp);
        known[i] = digest.has_value();
        if (digest) files[i]->node->entry.digest = *digest;
      }
    }
    for (size_t i = begin; i < end; ++i) {
      const Entry& entry = files[i]->node->entry;
      if (known[i]) known[i] = objects.contains(entry.digest, entry.size);
    }
  });
  std::vector<FoundFile*> unknown;
  uint64_t bytes = 0;
  for (size_t i = 0; i < known.size(); ++i) {
    if (known[i]) {
      bytes += files[i]->stamp.size;
    } else {
      unknown.push_back(files[i]);
    }
  }
  progress_.files_total = known.size();
  report(known.size() - unknown.size(), bytes);
  return unknown;
}

// Whatever may have taken its name: nobody waits for the writer of a FIFO.
io::Task<Descriptor> open_without_waiting(int top, const std::string& path) {
  // What the kernel takes in one piece is opened by a completion.
  if (path.size() >= PATH_MAX) co_return open_below(top, path, O_RDONLY | O_NONBLOCK);
  io::OpenOptions options;
  options.follow = false;
  options.wait = false;
  options.resolve = RESOLVE_NO_SYMLINKS;
  io::Opened opened = co_await io::open(top, path, options);
  if (opened.error == -ENOSYS) co_return open_below(top, path, O_RDONLY | O_NONBLOCK);
  errno = static_cast<int>(-opened.error);
  co_return opened.file.release();
}

io::Task<> Ingest::store_file(int top, FoundFile& file) {
  const std::string path = tree_.path(file);
  Entry& entry = file.node->entry;
  const Descriptor fd = co_await open_without_waiting(top, path);
  if (!fd && !says_gone(errno)) {
    throw system_error(shown_ + "/" + path, errno, "make it readable, or move it out of the tree");
  }
  std::optional<StoredObject> found;
  if (fd) found = co_await objects_.take(fd.get(), shown_ + "/" + path);
  if (!found) {
    mark_vanished(*file.node);
    const std::lock_guard lock(mutex_);
    if (options_.skipped) options_.skipped(path, "it vanished meanwhile");
    co_return;
  }
  entry.digest = found->digest;
  entry.size = found->size;
  entry.metadata = metadata_of(found->source);
  file.stamp = found->source;
  report(1, entry.size);
}

void Ingest::store_files(int top, const std::vector<FoundFile*>& files) {
  const int64_t started = now_ns();
  io::for_each(files.size(), io::usual_depth(), [&](size_t i) { return store_file(top, *files[i]); });
  Transaction transaction(manifest_.database());
  for (const FoundFile* file : files) {
    if (file->node->entry.metadata.mode == 0) continue;
    manifest_.remember_file(file->stamp, file->node->entry.digest, started);
  }
  transaction.commit();
}

Snapshot Ingest::run(int top) {
  const StoreLock lock(store_, StoreLock::shared);
  std::optional<io::Interruptible> interruptible(std::in_place);
  WalkOptions options{shown_, {}, options_.skipped};
  struct stat status;
  if (::stat(store_.path().c_str(), &status) == 0) options.left_out = status;
  walk(top, options, tree_);
  const std::vector<FoundFile*> unknown = unknown_files();
  if (!unknown.empty()) store_files(top, unknown);
  io::throw_if_interrupted();
  interruptible.reset();  // from here on it is done in a moment, or must not be half done
  remove_vanished(tree_.root);
  // Also what an earlier ingest has stored without waiting.
  if (options_.durable) store_.synchronize();
  if (options_.find_equal) {
    if (const std::optional<Snapshot> equal = options_.find_equal(tree_.root)) return *equal;
  }
  return manifest_.add_snapshot(tree_.root, options_.parent, options_.message);
}

}  // namespace

Snapshot ingest(const Store& store, Manifest& manifest, const std::filesystem::path& directory,
                const IngestOptions& options) {
  const Descriptor top(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top) throw system_error(directory.string(), errno);
  return Ingest(store, manifest, options, directory.string()).run(top.get());
}

}  // namespace vfs
