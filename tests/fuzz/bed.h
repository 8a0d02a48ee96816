// A small tree, natively and as a workspace of each kind over a copy of it.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "cas/descriptor.h"
#include "manifest/index_writer.h"
#include "manifest/ingest.h"
#include "tests/fuzz/harness.h"
#include "vfs/command/state.h"
#include "vfs/core/workspace.h"

namespace vfs::fuzz {

inline void fill_tree(const fs::path& top) {
  fs::create_directories(top / "dir/sub/deep");
  fs::create_directories(top / "empty");
  test::write_file(top / "file", "content\n");
  test::write_file(top / "dir/inner", "inner\n");
  test::write_file(top / "dir/sub/low", "low\n");
  test::write_file(top / "one", "shared\n");
  fs::create_hard_link(top / "one", top / "two");
  fs::create_hard_link(top / "one", top / "dir/three");
  fs::create_symlink("file", top / "link");
  fs::create_symlink("dir", top / "dir_link");
  fs::create_symlink("../dir/sub", top / "dir/up");
  fs::create_symlink("nowhere", top / "dangling");
  fs::create_symlink("loop", top / "loop");
}

struct Bed {
  Scratch scratch;
  fs::path native = scratch / "native";
  fs::path live_root = scratch / "live";
  fs::path snapshot_root = scratch / "snapshot";
  Store store = scratch.store();
  std::unique_ptr<Workspace> live = std::make_unique<Workspace>();
  std::unique_ptr<Workspace> snapshot = std::make_unique<Workspace>();

  Bed() {
    fill_tree(native);
    fill_tree(live_root);
    make_live_workspace(store, live_root);
    Manifest manifest(store);
    const Snapshot base = ingest(store, manifest, native, {});
    make_snapshot_workspace(store, manifest, base, snapshot_root);
    WorkspaceFault fault;
    require(live->open(live_root.c_str(), fault) == 0 && snapshot->open(snapshot_root.c_str(), fault) == 0,
            "the workspaces can be opened");
  }
};

}  // namespace vfs::fuzz
