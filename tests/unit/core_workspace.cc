// Opening a workspace, everything that can be wrong with one, and finding it.
#include "vfs/core/workspace.h"

#include "tests/unit/workspace_fixture.h"
#include "vfs/core/record.h"

using namespace vfs;
using namespace vfs::test;

namespace {

int open_again(const Bed& bed, WorkspaceFault& fault) {
  const auto workspace = std::make_unique<Workspace>();
  return workspace->open(bed.root.c_str(), fault);
}

std::string virtual_of(const Workspace& workspace, const std::string& real) {
  PathBuffer out;
  return workspace.to_virtual(real.data(), static_cast<uint32_t>(real.size()), out)
             ? "=" + std::string(out.text)
             : "outside";
}

}  // namespace

TEST_CASE("a workspace opens by any spelling of its root") {
  for (const Base base : {Base::live, Base::snapshot}) {
    Bed bed(base, fill_small);
    fs::create_symlink(bed.root, bed.scratch / "alias");
    for (const std::string& spelling :
         {bed.root.string(), bed.root.string() + "/", bed.root.string() + "/../root/.",
          (bed.scratch / "alias").string()}) {
      const auto workspace = std::make_unique<Workspace>();
      WorkspaceFault fault;
      INFO(spelling);
      REQUIRE(workspace->open(spelling.c_str(), fault) == 0);
      CHECK(fault == WorkspaceFault::none);
      CHECK(workspace->root.text == bed.root.string());
      CHECK(workspace->store.text == bed.store.path().string());
      CHECK(workspace->upper.text == bed.workspace().state() + "/upper");
      CHECK(workspace->has_snapshot_base() == (base == Base::snapshot));
      CHECK(workspace->device == status_of(workspace->upper.text).st_dev);
    }
  }
}

TEST_CASE("each part that is missing or damaged is named") {
  Bed bed(Base::snapshot, fill_small);
  const std::string state = bed.workspace().state();
  const fs::path marker = bed.root / kMarkerName;
  const std::string good_marker = read_file(marker);
  const std::string good_control = read_file(state + "/control");
  WorkspaceFault fault = WorkspaceFault::none;

  SECTION("no directory, no marker") {
    const auto workspace = std::make_unique<Workspace>();
    CHECK(workspace->open((bed.scratch / "nowhere").c_str(), fault) == -ENOENT);
    CHECK(fault == WorkspaceFault::no_marker);
    fs::remove(marker);
    CHECK(open_again(bed, fault) == -ENOENT);
    CHECK(fault == WorkspaceFault::no_marker);
  }
  SECTION("a marker that is a link or a directory is none") {
    fs::remove(marker);
    fs::create_symlink("elsewhere", marker);
    CHECK(open_again(bed, fault) == -ELOOP);
    CHECK(fault == WorkspaceFault::no_marker);
    fs::remove(marker);
    fs::create_directory(marker);
    CHECK(open_again(bed, fault) < 0);
  }
  SECTION("a marker that says something else") {
    const std::string longest(PATH_MAX + 60, 'x');
    for (const std::string& text :
         {std::string(), std::string("vfs"), std::string("vfs workspace 2\nstate /x\n"),
          std::string("vfs workspace 1\nstate relative\n"), std::string("vfs workspace 1\nstate /x"),
          std::string("vfs workspace 1\nstate "), "vfs workspace 1\nstate /" + longest + "\n",
          std::string("vfs workspace 1\nstate /no/such/place\n"),
          std::string("vfs workspace 1\nstate /workspaces\n")}) {
      write_file(marker, text);
      INFO(text.substr(0, 60));
      CHECK(open_again(bed, fault) == -EUCLEAN);
      CHECK(fault == WorkspaceFault::bad_marker);
    }
  }
  SECTION("a marker that points nowhere") {
    write_file(marker, "vfs workspace 1\nstate /no/workspaces/here\n");
    CHECK(open_again(bed, fault) == -ENOENT);
    CHECK(fault == WorkspaceFault::no_state);
  }
  SECTION("no control file, or one of another size") {
    fs::rename(state + "/control", state + "/control.away");
    CHECK(open_again(bed, fault) == -ENOENT);
    CHECK(fault == WorkspaceFault::no_state);
    write_file(state + "/control", good_control.substr(0, good_control.size() - 1));
    CHECK(open_again(bed, fault) == -EUCLEAN);
    CHECK(fault == WorkspaceFault::bad_control);
  }
  SECTION("a control file with a damaged header") {
    for (size_t at = 0; at < 16; ++at) {
      std::string control = good_control;
      control[at] = static_cast<char>(control[at] ^ 0x42);
      write_file(state + "/control", control);
      INFO("byte " << at);
      CHECK(open_again(bed, fault) == -EUCLEAN);
      CHECK(fault == WorkspaceFault::bad_control);
    }
  }
  SECTION("a base that is gone or damaged") {
    const std::string index = fs::canonical(state + "/base").string();
    const std::string good_index = read_file(index);
    fs::remove(index);
    CHECK(open_again(bed, fault) == -ENOENT);
    CHECK(fault == WorkspaceFault::bad_index);
    write_file(index, good_index.substr(0, 50));
    CHECK(open_again(bed, fault) == -EUCLEAN);
    CHECK(fault == WorkspaceFault::bad_index);
    fs::remove(index);
    write_file(index, good_index);
    CHECK(open_again(bed, fault) == 0);
  }
  CHECK(std::string(describe(WorkspaceFault::bad_index)).find("index") != std::string::npos);
}

