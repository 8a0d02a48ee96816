#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "vfs/command/changes.h"

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
  if (const std::optional<Snapshot> head = workspace.head()) {
    return reference_of(workspace.objects(), workspace.manifest(), *head);
  }
  return std::make_unique<TreeReference>(workspace, true);
}

std::unique_ptr<Reference> merged_reference(OpenWorkspace& workspace) {
  return std::make_unique<TreeReference>(workspace, false);
}

}  // namespace vfs
