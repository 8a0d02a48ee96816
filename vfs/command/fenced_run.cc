#include "vfs/command/fenced_run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "vfs/command/recorded.h"
#include "vfs/command/text.h"
#include "vfs/io/for_each.h"
#include "vfs/io/fs.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr char kAccesses[] = "/accesses";  // in the temporary directory, while it is recorded

bool is_at_or_below(const std::string& path, const std::string& directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

uint64_t access_of(Rights rights) {
  return ((rights & kMayRead) != 0 ? access::kRead : 0) | ((rights & kMayWrite) != 0 ? access::kWrite : 0) |
         ((rights & kMayExecute) != 0 ? access::kExecute | access::kReadFile : 0);
}

void check_kernel(const RunLimits& limits) {
  const int version = fence_version();
  const std::string has = version == 0 ? "this kernel has no fence (Landlock), or it is not enabled"
                                       : fmt::format("this kernel's fence (Landlock {}) is too old", version);
  if (limits.only && !limits.advisory && version < kFenceVersion) {
    throw Error("--only", has + ": programs that go past libc could not be kept from anything",
                "Linux 6.2 has what is needed; or give --advisory as well: then only libvfs refuses");
  }
  if (limits.strict && version < kFenceVersion) throw Error("--strict", has, "Linux 6.2 has what is needed");
  if (limits.no_network && version < kNetworkVersion) throw Error("--no-net", has, "Linux 6.7 has what is needed");
}

// What is granted to be written must not be the layer's own: the real root, the store.
void check_writable(const NamedGrant& grant, const std::string& what, const std::string& path) {
  if ((grant.rights & kMayWrite) == 0 || grant.name == kWorkspaceGrant) return;
  if (!is_at_or_below(path, grant.path)) return;
  throw Error("--grant " + text_of(grant), fmt::format("{} ({}) is in it, and must not be written past the layer", what, path),
              "grant only to read it, or single directories in it");
}

}  // namespace

std::vector<NamedGrant> wanted_grants(const Context& context, OpenWorkspace& workspace, const RunLimits& limits,
                                      const std::string& temporary) {
  std::vector<NamedGrant> grants = default_grants(workspace.root(), temporary);
  for (const std::string& file : limits.grant_files) merge_grants(grants, read_grants(context, workspace, file));
  for (const std::string& text : limits.grants) merge_grants(grants, {parse_grant(context, workspace, text)});
  if (const auto held = held_grants()) check_held(*held, grants);
  return grants;
}

FencedRun::FencedRun(const Context& context, OpenWorkspace& workspace, const RunLimits& limits)
    : workspace_(workspace), context_(context), record_(limits.record) {
  if (!record_.empty() && limits.only) throw Error("--record", "with --only there is nothing to be found out");
  check_kernel(limits);
  const char* const common = getenv("TMPDIR");
  const bool hides_temporary = is_at_or_below(workspace.root(), common != nullptr && *common == '/' ? common : "/tmp");
  if (limits.only || !record_.empty() || (limits.strict && hides_temporary)) make_temporary();
  grants_ = wanted_grants(context, workspace, limits, temporary_.path());
  for (const NamedGrant& grant : grants_) {
    if (!limits.only) break;
    check_writable(grant, "the workspace's root", workspace.root());
    check_writable(grant, "the store", workspace.store().path().string());
  }
  if (limits.only || limits.strict || limits.no_network) make_fence(limits);
  setenv(kGrantsVariable, encode_grants(grants_).c_str(), 1);
  if (limits.only) setenv("VFS_ONLY", "1", 1);
  if (!record_.empty()) setenv("VFS_ONLY", ("record:" + temporary_.path() + kAccesses).c_str(), 1);
}

void PrivateDirectory::make() {
  std::string name = (fs::temp_directory_path() / "vfs-temporary.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw system_error(name, errno);
  path_ = fs::canonical(name).string();
}

PrivateDirectory::~PrivateDirectory() {
  if (!path_.empty()) io::run(io::remove_all(AT_FDCWD, path_));
}

void FencedRun::make_temporary() {
  temporary_.make();
  for (const char* variable : {"TMPDIR", "TMP", "TEMP"}) setenv(variable, temporary_.path().c_str(), 1);
  if (record_.empty()) return;
  const std::string accesses = temporary_.path() + kAccesses;
  const Descriptor made(::open(accesses.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made) throw system_error(accesses, errno);
}

void FencedRun::make_fence(const RunLimits& limits) {
  if (limits.only && fence_version() < kFenceVersion) return;  // --advisory
  const uint64_t handled = limits.only ? access::kAll : limits.strict ? access::kWrite & ~access::kDeviceControl : 0;
  fence_ = std::make_unique<Fence>(Fence::Wanted{handled, limits.no_network, limits.only});
  if (!limits.only) {
    if (limits.strict) allow_all_but_root();
    return;
  }
  allow_grants();
  allow_workspace();
  if (const char* log = getenv("VFS_LOG"); log != nullptr && *log == '/') {
    const Descriptor made(::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    fence_->allow(log, access::kWriteFile);
  }
}

// A grant in the workspace is the shim's to keep: there is no such place for the kernel.
void FencedRun::allow_grants() {
  for (const NamedGrant& grant : grants_) {
    if (!is_at_or_below(grant.path, workspace_.root())) fence_->allow(grant.path, access_of(grant.rights));
  }
}

// What the shim does in a program's name: in the layer everything, in the store and the real
// root nothing but reading. The program could do that too, and could reach its own layer.
void FencedRun::allow_workspace() {
  const fs::path store = workspace_.store().path();
  const fs::path state = workspace_.state();
  fence_->allow(workspace_.root(), access::kRead | access::kExecute);
  fence_->allow(store / "format", access::kReadFile);
  fence_->allow(store / "indexes", access::kReadFile);
  // A link to an object (`run/`) must not gain rights by its new place: in `run` nothing is
  // written, or the kernel would refuse to make it.
  fence_->allow(store / "objects", access::kReadFile | access::kExecute | access::kRefer);
  fence_->allow(state, access::kRead | access::kExecute | access::kChangeNames);
  // Made when it is first needed; then the kernel would not know it.
  const Descriptor lock(::open((state / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  for (const char* name : {"upper", "work", "control", "lock", "whiteout"}) {
    fence_->allow(state / name, access::kAll);
  }
}

// Landlock only allows: so everything beside the way to the root is allowed. What cannot be
// changed beside the root are the names in the directories above it.
void FencedRun::allow_all_but_root() {
  const fs::path root = workspace_.root();
  fs::path above;
  for (const fs::path& next : root) {
    if (!above.empty()) {
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(above, error)) {
        if (entry.path().filename() != next) fence_->allow_itself(entry.path().string(), access::kAll);
      }
    }
    above /= next;
  }
  const std::string store = workspace_.store().path().string();
  if (is_at_or_below(workspace_.root(), store)) {
    throw Error("--strict", "the workspace lies in its own store, which has to be written", "clone it to another place");
  }
  fence_->allow(store, access::kAll);
  if (!temporary_.path().empty()) fence_->allow(temporary_.path(), access::kAll);
}

void FencedRun::finish() {
  if (record_.empty()) return;
  write_recorded(temporary_.path() + kAccesses, grants_, context_.absolute(record_));
}

}  // namespace vfs
