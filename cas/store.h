// The store: the directory with objects, manifest, indexes and the state of
// workspaces. See rfcs/0002-on-disk.md for every file in it.
#pragma once

#include <filesystem>
#include <string>

namespace vfs {

class Store {
 public:
  // Opens the store at `path`, making it if there is none (two processes may
  // do so at once). Throws Error: not a directory, not writable, or of a newer
  // format than this program knows.
  static Store open(const std::filesystem::path& path);

  // VFS_STORE, else $XDG_DATA_HOME/vfs, else ~/.local/share/vfs. Throws Error
  // if none of the variables is set.
  static std::filesystem::path default_path();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path objects() const { return path_ / "objects"; }
  std::filesystem::path indexes() const { return path_ / "indexes"; }
  std::filesystem::path workspaces() const { return path_ / "workspaces"; }
  std::filesystem::path temporary() const { return path_ / "tmp"; }
  std::filesystem::path manifest() const { return path_ / "manifest.db"; }

  // A fresh name in temporary().
  std::filesystem::path temporary_name() const;

 private:
  explicit Store(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace vfs
