#include "vfs/command/state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "manifest/index_writer.h"
#include "manifest/ingest.h"
#include "vfs/command/journal.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

constexpr char kMarker[] = "/.vfs";

// Creates the state directory of a new workspace and gives its path. The
// marker is not written yet, so nobody finds it half done.
std::string make_state(const Store& store, const std::string& root, const struct stat& top) {
  std::random_device random;
  const std::string id = fmt::format("{:08x}{:08x}", random(), random());
  const std::string state = (store.workspaces() / id).string();
  for (const char* part : {"", "/upper", "/work", "/run"}) {
    if (::mkdir((state + part).c_str(), 0700) != 0) throw system_error(state + part, errno);
  }
  const std::string upper = state + "/upper";
  const struct timespec times[2] = {top.st_atim, top.st_mtim};
  if (::chown(upper.c_str(), top.st_uid, top.st_gid) != 0 && errno != EPERM) {
    throw system_error(upper, errno);
  }
  ::chmod(upper.c_str(), top.st_mode & 07777);
  ::utimensat(AT_FDCWD, upper.c_str(), times, 0);
  if (::symlink(root.c_str(), (state + "/root").c_str()) != 0) throw system_error(state, errno);
  return state;
}

void write_control(const std::string& state, BaseKind kind) {
  const std::string path = state + "/control";
  struct {
    char magic[8];
    uint32_t version;
    uint32_t kind;
    uint64_t generation;
    uint64_t rename_generation;
  } header = {{}, kControlVersion, static_cast<uint32_t>(kind), 1, 1};
  memcpy(header.magic, kControlMagic, sizeof(kControlMagic));
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) throw system_error(path, errno);
  // All of it now: a program that sets a bit in a page for which a full disk has
  // no block would be killed by SIGBUS.
  const int allocated = ::posix_fallocate(fd.get(), 0, sizeof(Control));
  if (allocated != 0) throw system_error(path, allocated, "make room in the store's file system");
  if (::pwrite(fd.get(), &header, sizeof(header), 0) != sizeof(header)) throw system_error(path, errno);
}

void write_marker(const std::string& root, const std::string& state) {
  const std::string path = root + kMarker;
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  const std::string text = "vfs workspace 1\nstate " + state + "\n";
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw system_error(path, errno, "the directory must be writable");
  }
}

std::string canonical_directory(const std::string& directory) {
  std::error_code error;
  const fs::path path = fs::canonical(directory, error);
  if (error) throw system_error(directory, error.value());
  if (!fs::is_directory(path)) throw system_error(directory, ENOTDIR);
  if (path == "/") throw Error("/", "the root directory cannot be a workspace");
  return path.string();
}

void refuse_nested(const std::string& directory) {
  PathBuffer root;
  if (find_workspace(directory.c_str(), root)) {
    throw Error(directory, fmt::format("already in the workspace {}", root.text),
                "choose a directory outside of it");
  }
}

bool is_below(const std::string& path, const std::string& directory) {
  return path == directory || (path.size() > directory.size() && path[directory.size()] == '/' &&
                               path.compare(0, directory.size(), directory) == 0);
}

// The link `name` of every workspace says an id, as "ID" or ".../ID.index".
std::vector<SnapshotId> ids_in_links(const Store& store, const char* name) {
  std::vector<SnapshotId> ids;
  for (const auto& entry : fs::directory_iterator(store.workspaces())) {
    std::error_code error;
    const std::string text = fs::read_symlink(entry.path() / name, error).stem().string();
    Digest id;
    if (!error && text.size() == Digest::kHexLength && digest_from_hex(text.data(), id)) {
      ids.push_back(id);
    }
  }
  return ids;
}

// Programs may remove directories below while this looks: what is gone needs
// no object, and what is still there is not skipped for it.
void find_recorded_digests(const fs::path& directory, std::vector<Digest>& digests) {
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    const fs::file_type type = at->symlink_status(gone).type();
    if (type == fs::file_type::directory) {
      find_recorded_digests(at->path(), digests);
    } else if (type == fs::file_type::symlink) {
      const std::string target = fs::read_symlink(at->path(), gone).string();
      Record record;
      parse_record(target.c_str(), static_cast<uint32_t>(target.size()), record);
      if (record.kind == RecordKind::object) digests.push_back(record.object.digest);
    }
  }
  if (error && error.value() != ENOENT) throw system_error(directory.string(), error.value());
}

}  // namespace

void replace_link(const Store& store, const std::string& target, const std::string& path) {
  const std::string temporary = store.temporary_name().string();
  if (::symlink(target.c_str(), temporary.c_str()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    throw system_error(path, errno);
  }
}

std::string index_link(const SnapshotId& id) {
  return "../../indexes/" + digest_text(id) + ".index";
}

void make_live_workspace(const Store& store, const std::string& directory) {
  const std::string root = canonical_directory(directory);
  refuse_nested(root);
  if (is_below(store.path().string(), root)) {
    throw Error(root, "the store lies inside of it", "put the store elsewhere with VFS_STORE");
  }
  struct stat top;
  ::stat(root.c_str(), &top);
  const std::string state = make_state(store, root, top);
  write_control(state, BaseKind::live);
  const struct timespec times[2] = {top.st_atim, top.st_mtim};
  write_marker(root, state);
  // The marker is ours, not a change of the directory.
  ::utimensat(AT_FDCWD, root.c_str(), times, 0);
}

void make_snapshot_workspace(const Store& store, Manifest& manifest, const Snapshot& snapshot,
                             const std::string& directory) {
  std::error_code ignored;
  if (::mkdir(directory.c_str(), 0777) != 0 &&
      (errno != EEXIST || !fs::is_directory(directory, ignored))) {
    throw system_error(directory, errno);
  }
  const std::string root = canonical_directory(directory);
  refuse_nested(root);
  if (!fs::is_empty(root)) {
    throw Error(root, "the directory is not empty", "clone into a new directory");
  }
  write_index(store, manifest, snapshot);
  struct stat top = {};
  top.st_mode = snapshot.root.mode;
  top.st_uid = snapshot.root.uid;
  top.st_gid = snapshot.root.gid;
  top.st_mtim = {snapshot.root.mtime_seconds, static_cast<long>(snapshot.root.mtime_nanoseconds)};
  top.st_atim = top.st_mtim;
  const std::string state = make_state(store, root, top);
  replace_link(store, index_link(snapshot.id), state + "/base");
  replace_link(store, digest_text(snapshot.id), state + "/head");
  write_control(state, BaseKind::snapshot);
  write_marker(root, state);
}

std::vector<SnapshotId> all_heads(const Store& store) {
  std::vector<SnapshotId> ids = ids_in_links(store, "head");
  // Where a command that was killed was going.
  for (const auto& entry : fs::directory_iterator(store.workspaces())) {
    const Journal journal = read_journal(entry.path().string());
    if (journal.step >= Step::move) ids.push_back(journal.snapshot);
  }
  return ids;
}

std::vector<SnapshotId> all_bases(const Store& store) { return ids_in_links(store, "base"); }

std::vector<Digest> all_recorded_digests(const Store& store) {
  std::vector<Digest> digests;
  for (const auto& workspace : fs::directory_iterator(store.workspaces())) {
    find_recorded_digests(workspace.path() / "upper", digests);
    find_recorded_digests(workspace.path() / "work", digests);
  }
  return digests;
}

}  // namespace vfs
