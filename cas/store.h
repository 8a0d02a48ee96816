// The store: the directory with objects, manifest, indexes and the state of
// workspaces. See rfcs/0002-on-disk.md for every file in it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "cas/descriptor.h"

namespace vfs {

class Store {
 public:
  // Opens the store at `path`, making it if there is none (two processes may
  // do so at once). Throws Error: not a directory, not writable, of a newer
  // format than this program knows, or a directory with other things in it,
  // which is more likely a slip of the pen than meant. Also one that somebody
  // else owns or may write to, unless VFS_STORE_SHARED=1 says that this is meant:
  // they could change what our programs read and run. Root may open any.
  static Store open(const std::filesystem::path& path);

  // VFS_STORE, else $XDG_DATA_HOME/vfs, else ~/.local/share/vfs. Throws Error
  // if none of the variables is set.
  static std::filesystem::path default_path();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path objects() const { return path_ / "objects"; }
  std::filesystem::path indexes() const { return path_ / "indexes"; }
  std::filesystem::path workspaces() const { return path_ / "workspaces"; }
  std::filesystem::path temporary() const { return path_ / "tmp"; }
  // What was found damaged: never served, never removed by us.
  std::filesystem::path quarantine() const { return path_ / "quarantine"; }
  std::filesystem::path manifest() const { return path_ / "manifest.db"; }

  // Waits until everything that was written to the store is on the disk, with
  // what others have written to the same file system. Throws Error.
  void synchronize() const;

  // A fresh name in temporary(), of no other thread or process. What a killed
  // process leaves there is of no use to anyone; `vfs gc` clears it.
  std::filesystem::path temporary_name() const;

 private:
  explicit Store(std::filesystem::path path) : path_(std::move(path)) {}
  void prepare();
  std::filesystem::path path_;
};

// Whether VFS_STORE_SHARED=1 says that others may write to the store.
bool store_is_shared();

// Keeps objects that nothing refers to yet from being collected: hold it
// shared from before the first object is stored, or found to be there, until
// the snapshot that needs it is in the manifest; exclusively to collect.
// Waits until it is free. The kernel lets go when a holder dies. Taking it
// shared twice in one process is fine; shared and exclusively, never ends.
class StoreLock {
 public:
  enum Kind { shared, exclusive };
  // `waiting` is called before it waits, if it has to.
  StoreLock(const Store& store, Kind kind, const std::function<void()>& waiting = {});

 private:
  Descriptor file_;
};

}  // namespace vfs
