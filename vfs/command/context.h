// What every subcommand needs: the store, the manifest, the workspace.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cas/error.h"
#include "cas/object_store.h"
#include "manifest/manifest.h"
#include "vfs/core/lookup.h"

namespace vfs {

// Where the command was called: outside every tree, or at a place of one. The
// process itself always works on real files (the shim is off in it).
struct Context {
  std::string directory;  // absolute, as the user sees it
  std::string workspace;  // what VFS_WORKSPACE names, absolute; may be empty
  bool json = false;

  // Turns the shim off, if this process runs under it, and finds out where
  // the user is.
  static Context start();

  // An argument as an absolute path.
  std::string absolute(const std::string& path) const;
};

// A workspace with all that belongs to it. Throws Error if there is none at or
// above `directory`.
class OpenWorkspace {
 public:
  OpenWorkspace(const Context& context, const std::string& directory);
  // The one that VFS_WORKSPACE names, else the one around the working directory.
  explicit OpenWorkspace(const Context& context)
      : OpenWorkspace(context, context.workspace.empty() ? context.directory : context.workspace) {}

  Workspace& core() { return *core_; }
  const Store& store() const { return *store_; }
  const ObjectStore& objects() const { return *objects_; }
  // Opened at the first call: what only looks at a snapshot base needs none.
  Manifest& manifest();
  std::string root() const { return core_->root.text; }
  std::string state() const { return core_->state.text; }

  // The last commit, or the snapshot it was cloned from; nothing for a live
  // workspace that was never committed.
  std::optional<Snapshot> head();
  // Its id, without asking the manifest whether there is such a snapshot.
  std::optional<SnapshotId> head_id() const;
  void set_head(const SnapshotId& id);

  // An absolute path with links that lead into the workspace from outside
  // resolved: "/link/to/root/a" becomes "ROOT/a". Others as they are.
  std::string without_links_into(const std::string& absolute) const;

  // An argument as a path relative to the root. Throws Error if it is outside.
  PathBuffer below_root(const Context& context, const std::string& path) const;

  // Look-ups that throw instead of giving an errno.
  void look_up(const PathBuffer& path, Lookup& found);         // canonical; may be missing
  void look_up_existing(const PathBuffer& path, Lookup& found);  // follows links on the way

  // Bytes of a regular file, wherever they are.
  Descriptor open_content(const Lookup& found);
  Digest digest_of_content(const Lookup& found);

 private:
  std::unique_ptr<Workspace> core_;
  std::optional<Store> store_;
  std::optional<ObjectStore> objects_;
  std::optional<Manifest> manifest_;
};

// Opens a file of upper for reading, also one whose mode forbids that to its
// owner, who we are: the mode is changed for a moment, and `forced` says so
// (ctime has changed then). No descriptor and errno set if that fails.
Descriptor open_draft(const std::string& real, bool& forced);

// Entry fields from a look-up; everything but digest and tree of drafts.
Entry entry_of(OpenWorkspace& workspace, const Lookup& found);

// The names in a directory of the merged tree, sorted.
std::vector<std::string> names_in(OpenWorkspace& workspace, const Lookup& directory);

// path + "/" + name; throws Error if it is too long.
PathBuffer child_of(const PathBuffer& path, std::string_view name);
PathBuffer path_buffer(std::string_view text);

std::string short_id(const SnapshotId& id);  // 12 digits

}  // namespace vfs
