// What a program is told by its environment: VFS_DESCRIPTORS, and the variables
// that are read, changed and handed on when the next program starts.
#include "tests/fuzz/bed.h"
#include "shim/descriptors.h"
#include "shim/environment.h"
#include "shim/exec.h"
#include "shim/slots.h"
#include "shim/state.h"

// What stands around shim/inherited.cc and shim/environment.cc in the library.
namespace shim {

std::atomic<Activity> activity = Activity::active;
constinit thread_local bool in_vfork_child = false;
constinit thread_local bool vfork_child_copied = false;
constinit vfs::KeptPath log_path;

namespace {
Zeroed<vfs::Workspace> storage;
int noted = -1;
bool fenced = false;
constexpr char kGrants[] = "workspace=rwx:/w";
}  // namespace
vfs::Workspace& workspace = storage.value;

void note_sealed(int fd, const vfs::Lookup& found, const struct stat*) {
  vfs::fuzz::require(vfs::fuzz::is_canonical(found.path) && found.is_sealed() && found.is_regular(),
                     "what is taken over is a sealed file of the tree");
  noted = fd;
}
bool is_noted(int fd) { return fd == noted; }
int next_sealed(int) { return -1; }
Slot* find_slot(int) { return nullptr; }
void prepare_exec() {}
const char* grants_to_hand_on() { return fenced ? kGrants : nullptr; }
const char* fencing_to_hand_on() { return fenced ? "1" : nullptr; }

}  // namespace shim

namespace vfs::fuzz {
namespace {

Bed* bed;

// Entries of an environment, separated by NUL, and the pointers to them.
struct Environment {
  explicit Environment(std::string_view bytes) : text(std::string(bytes) + '\0') {
    for (size_t at = 0; at < text.size(); at = text.find('\0', at) + 1) entries.push_back(&text[at]);
    entries.push_back(nullptr);
  }
  std::string text;
  std::vector<char*> entries;
};

void hand_on(const Environment& environment) {
  const shim::Variables variables = shim::read_variables(environment.entries.data());
  PathBuffer preload;
  if (!shim::compose_preload(variables.preload, preload)) return;
  for (const bool all : {false, true}) {
    shim::Additions additions = {preload.text, nullptr, nullptr, nullptr, nullptr};
    shim::fenced = all;
    if (all) additions = {preload.text, "/run", preload.text, "3:file\n", "name"};
    shim::is_right(variables, additions);
    shim::ProgramEnvironment next;
    require(next.build(environment.entries.data(), variables, additions), "there is memory");
    const shim::Variables seen = shim::read_variables(next.get());
    require(seen.preload != nullptr && preload.length == strlen(seen.preload), "the preload is handed on");
    require(seen.workspace != nullptr && seen.workspace[0] == '/', "the workspace is handed on");
    require(!all || (seen.grants != nullptr && strcmp(seen.grants, shim::kGrants) == 0 && strcmp(seen.only, "1") == 0),
            "whatever the program said, its grants are handed on");
  }
}

}  // namespace
}  // namespace vfs::fuzz

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  std::string environment;
  for (const char* entry : {"LD_PRELOAD=libeatmydata.so:$LIB/libvfs.so", "LD_LIBRARY_PATH=/a:/b", "VFS_WORKSPACE=/w",
                            "VFS_LOG=l", "VFS_DISABLE=0", "VFS_PRELOAD=LD_PRELOAD=", "X=1"}) {
    environment += std::string(entry) + '\0';
  }
  write_seeds({std::string(1, '\0') + "100:file\n", std::string(1, '\0') + "100:dir\\\\x\\n/y\n3:two",
               std::string(1, '\0') + "999999999:..\n:\n", std::string(1, '\1') + environment});
  bed = new Bed;
  WorkspaceFault fault;
  require(shim::workspace.open(bed->snapshot_root.c_str(), fault) == 0, "the workspace can be opened");
  PathBuffer path;
  PathBuffer object;
  Lookup found;
  path.assign("file");
  require(look_up_canonical(shim::workspace, path, found) == 0 &&
              shim::workspace.object_path(found.digest, object) &&
              ::dup2(::open(object.text, O_RDONLY), 100) == 100,
          "an object can be opened");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  if (input.byte() % 2 == 0) {
    shim::adopt_inherited(as_text(input.rest()).c_str());
  } else {
    hand_on(Environment(input.rest()));
  }
  return 0;
}
