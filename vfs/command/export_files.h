// The entries of an exported tree, written side by side.
#pragma once

#include <string>
#include <vector>

#include "cas/object_store.h"
#include "manifest/manifest.h"

namespace vfs {

// Owner, mode and times. Without the right to give files away they are the caller's,
// and not set-id. Throws Error.
void dress(const std::string& path, const Metadata& metadata, bool link);

// Not thread-safe. What was added is there when finish() has returned.
class ExportFiles {
 public:
  // The objects outlive it.
  explicit ExportFiles(const ObjectStore& objects) : objects_(objects) {}

  // An entry to be made at `path`, in a directory that is there: no directory. The
  // bytes of a regular file come from `content`, or, without that, from its object.
  // Throws Error: of this one, or one before.
  void add(std::string path, Entry entry, Descriptor content = {});

  // The same for an inode that was added under another name already.
  void add_name(std::string path, std::string first, Entry entry, Descriptor content = {});

  // A directory that is there gets its metadata when all is in it.
  void add_directory(std::string path, const Metadata& metadata);

  // Throws Error.
  void finish();

 private:
  struct Item {
    std::string path;
    std::string first;  // another name of the inode, or empty
    Entry entry;
    Descriptor content;
  };

  void add_item(std::vector<Item>& list, Item item);
  void write();
  void write_all(std::vector<Item>& items);
  io::Task<> write_one(Item& item) const;
  io::Task<> write_file(Item& item) const;
  Descriptor open_object(const Entry& entry) const;

  const ObjectStore& objects_;
  std::vector<Item> items_;
  std::vector<Item> names_;  // behind those of items_
  size_t open_ = 0;          // descriptors they hold
  std::vector<std::pair<std::string, Metadata>> directories_;
};

}  // namespace vfs
