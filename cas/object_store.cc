#include "cas/object_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "cas/error.h"
#include "cas/hash.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

// Every name in a directory; none if it is gone.
void for_each_name(const fs::path& path, const std::function<void(int, const char*)>& visit,
                   bool unfinished = false) {
  const std::unique_ptr<DIR, CloseDirectory> stream(::opendir(path.c_str()));
  if (!stream) {
    if (errno == ENOENT || errno == ENOTDIR) return;
    throw system_error(path.string(), errno, "check the permissions of the store");
  }
  while (const struct dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && (name[0] == '.') == unfinished) visit(::dirfd(stream.get()), entry->d_name);
  }
}

}  // namespace

// As text: to take a path apart costs as much as the system call it is for.
std::string ObjectStore::file(const Digest& digest) const {
  char below[kObjectPathLength];
  object_path_below_store(digest, below);
  return store_.path().native() + '/' + std::string(below, sizeof(below));
}

std::filesystem::path ObjectStore::path(const Digest& digest) const { return file(digest); }

bool ObjectStore::contains(const Digest& digest) const {
  return ::access(file(digest).c_str(), F_OK) == 0;
}

bool ObjectStore::contains(const Digest& digest, uint64_t size) const {
  struct stat status;
  return ::stat(file(digest).c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         static_cast<uint64_t>(status.st_size) == size;
}

Descriptor ObjectStore::open(const Digest& digest) const {
  Descriptor fd = open_regular(path(digest));
  if (!fd && errno == EINVAL) throw Error("object " + digest_text(digest), "not a regular file", "run `vfs verify`");
  if (!fd) throw system_error("object " + digest_text(digest), errno, "run `vfs verify`");
  return fd;
}

std::string ObjectStore::read(const Digest& digest) const {
  const Descriptor fd = open(digest);
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) throw system_error("object " + digest_text(digest), errno);
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  bytes.resize(read_up_to(fd.get(), bytes.data(), bytes.size(), digest_text(digest)));
  return bytes;
}

// Gives a finished temporary its place. False: the object was there, and has
// the same bytes.
bool ObjectStore::publish(TemporaryFile& temporary, const Digest& digest) const {
  const fs::path target = path(digest);
  temporary.finish(0555);
  if (temporary.move_if_absent(target)) return true;
  const Descriptor ours(::open(temporary.path().c_str(), O_RDONLY | O_CLOEXEC));
  const Descriptor theirs = open_regular(target);
  if (!ours || !theirs) throw system_error(target.string(), errno, "run `vfs verify`");
  if (same_bytes(ours.get(), theirs.get())) return false;
  ::lseek(theirs.get(), 0, SEEK_SET);
  if (digest_of_file(theirs.get(), target.native()) == digest) {
    throw Error("object " + digest_text(digest),
                "two files with different bytes have this one digest",
                "the store cannot hold both: leave one of them out, or change it");
  }
  temporary.replace(target);
  return true;
}

StoredObject ObjectStore::put_bytes(std::string_view bytes) const {
  StoredObject stored{digest_of(bytes.data(), bytes.size()), bytes.size(), false};
  const Descriptor existing = open_regular(path(stored.digest));
  if (existing) {
    std::string other(bytes.size() + 1, '\0');
    other.resize(read_up_to(existing.get(), other.data(), other.size(), "object"));
    if (other == bytes) return stored;
  }
  // Beside its place: a rename between directories takes a lock of the whole file
  // system, and with all of the new names in one directory threads wait for it.
  const fs::path unfinished = "." + store_.temporary_name().filename().native();
  TemporaryFile temporary(path(stored.digest).parent_path() / unfinished);
  temporary.write(bytes);
  stored.added = publish(temporary, stored.digest);
  return stored;
}

fs::path ObjectStore::quarantine(const Digest& digest) const {
  const fs::path directory = store_.quarantine();
  if (!make_private_directory(directory)) throw system_error(directory.string(), errno);
  fs::path place = directory / digest_text(digest);
  struct stat status;
  for (unsigned i = 1; ::lstat(place.c_str(), &status) == 0; ++i) {
    place = directory / fmt::format("{}.{}", digest_text(digest), i);
  }
  if (::rename(file(digest).c_str(), place.c_str()) != 0) throw system_error(file(digest), errno);
  return place;
}

void ObjectStore::for_each(
    const std::function<void(const Digest&, uint64_t size)>& visit) const {
  for_each_name(store_.objects(), [&](int, const char* shard) {
    for_each_name(store_.objects() / shard, [&](int directory, const char* name) {
      const std::string hex = std::string(shard) + name;
      Digest digest;
      struct stat status;
      if (hex.size() == Digest::kHexLength && digest_from_hex(hex.data(), digest) &&
          ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        visit(digest, static_cast<uint64_t>(status.st_size));
      }
    });
  });
}

void ObjectStore::for_each_unfinished(const std::function<void(const fs::path&)>& visit) const {
  for_each_name(store_.objects(), [&](int, const char* shard) {
    const fs::path directory = store_.objects() / shard;
    for_each_name(directory, [&](int, const char* name) { visit(directory / name); }, true);
  });
}

void ObjectStore::for_each_stray(const std::function<void(const fs::path&)>& visit) const {
  const auto is_hex = [](std::string_view name, size_t size) {
    return name.size() == size && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  for (const auto& shard : fs::directory_iterator(store_.objects())) {
    if (!is_hex(shard.path().filename().native(), 2) || !fs::is_directory(shard.symlink_status())) {
      visit(shard.path());
      continue;
    }
    for_each_name(shard.path(), [&](int, const char* name) {
      if (!is_hex(name, Digest::kHexLength - 2)) visit(shard.path() / name);
    });
  }
}

ObjectDirectory::ObjectDirectory(const Store& store)
    : objects_(::open(store.objects().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (!objects_) throw system_error(store.objects().string(), errno, "check the permissions of the store");
}

bool ObjectDirectory::contains(const Digest& digest, uint64_t size) const {
  char path[kObjectPathLength + 1];
  object_path_below_store(digest, path);
  path[kObjectPathLength] = '\0';
  struct stat status;
  const char* const below = path + sizeof("objects/") - 1;
  return ::fstatat(objects_.get(), below, &status, 0) == 0 && S_ISREG(status.st_mode) &&
         static_cast<uint64_t>(status.st_size) == size;
}

uint64_t ObjectStore::remove(const Digest& digest) const {
  const fs::path file = path(digest);
  struct stat status;
  if (::lstat(file.c_str(), &status) != 0) return 0;
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) throw system_error(file.string(), errno);
  return static_cast<uint64_t>(status.st_size);
}

}  // namespace vfs
