#include "vfs/command/context.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cas/hash.h"
#include "manifest/index_writer.h"
#include "manifest/ingest.h"
#include "vfs/command/base.h"
#include "vfs/command/journal.h"
#include "vfs/command/links.h"
#include "vfs/core/listing.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// "<store>/workspaces/<id>/upper/src" -> "<root>/src"
std::string as_user_sees(const std::string& real) {
  for (size_t at = real.find("/upper"); at != std::string::npos; at = real.find("/upper", at + 1)) {
    std::string state = real.substr(0, at);
    // Laid aside by a command that drops changes, under a shell that stands there.
    if (constexpr std::string_view kUndo = "/work/undo"; state.ends_with(kUndo)) {
      state.resize(state.size() - kUndo.size());
    }
    const std::string rest = real.substr(at + 6);
    const bool whole = rest.empty() || rest[0] == '/';
    const std::string root = whole && ::access((state + "/control").c_str(), F_OK) == 0
                                 ? link_target(state + "/root")
                                 : "";
    if (!root.empty()) return root + rest;
  }
  return real;
}

std::string working_directory() {
  char here[PATH_MAX];
  if (::getcwd(here, sizeof(here)) != nullptr) return as_user_sees(here);
  const int error = errno;
  // `vfs switch` or `vfs discard` may have taken the layer's directory away
  // under a shell that stands in it; the tree can still have one of this name.
  constexpr std::string_view kDeleted = " (deleted)";
  std::string gone = link_target("/proc/self/cwd");
  if (error == ENOENT && gone.ends_with(kDeleted)) {
    gone.resize(gone.size() - kDeleted.size());
    const std::string seen = as_user_sees(gone);
    if (seen != gone) return seen;
  }
  throw system_error("working directory", error, "go to a directory that exists");
}

// The index of the base is made of what the manifest says: if it is missing, or
// an older libvfs has written it, then it is made anew.
bool rewrite_index(const Workspace& core) {
  const std::optional<SnapshotId> id = snapshot_of_link(core.state.text, "base");
  if (!id) return false;
  try {
    const Store store = Store::open(core.store.text);
    const StoreLock lock(store, StoreLock::shared);
    Manifest manifest(store);
    write_index(store, manifest, manifest.snapshot(*id));
  } catch (const Error&) {
    return false;
  }
  return true;
}

}  // namespace

Context Context::start() {
  if (void* suspend = ::dlsym(RTLD_DEFAULT, "vfs_shim_suspend")) {
    reinterpret_cast<void (*)()>(suspend)();
  }
  Context context;
  context.directory = working_directory();
  const char* named = getenv("VFS_WORKSPACE");
  if (named != nullptr && *named != '\0') context.workspace = context.absolute(named);
  return context;
}

