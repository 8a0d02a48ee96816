// The files by which a program finds its workspace: the marker, the control
// file, the link to the base. Opened they are all right, or refused.
#include <sys/mman.h>

#include "tests/fuzz/bed.h"
#include "vfs/core/lookup.h"

namespace vfs::fuzz {
namespace {

Bed* bed;
std::string sound_marker;
std::string sound_control;  // its first page
std::string sound_base;

enum What { marker, marker_path, control, control_size, base, name, whats };

void replace_link(const fs::path& path, const std::string& target) {
  ::unlink(path.c_str());
  if (target.empty() || ::symlink(target.c_str(), path.c_str()) != 0) return;
}

void write_control(const fs::path& path, std::string_view page, off_t size) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT, 0600));
  require(file && ::ftruncate(file.get(), size) == 0 &&
              ::pwrite(file.get(), page.data(), page.size(), 0) == static_cast<ssize_t>(page.size()),
          "the control file can be written");
}

void restore_sound(const fs::path& state) {
  test::write_file(bed->snapshot_root / ".vfs", sound_marker);
  replace_link(state / "base", sound_base);
  write_control(state / "control", sound_control, sizeof(Control));
}

std::string piece(What what, const std::string& bytes) {
  return std::string{static_cast<char>(what), static_cast<char>(bytes.size() >> 8),
                     static_cast<char>(bytes.size())} + bytes;
}

// Puts [what][length 2][bytes] of the input in the place of one of them.
void damage(const fs::path& state, Input& input) {
  const uint8_t what = input.byte() % whats;
  const uint32_t length = input.number(2);
  const std::string bytes(input.bytes(length));
  switch (what) {
    case marker: return test::write_file(bed->snapshot_root / ".vfs", bytes);
    case marker_path:
      return test::write_file(bed->snapshot_root / ".vfs", "vfs workspace 1\nstate " + bytes);
    case control:
      return write_control(state / "control", std::string_view(bytes).substr(0, 4096), sizeof(Control));
    case control_size: {
      Input sizes(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      const off_t size = sizes.number(3);
      return write_control(state / "control", sizes.bytes(64), size);
    }
    case base: return replace_link(state / "base", as_text(bytes));
    default: {
      PathBuffer root;
      find_workspace(as_text(bytes).c_str(), root);
    }
  }
}

struct Mapping {
  void* address = nullptr;
  uint64_t size = 0;
};

// A process keeps an index for ever, but here there are a million of them.
Mapping index_of(Workspace& workspace) {
  const Index index = workspace.index();
  if (index.is_nothing()) return {};
  const IndexHeader& header = index.top().header();
  return {const_cast<IndexHeader*>(&header), index.is_delta()
                                                 ? header.main_offset + index.main().header().file_size
                                                 : header.file_size};
}

void use(Workspace& workspace) {
  PathBuffer path;
  Lookup found;
  for (const char* text : {"", "dir/inner", "no"}) {
    path.assign(text);
    look_up_canonical(workspace, path, found);
  }
  // A live workspace whose base becomes a snapshot that cannot be opened.
  Control& control = *workspace.control;
  const bool was_live = control.base_kind == BaseKind::live;
  const Mapping before = was_live ? Mapping() : index_of(workspace);
  control.base_kind = BaseKind::snapshot;
  control.generation.fetch_add(1);
  path.assign("dir/inner");
  const int result = look_up_canonical(workspace, path, found);
  require(!was_live || !workspace.index().is_nothing() || result == -EIO,
          "a base that cannot be opened is an error, not an empty one");
  const Mapping after = index_of(workspace);
  if (before.address != nullptr) ::munmap(before.address, before.size);
  if (after.address != before.address && after.address != nullptr) ::munmap(after.address, after.size);
}

}  // namespace
}  // namespace vfs::fuzz

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  bed = new Bed;
  const fs::path state = bed->snapshot->state.text;
  sound_marker = test::read_file(bed->snapshot_root / ".vfs");
  sound_control = test::read_file(state / "control").substr(0, 4096);
  sound_base = fs::read_symlink(state / "base");
  const std::string head = sound_control.substr(0, 64);
  std::string live = head;
  live[12] = 0;
  write_seeds({piece(marker, sound_marker), piece(marker_path, "/a/workspaces/b\n"), piece(control, head),
               piece(control, live) + piece(base, "/dev/null"), piece(base, sound_base),
               piece(control_size, std::string("\0\x10\0", 3) + head), piece(base, "nowhere"),
               piece(name, state.string() + "/upper/dir")});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fs::path state = bed->snapshot->state.text;
  restore_sound(state);
  Input input(data, size);
  for (int i = 0; i < 4 && !input.at_end(); ++i) damage(state, input);
  const auto workspace = std::make_unique<Workspace>();
  WorkspaceFault fault;
  const int result = workspace->open(bed->snapshot_root.c_str(), fault);
  require((result == 0) == (fault == WorkspaceFault::none), "what fails says where");
  require(describe(fault) != nullptr, "every fault has words");
  if (result == 0) use(*workspace);
  if (workspace->control != nullptr) ::munmap(workspace->control, sizeof(Control));
  return 0;
}
