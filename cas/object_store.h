// Objects: immutable files named by the digest of their bytes.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "cas/descriptor.h"
#include "cas/digest.h"
#include "cas/store.h"

namespace vfs {

struct StoredObject {
  Digest digest;
  uint64_t size;   // bytes
  bool added;      // false: the store had it already
};

// All functions may be called from any thread, and by many processes at once.
// They throw Error when the store or the source cannot be read or written.
class ObjectStore {
 public:
  explicit ObjectStore(const Store& store) : store_(store) {}

  // Stores what can be read from `fd` from the start; `name` is for messages.
  // One pass over the bytes. If the source changes while it is read (size or
  // mtime), reads again; throws Error if it will not stand still.
  StoredObject put(int fd, std::string_view name) const;
  StoredObject put_file(const std::filesystem::path& path) const;
  StoredObject put_bytes(std::string_view bytes) const;

  // Mode 0555: read-only, and executable so that programs run from where they
  // lie; what a program sees of its mode comes from the manifest.
  std::filesystem::path path(const Digest& digest) const;
  bool contains(const Digest& digest) const;
  Descriptor open(const Digest& digest) const;
  std::string read(const Digest& digest) const;

  // Reads the object again and compares: false if it is missing or damaged.
  bool verify(const Digest& digest) const;

  void for_each(const std::function<void(const Digest&, uint64_t size)>& visit) const;
  // Returns the bytes freed.
  uint64_t remove(const Digest& digest) const;

 private:
  StoredObject put_small(std::string_view bytes) const;
  StoredObject put_large(int fd, std::string_view name) const;
  bool publish(const std::filesystem::path& temporary, const Digest& digest) const;

  Store store_;
};

}  // namespace vfs