std::string Context::absolute(const std::string& path) const {
  std::string joined = path;
  if (joined.empty() || joined[0] != '/') joined = directory + "/" + path;
  std::string normal = fs::path(joined).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

PathBuffer path_buffer(std::string_view text) {
  PathBuffer path;
  if (!path.assign(text.data(), text.size())) {
    throw system_error(std::string(text.substr(0, 80)) + "...", ENAMETOOLONG);
  }
  return path;
}

PathBuffer child_of(const PathBuffer& path, std::string_view name) {
  PathBuffer child = path;
  if (!child.push(name.data(), name.size())) {
    throw system_error(std::string(path.text, path.length), ENAMETOOLONG);
  }
  return child;
}

std::string short_id(const SnapshotId& id) { return digest_text(id).substr(0, 12); }

// Commands move and remove what is in them: not where a link leads.
static void check_directories(const std::string& state) {
  for (const char* part : {"/upper", "/work"}) {
    struct stat status;
    const std::string path = state + part;
    if (::lstat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
      throw system_error(path, ENOTDIR, "`vfs fsck --repair` moves it to the store's quarantine");
    }
  }
}

OpenWorkspace::OpenWorkspace(const Context& context, const std::string& directory)
    : core_(std::make_unique<Workspace>()) {
  // Deleted or virtual directories are climbed by name until a marker shows up.
  std::string at = context.absolute(directory);
  WorkspaceFault fault = WorkspaceFault::no_marker;
  int result = -ENOENT;
  while (true) {
    result = core_->open(at.c_str(), fault);
    if (result == 0 || fault != WorkspaceFault::no_marker || at == "/") break;
    at = fs::path(at).parent_path().string();
  }
  if (fault == WorkspaceFault::no_marker && result != 0) {
    throw Error(context.absolute(directory), "not in a workspace (no marker .vfs here or above)",
                "make one with `vfs init` or `vfs clone SOURCE DIR`");
  }
  if (fault == WorkspaceFault::bad_index && rewrite_index(*core_)) {
    core_ = std::make_unique<Workspace>();
    result = core_->open(at.c_str(), fault);
  }
  if (result != 0) {
    throw Error(core_->root.length != 0 ? core_->root.text : at,
                fmt::format("{} ({})", describe(fault), strerrordesc_np(-result)),
                "check the store with `vfs verify`; real files were not touched");
  }
  store_.emplace(Store::open(core_->store.text));
  objects_.emplace(*store_);
  check_directories(state());
  // Begun by a command that is still at it, or was killed.
  if (read_journal(state()).step != Step::none) const BaseLock lock(*this, StateLock::if_free);
}

Manifest& OpenWorkspace::manifest() {
  if (!manifest_) manifest_.emplace(*store_);
  return *manifest_;
}

std::optional<SnapshotId> OpenWorkspace::head_id() const { return snapshot_of_link(state(), "head"); }

std::optional<Snapshot> OpenWorkspace::head() {
  const std::optional<SnapshotId> id = head_id();
  if (!id) return std::nullopt;
  return manifest().snapshot(*id);
}

void OpenWorkspace::set_head(const SnapshotId& id) {
  replace_link(*store_, digest_text(id), state() + "/head");
}

std::string OpenWorkspace::without_links_into(const std::string& absolute) const {
  PathBuffer rest;
  if (enter_workspace(*core_, absolute.c_str(), rest)) return absolute;
  // Paths of a snapshot do not exist in the real file system: look from the
  // left for the link that leads to the root.
  for (size_t end = absolute.find('/', 1);; end = absolute.find('/', end + 1)) {
    const std::string front = absolute.substr(0, end);
    std::error_code error;
    const std::string real = fs::canonical(front, error).string();
    if (error) return absolute;
    if (enter_workspace(*core_, real.c_str(), rest)) return real + absolute.substr(front.size());
    if (end == std::string::npos) return absolute;
  }
}

PathBuffer OpenWorkspace::below_root(const Context& context, const std::string& path) const {
  path_buffer(path);  // says so if it is too long
  const std::string absolute = without_links_into(context.absolute(path));
  PathBuffer rest = path_buffer(absolute);
  if (!enter_workspace(*core_, absolute.c_str(), rest)) {
    throw Error(absolute, "outside the workspace " + root(), "give a path below its root");
  }
  if (strcmp(rest.text, ".") == 0) rest.truncate(0);
  return rest;
}

void OpenWorkspace::look_up(const PathBuffer& path, Lookup& found) {
  const int result = look_up_canonical(*core_, path, found);
  if (result == -ENOENT || result == -ENOTDIR) {
    found.source = Source::missing;
    found.path.assign(path);
    found.inside = true;
  } else if (result != 0) {
    throw system_error(path.text, -result);
  }
}

void OpenWorkspace::look_up_existing(const PathBuffer& path, Lookup& found) {
  const PathBuffer top;
  const int result =
      vfs::look_up(*core_, top, path.length != 0 ? path.text : ".", Follow::no, found);
  if (result != 0 || !found.inside || !found.exists()) {
    throw system_error(path.text, result != 0 ? -result : ENOENT, "`vfs ls` shows what there is");
  }
}

Descriptor open_draft(const std::string& real, bool& forced) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  forced = false;
  Descriptor fd(::open(real.c_str(), kFlags | O_NOFOLLOW));
  // Again, since someone who does the same with another name of the inode may
  // restore its mode before we have opened it.
  for (int attempt = 0; !fd && errno == EACCES && attempt < 5; ++attempt) {
    const Descriptor place(::open(real.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
    struct stat status;
    if (!place || ::fstat(place.get(), &status) != 0) return {};
    if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid()) return errno = EACCES, Descriptor();
    // By descriptor: the name may lead elsewhere by now.
    const std::string inode = fmt::format("/proc/self/fd/{}", place.get());
    if (::chmod(inode.c_str(), (status.st_mode & 07777) | S_IRUSR) != 0) return {};
    forced = true;
    fd = Descriptor(::open(inode.c_str(), kFlags));
    const int error = errno;
    ::chmod(inode.c_str(), status.st_mode & 07777);
    errno = error;
  }
  return fd;
}

Descriptor OpenWorkspace::open_content(const Lookup& found) {
  PathBuffer real;
  bool forced;
  if (found.is_sealed()) return objects_->open(found.digest);
  const bool live = found.source == Source::live;
  const bool fits =
      live ? core_->live_path(found.base_path(), real) : core_->upper_path(found.path, real);
  if (!fits) throw system_error(found.path.text, ENAMETOOLONG);
  Descriptor fd = live ? Descriptor(::open(real.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK))
                       : open_draft(real.text, forced);
  if (!fd) throw system_error(found.path.text, errno, "make it readable");
  return fd;
}

Digest OpenWorkspace::digest_of_content(const Lookup& found) {
  if (found.is_sealed()) return found.digest;
  const Descriptor fd = open_content(found);
  return digest_of_file(fd.get(), found.path.text);
}

Entry entry_of(OpenWorkspace& workspace, const Lookup& found) {
  Entry entry;
  entry.name = found.path.name();
  entry.metadata = metadata_of(found.status);
  if (found.is_regular()) {
    entry.size = static_cast<uint64_t>(found.status.st_size);
    if (found.is_sealed()) entry.digest = found.digest;
  } else if (found.is_link()) {
    PathBuffer target;
    const int result = read_link(workspace.core(), found, target);
    if (result != 0) throw system_error(found.path.text, -result);
    entry.target = target.text;
    entry.size = target.length;
  } else if (!found.is_directory()) {
    entry.device = found.status.st_rdev;
  }
  return entry;
}

std::vector<std::string> names_in(OpenWorkspace& workspace, const Lookup& directory) {
  Listing listing;
  const int result = listing.read(workspace.core(), directory);
  if (result != 0) throw system_error(directory.path.text, -result);
  std::vector<std::string> names;
  for (const struct dirent64* entry = listing.at(0); entry != nullptr;
       entry = listing.at(static_cast<uint32_t>(entry->d_off))) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace vfs
