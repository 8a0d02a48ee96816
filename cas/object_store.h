// Objects: immutable files named by the digest of their bytes.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cas/descriptor.h"
#include "cas/digest.h"
#include "cas/file_io.h"
#include "cas/store.h"
#include "vfs/io/task.h"

namespace vfs {

struct StoredObject {
  Digest digest;
  uint64_t size;   // bytes
  bool added;      // false: the store had it already
  // put() and put_file(): what the source was both before and after its bytes
  // were read. Take metadata from here: a later fstat may tell of a later
  // change, which the digest does not.
  struct stat source = {};
};

// All functions may be called from any thread, and by many processes at once.
// They throw Error when the store or the source cannot be read or written.
//
// An object appears under its name complete or not at all. If there is one
// already, its bytes are compared before it is shared. Where they differ, the
// one there is damaged, and replaced, if its bytes do not give its name;
// otherwise two files really have one digest (it is fast, not cryptographic:
// such files can be made on purpose), and put throws Error.
class ObjectStore {
 public:
  explicit ObjectStore(const Store& store) : store_(store) {}

  // Stores what can be read from `fd` from the start, which stays open meanwhile;
  // `name` is for messages. Nothing if it is no regular file. One pass over the bytes.
  // If the source changes while it is read (size, mtime or ctime), reads again; throws
  // Error if it will not stand still. May move the file offset of `fd`.
  io::Task<std::optional<StoredObject>> take(int fd, std::string name) const;
  // The same, and waits for it.
  std::optional<StoredObject> put_if_regular(int fd, std::string_view name) const;
  // The same; throws Error if it is no regular file.
  StoredObject put(int fd, std::string_view name) const;
  // As put(); a symbolic link at `path` is not followed.
  StoredObject put_file(const std::filesystem::path& path) const;
  StoredObject put_bytes(std::string_view bytes) const;

  // Mode 0555: read-only, and executable so that programs run from where they
  // lie; what a program sees of its mode comes from the manifest.
  std::filesystem::path path(const Digest& digest) const;
  bool contains(const Digest& digest) const;
  // Whether there is one of this size. Catches objects that lost their end in
  // a power failure, at the price of contains().
  bool contains(const Digest& digest, uint64_t size) const;
  // For reading. Throws Error if it is missing.
  Descriptor open(const Digest& digest) const;
  // All of it, in memory.
  std::string read(const Digest& digest) const;

  // Reads the object again and compares. Says what is wrong, for people:
  // "missing", or "damaged" and how; empty if nothing is.
  io::Task<std::string> look_for_problem(Digest digest) const;
  // The same, and waits for it.
  std::string problem(const Digest& digest) const;
  bool verify(const Digest& digest) const { return problem(digest).empty(); }
  // Takes what stands in the place of an object out of the store's objects and
  // gives its new path, in the store's quarantine. Only under an exclusive
  // StoreLock: else somebody may have put the right bytes there meanwhile.
  std::filesystem::path quarantine(const Digest& digest) const;

  // Every object, in no order. Objects that come or go meanwhile may be missed.
  void for_each(const std::function<void(const Digest&, uint64_t size)>& visit) const;
  // Visits what killed processes left beside objects: half-written files.
  void for_each_unfinished(const std::function<void(const std::filesystem::path&)>& visit) const;
  // Visits what has no business among the objects: other names.
  void for_each_stray(const std::function<void(const std::filesystem::path&)>& visit) const;
  // Returns the bytes freed; 0 if it is not there. Descriptors and mappings of
  // it stay valid. Only under an exclusive StoreLock, after collecting what is
  // in use under the same lock.
  uint64_t remove(const Digest& digest) const;

 private:
  io::Task<StoredObject> put_small(int fd, std::string_view name, size_t size) const;
  io::Task<StoredObject> put_large(int fd, std::string_view name, const struct stat& status) const;
  bool publish(TemporaryFile& temporary, const Digest& digest) const;
  std::string file(const Digest& digest) const;

  Store store_;
};

// Looks up many objects at half the price: the way to where they lie is walked
// once, and not for each. Thread-safe.
class ObjectDirectory {
 public:
  // Throws Error if the store's objects cannot be reached.
  explicit ObjectDirectory(const Store& store);
  // As ObjectStore::contains().
  bool contains(const Digest& digest, uint64_t size) const;

 private:
  Descriptor objects_;
};

}  // namespace vfs
