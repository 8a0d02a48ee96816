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
#include "vfs/command/links.h"
#include "vfs/command/workspace_state.h"

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

// Complete when it gets its name, where the file system has files without one: who
// is killed must not leave an empty marker.
void write_marker(const std::string& root, const std::string& state) {
  const std::string path = root + kMarker;
  Descriptor fd(::open(root.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644));
  const bool nameless = static_cast<bool>(fd);
  if (!nameless) fd = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  const std::string text = "vfs workspace 1\nstate " + state + "\n";
  const auto is_written = [&] {
    return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  };
  const auto is_named = [&] {
    const std::string link = fmt::format("/proc/self/fd/{}", fd.get());
    return !nameless || ::linkat(AT_FDCWD, link.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (!is_written() || !is_named()) throw system_error(path, errno, "the directory must be writable");
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

}  // namespace

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

namespace {

std::vector<SnapshotId> ids_in_links(const Store& store, const char* name) {
  std::vector<SnapshotId> ids;
  for (const WorkspaceState& state : all_states(store)) {
    if (const auto id = snapshot_of_link(state.path, name)) ids.push_back(*id);
  }
  return ids;
}

}  // namespace

std::vector<SnapshotId> all_heads(const Store& store) {
  std::vector<SnapshotId> ids = ids_in_links(store, "head");
  // Where a command that was killed was going.
  for (const WorkspaceState& state : all_states(store)) {
    const Journal journal = read_journal(state.path);
    if (journal.step >= Step::move) ids.push_back(journal.snapshot);
  }
  return ids;
}

std::vector<SnapshotId> all_bases(const Store& store) { return ids_in_links(store, "base"); }

std::vector<Digest> all_recorded_digests(const Store& store) {
  std::vector<Digest> digests;
  const auto take = [&](const UpperItem& item) {
    Record record;
    parse_record(item.target.c_str(), static_cast<uint32_t>(item.target.size()), record);
    if (record.kind == RecordKind::object) digests.push_back(record.object.digest);
  };
  for (const WorkspaceState& state : all_states(store)) {
    walk_upper(state.path, take);
    walk_work(state.path, take);
  }
  return digests;
}

}  // namespace vfs