TEST_CASE("paths in root, upper and run are one virtual path") {
  Bed bed(Base::live, fill_small);
  const Workspace& core = bed.core();
  const std::string root = core.root.text;
  const std::string state = core.state.text;
  CHECK(virtual_of(core, root) == "=");
  CHECK(virtual_of(core, root + "/dir/sub") == "=dir/sub");
  CHECK(virtual_of(core, state + "/upper") == "=");
  CHECK(virtual_of(core, state + "/upper/dir") == "=dir");
  CHECK(virtual_of(core, state + "/run/dir/x") == "=dir/x");
  CHECK(virtual_of(core, state + "/run") == "=");
  for (const std::string& other :
       {root + "x", root + "-2/dir", state, state + "/upperx/dir", state + "/runner/x",
        state + "/work/x", std::string("/"), std::string("/usr"), root.substr(0, root.size() - 1)}) {
    INFO(other);
    CHECK(virtual_of(core, other) == "outside");
  }
}

TEST_CASE("a workspace is found from any directory in it") {
  Bed bed(Base::live, fill_small);
  PathBuffer root;
  const std::string state = bed.workspace().state();
  fs::create_directories(state + "/upper/dir/sub");
  for (const std::string& directory :
       {bed.root.string(), bed.root.string() + "/dir/sub", bed.root.string() + "/not/there",
        state + "/upper", state + "/upper/dir/sub"}) {
    INFO(directory);
    REQUIRE(find_workspace(directory.c_str(), root));
    CHECK(root.text == bed.root.string());
  }
  for (const std::string& directory :
       {std::string("/"), std::string("/usr"), bed.scratch.path().string(),
        bed.root.string() + "x", state, state + "/work"}) {
    INFO(directory);
    CHECK_FALSE(find_workspace(directory.c_str(), root));
  }
}

TEST_CASE("temporary paths are never handed out twice") {
  Bed bed(Base::live, fill_small);
  std::vector<std::string> paths;
  for (int i = 0; i < 1000; ++i) {
    PathBuffer path;
    REQUIRE(bed.core().temporary_path(path));
    paths.emplace_back(path.text);
    CHECK(paths.back().rfind(bed.workspace().state() + "/work/", 0) == 0);
  }
  std::sort(paths.begin(), paths.end());
  CHECK(std::adjacent_find(paths.begin(), paths.end()) == paths.end());
}

TEST_CASE("a running process notices a new base, and says nothing of the tree if it cannot be read") {
  Bed bed(Base::snapshot, fill_small);
  const SnapshotId before = bed.base_id;
  CHECK(memcmp(bed.core().index().snapshot(), before.bytes, Digest::kSize) == 0);
  Manifest manifest(bed.store);
  fs::create_directory(bed.scratch / "next");
  write_file(bed.scratch / "next/only", "new");
  const Snapshot next = ingest(bed.store, manifest, bed.scratch / "next", {});
  OpenWorkspace other(bed.context, bed.root.string());
  move_base(other, next);
  CHECK(memcmp(bed.core().index().snapshot(), next.id.bytes, Digest::kSize) == 0);
  CHECK(bed.tree().content("only") == "new");
  CHECK(bed.tree().content("file") == "<ENOENT>");

  fs::remove(bed.workspace().state() + "/base");
  bed.core().control->generation.fetch_add(1);
  CHECK(memcmp(bed.core().index().snapshot(), next.id.bytes, Digest::kSize) == 0);
  Index index;
  CHECK(bed.core().index(index) == -EIO);
  CHECK(bed.tree().content("only") == "<EIO>");
}
