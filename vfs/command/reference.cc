#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <map>

#include "vfs/command/changes.h"
#include "vfs/core/path_hash.h"

namespace vfs {
namespace {

std::string read_everything(int fd, const std::string& name) {
  std::string bytes;
  std::string piece(1 << 16, '\0');
  for (ssize_t count; (count = ::read(fd, piece.data(), piece.size())) != 0;) {
    if (count < 0) throw system_error(name, errno);
    bytes.append(piece, 0, static_cast<size_t>(count));
  }
  return bytes;
}

// A snapshot, read from the manifest one directory at a time.
class SnapshotReference final : public Reference {
 public:
  SnapshotReference(const ObjectStore& objects, Manifest& manifest, const Snapshot& snapshot)
      : objects_(objects), manifest_(manifest) {
    Entry& root = entries_[""].emplace();
    root.metadata = snapshot.root;
    root.tree = snapshot.tree;
  }

  std::optional<Entry> find(const std::string& path) override {
    const auto known = entries_.find(path);
    if (known != entries_.end()) return known->second;
    const size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
    if (!load(parent)) return std::nullopt;
    const auto loaded = entries_.find(path);
    return loaded != entries_.end() ? loaded->second : std::nullopt;
  }

  std::vector<std::string> names(const std::string& path) override {
    if (!load(path)) return {};
    return names_[path];
  }

  Digest digest(const std::string&, const Entry& entry) override { return entry.digest; }
  std::string content(const std::string&, const Entry& entry) override {
    return objects_.read(entry.digest);
  }

 private:
  bool load(const std::string& path) {
    if (names_.contains(path)) return true;
    const std::optional<Entry> directory = find(path);
    if (!directory || !S_ISDIR(directory->metadata.mode)) return false;
    std::vector<std::string>& names = names_[path];
    for (Entry& entry : manifest_.list(directory->tree)) {
      names.push_back(entry.name);
      entries_[path.empty() ? entry.name : path + "/" + entry.name] = std::move(entry);
    }
    return true;
  }

  const ObjectStore& objects_;
  Manifest& manifest_;
  std::map<std::string, std::optional<Entry>> entries_;
  std::map<std::string, std::vector<std::string>> names_;
};

// The snapshot that a workspace stands on, read from its mapped index: what
// `vfs status` compares with costs no database.
class IndexReference final : public Reference {
 public:
  IndexReference(const ObjectStore& objects, const Index& index) : objects_(objects), index_(index) {}

  std::optional<Entry> find(const std::string& path) override {
    const IndexEntry* found = look(path);
    if (found == nullptr) return std::nullopt;
    Entry entry;
    const uint32_t mode = found->mode;
    entry.name.assign(index_.name(*found), found->name_length);
    entry.metadata = {mode, found->uid, found->gid, found->mtime_seconds, found->mtime_nanoseconds};
    entry.size = found->size;
    if (S_ISREG(mode)) memcpy(entry.digest.bytes, found->digest, Digest::kSize);
    if (S_ISLNK(mode)) {
      const char* target = index_.target(*found);
      if (target == nullptr) fail();
      entry.target.assign(target, found->target.length);
    }
    if (S_ISCHR(mode) || S_ISBLK(mode)) {
      entry.device = makedev(found->device.major, found->device.minor);
    }
    return entry;
  }

  std::vector<std::string> names(const std::string& path) override {
    std::vector<std::string> names;
    const IndexEntry* directory = look(path);
    if (directory == nullptr) return names;
    IndexChildren children = index_.children(*directory);
    while (const IndexEntry* child = children.next()) {
      const char* name = index_.name(*child);
      if (name == nullptr) fail();
      names.emplace_back(name, child->name_length);
    }
    return names;
  }

  Digest digest(const std::string&, const Entry& entry) override { return entry.digest; }
  std::string content(const std::string&, const Entry& entry) override {
    return objects_.read(entry.digest);
  }

 private:
  const IndexEntry* look(const std::string& path) const {
    const uint32_t length = static_cast<uint32_t>(path.size());
    const IndexEntry* entry = index_.find(path.c_str(), length, path_hash(path.c_str(), length));
    if (entry != nullptr && index_.name(*entry) == nullptr) fail();
    return entry;
  }
  [[noreturn]] static void fail() {
    throw Error("index", "the index of the base is damaged", "run `vfs verify`");
  }

  const ObjectStore& objects_;
  const Index index_;  // a copy: the workspace may go over to another base meanwhile
};

// A tree seen through look-ups: the live directory by itself, or the merged one.
class TreeReference final : public Reference {
 public:
  TreeReference(OpenWorkspace& workspace, bool base_only)
      : workspace_(workspace), base_only_(base_only) {}

  std::optional<Entry> find(const std::string& path) override {
    Lookup found;
    if (!look(path, found)) return std::nullopt;
    return entry_of(workspace_, found);
  }
  std::vector<std::string> names(const std::string& path) override {
    Lookup found;
    if (!look(path, found) || !found.is_directory()) return {};
    if (base_only_) found.source = Source::live;  // list the base's part alone
    return names_in(workspace_, found);
  }
  Digest digest(const std::string& path, const Entry&) override {
    Lookup found;
    if (!look(path, found)) throw system_error(path, ENOENT);
    return workspace_.digest_of_content(found);
  }
  std::string content(const std::string& path, const Entry&) override {
    Lookup found;
    if (!look(path, found)) throw system_error(path, ENOENT);
    return read_everything(workspace_.open_content(found).get(), path);
  }

 private:
  bool look(const std::string& path, Lookup& found) {
    const PathBuffer text = path_buffer(path);
    if (!base_only_) {
      workspace_.look_up(text, found);
      return found.exists();
    }
    PathBuffer real;
    found.inside = true;
    found.path = text;
    found.source = Source::live;
    found.base_may_have = true;
    found.base_is_elsewhere = false;
    found.merged = false;
    found.entry = nullptr;
    return workspace_.core().live_path(text, real) && ::lstat(real.text, &found.status) == 0 &&
           !is_reserved(text);
  }

  OpenWorkspace& workspace_;
  bool base_only_;
};

}  // namespace

std::unique_ptr<Reference> reference_of(const ObjectStore& objects, Manifest& manifest,
                                        const Snapshot& snapshot) {
  return std::make_unique<SnapshotReference>(objects, manifest, snapshot);
}

std::unique_ptr<Reference> reference_of(OpenWorkspace& workspace) {
  if (const std::optional<SnapshotId> head = workspace.head_id()) {
    if (workspace.core().has_snapshot_base()) {
      const Index index = workspace.core().index();
      if (memcmp(index.snapshot(), head->bytes, Digest::kSize) == 0) {
        return std::make_unique<IndexReference>(workspace.objects(), index);
      }
    }
    return reference_of(workspace.objects(), workspace.manifest(), workspace.manifest().snapshot(*head));
  }
  return std::make_unique<TreeReference>(workspace, true);
}

std::unique_ptr<Reference> merged_reference(OpenWorkspace& workspace) {
  return std::make_unique<TreeReference>(workspace, false);
}

}  // namespace vfs
