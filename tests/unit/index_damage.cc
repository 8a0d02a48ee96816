// A delta and its main in every state of damage: an error or a wrong answer,
// but never a step out of the files.
#include <sys/mman.h>
#include <sys/wait.h>
#include <xxhash.h>

#include <functional>
#include <random>

#include "tests/unit/index_fixture.h"
#include "tests/unit/index_use.h"

namespace vfs::test {
namespace {

// A full index and one derived from it that has some of everything.
struct Pair : Snapshots {
  Paths paths;
  Snapshot first;
  Snapshot second;
  std::set<std::string> all = {"", "no", "dir1/no", "dir1/f3/no", "gone/sub/no"};

  Pair() {
    for (int d = 0; d < 12; ++d) {
      const std::string directory = "dir" + std::to_string(d);
      paths[directory] = plain_entry(S_IFDIR | 0755);
      for (int f = 0; f < 30; ++f) {
        paths[directory + "/f" + std::to_string(f)] = plain_entry(S_IFREG | 0644, static_cast<uint64_t>(f));
      }
    }
    paths["gone"] = paths["gone/sub"] = paths["file"] = plain_entry(S_IFDIR | 0755);
    paths["gone/sub/x"] = paths["file/x"] = plain_entry(S_IFREG | 0644, 1);
    for (const char* name : {"dir1/f1", "dir2/f1", "dir3/f1"}) paths[name].link_group = 77;
    first = add(paths);
    write_index(store, manifest, first);
    for (const auto& [path, entry] : paths) all.insert(path);
    for (const char* name : {"gone/sub/x", "gone/sub", "gone", "file/x", "dir5/f5"}) paths.erase(name);
    paths["file"] = plain_entry(S_IFREG | 0600, 5);
    paths["dir1/f1"].metadata.mode = S_IFREG | 0600;
    paths["dir7"].metadata.mode = S_IFDIR | 0700;
    paths["link"] = plain_entry(S_IFLNK | 0777, 4);
    paths["new"] = plain_entry(S_IFDIR | 0755);
    paths["new/file"] = plain_entry(S_IFREG | 0644, 3);
    paths["new/other"] = paths["dir1/f1"];
    second = add(paths, S_IFDIR | 0755, first.id);
    write_index(store, manifest, second, &first);
    for (const auto& [path, entry] : paths) all.insert(path);
    REQUIRE(main_of_index(path(second)) == first.id);
    REQUIRE(check_index(path(second)) == "");
  }

  int open_second(Index& index) {
    return index.open(path(second).c_str(), store.indexes().c_str());
  }
};

void replace_file(const fs::path& path, std::string_view bytes) {
  fs::remove(path);
  write_file(path, bytes);
}

// Calls everything a reader can call; nothing here may assume that it works.
uint64_t use_all(const Index& index, const std::set<std::string>& paths) {
  uint64_t sum = 0;
  for (const std::string& path : paths) {
    if (const IndexEntry* entry = find_path(index, path)) sum += use(index, *entry);
  }
  for (const IndexLevel level : {index.top(), index.main()}) {
    for (uint64_t i = 0; i < level.entry_count(); ++i) sum += use(index, *level.entry(i));
  }
  return sum;
}

}  // namespace

TEST_CASE("a delta answers for all that it changes, and lets main answer for the rest") {
  Pair pair;
  const Index derived = pair.open(pair.path(pair.second));
  const Index full = pair.open(pair.full(pair.second));
  CHECK(derived.is_delta());
  CHECK(memcmp(derived.snapshot(), pair.second.id.bytes, Digest::kSize) == 0);
  CHECK(derived.top().entry_count() < 40);
  for (const std::string& path : pair.all) {
    INFO(path);
    CHECK(tell(derived, path) == tell(full, path));
  }
  // Also for who went down to a name of main: its directory has another mode.
  CHECK(derived.parent(*find_path(derived, "dir7/f1"))->mode == (S_IFDIR | 0700));
  const Index other = pair.open(pair.path(pair.first));
  CHECK_FALSE(derived.has(*find_path(other, "dir1")));
  CHECK(derived.has(*find_path(derived, "dir1")));
  CHECK(derived.has(*find_path(derived, "dir4/f4")));
}

TEST_CASE("a delta without the main that it was derived from is refused") {
  Pair pair;
  const fs::path main = pair.path(pair.first);
  const std::string sound = read_file(main);
  Index index;
  fs::remove(main);
  CHECK(pair.open_second(index) == -ENOENT);
  CHECK_FALSE(check_index(pair.path(pair.second)).empty());
  CHECK_FALSE(check_index_header(pair.path(pair.second), pair.second.id));
  // Of the right snapshot, but not the same; of another; a delta; cut short.
  std::string other = sound;
  auto& header = *reinterpret_cast<IndexHeader*>(other.data());
  const auto refused = [&](const std::string& bytes) {
    replace_file(main, bytes);
    CHECK(pair.open_second(index) == -EUCLEAN);
    CHECK_FALSE(index.is_open());
    CHECK_FALSE(check_index(pair.path(pair.second)).empty());
    CHECK_FALSE(check_index_header(pair.path(pair.second), pair.second.id));
  };
  ++header.body_checksum;
  header.header_checksum = header_checksum(header);
  refused(other);
  --header.body_checksum;
  ++header.snapshot[3];
  header.header_checksum = header_checksum(header);
  refused(other);
  refused(read_file(pair.path(pair.second)));
  for (size_t size : {size_t{0}, size_t{100}, sizeof(IndexHeader), sound.size() / 2, sound.size() - 1}) {
    refused(sound.substr(0, size));
  }
  replace_file(main, sound);
  CHECK(pair.open_second(index) == 0);
  CHECK(index.is_open());
}

TEST_CASE("a delta whose header is damaged, or that is cut short, is refused") {
  Pair pair;
  const fs::path path = pair.path(pair.second);
  const std::string sound = read_file(path);
  for (size_t at = 0; at < sizeof(IndexHeader); ++at) {
    std::string bytes = sound;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    replace_file(path, bytes);
    Index index;
    INFO(at);
    CHECK(pair.open_second(index) == -EUCLEAN);
    CHECK_FALSE(main_of_index(path).has_value());
  }
  for (const uint64_t offset : {uint64_t{8}, uint64_t{0x10000}, uint64_t{0x20000}, ~uint64_t{0}}) {
    std::string bytes = sound;
    auto& header = *reinterpret_cast<IndexHeader*>(bytes.data());
    if (header.main_offset == offset) continue;
    header.main_offset = offset;
    header.header_checksum = header_checksum(header);
    replace_file(path, bytes);
    Index index;
    CHECK(pair.open_second(index) == -EUCLEAN);
  }
  for (size_t size = 0; size < sound.size(); size += size < 400 ? 7 : 501) {
    replace_file(path, sound.substr(0, size));
    Index index;
    CHECK(pair.open_second(index) == -EUCLEAN);
    CHECK_FALSE(check_index(path).empty());
  }
}

TEST_CASE("any damaged byte of a delta is noticed, and nothing is derived from it") {
  Pair pair;
  const fs::path path = pair.path(pair.second);
  const std::string sound = read_file(path);
  pair.paths["more"] = plain_entry(S_IFREG | 0644);
  const Snapshot third = pair.add(pair.paths, S_IFDIR | 0755, pair.second.id);
  for (size_t at = 0; at < sound.size(); at += 1 + at / 40) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    replace_file(path, damaged);
    REQUIRE_FALSE(check_index(path).empty());
    fs::remove(pair.path(third));
    write_index(pair.store, pair.manifest, third, &pair.second);
    REQUIRE_FALSE(main_of_index(pair.path(third)));
    REQUIRE(check_index(pair.path(third)) == "");
  }
  replace_file(path, sound);
  fs::remove(pair.path(third));
  write_index(pair.store, pair.manifest, third, &pair.second);
  CHECK(main_of_index(pair.path(third)) == pair.first.id);
}

TEST_CASE("what a delta says wrongly with right checksums is noticed") {
  Pair pair;
  const fs::path path = pair.path(pair.second);
  const std::string sound = read_file(path);
  const auto wrong = [&](const std::function<void(IndexEntry*, uint64_t)>& change) {
    std::string bytes = sound;
    auto& header = *reinterpret_cast<IndexHeader*>(bytes.data());
    change(reinterpret_cast<IndexEntry*>(bytes.data() + header.entries_offset), header.entry_count);
    header.body_checksum =
        XXH3_64bits(bytes.data() + sizeof(header), bytes.size() - sizeof(header));
    header.header_checksum = header_checksum(header);
    replace_file(path, bytes);
    return check_index(path) != "";
  };
  CHECK_FALSE(wrong([](IndexEntry*, uint64_t) {}));
  const auto each = [&](const std::function<bool(const IndexEntry&)>& is, const std::function<void(IndexEntry&)>& change) {
    size_t number = 0;
    const Index index = pair.open(pair.path(pair.second));
    for (uint64_t i = 0; i < index.top().entry_count(); ++i) {
      if (!is(*index.top().entry(i))) continue;
      ++number;
      INFO(i);
      CHECK(wrong([&](IndexEntry* entries, uint64_t) { change(entries[i]); }));
    }
    replace_file(path, sound);
    CHECK(number > 0);
  };
  const auto any = [](const IndexEntry&) { return true; };
  const auto covers = [](const IndexEntry& e) { return e.main != kNoEntry; };
  const auto fresh = [](const IndexEntry& e) { return e.main == kNoEntry; };
  const auto tombstone = [](const IndexEntry& e) { return e.mode == 0; };
  const auto directory = [](const IndexEntry& e) { return S_ISDIR(e.mode); };
  each(any, [](IndexEntry& e) { e.path_hash ^= 1; });
  each(any, [](IndexEntry& e) { e.main ^= 1; });
  each(covers, [](IndexEntry& e) { e.main = kNoEntry; });
  each(covers, [](IndexEntry& e) { e.main = kNoEntry - 1; });
  each(fresh, [](IndexEntry& e) { e.main = 3; });
  each(fresh, [](IndexEntry& e) { e.mode = 0; });
  each(directory, [](IndexEntry& e) { ++e.children.subdirectories; });
  each(directory, [](IndexEntry& e) { ++e.children.count; });
  each(tombstone, [](IndexEntry& e) { e.parent = e.parent == 0 ? 1 : 0; });
}

TEST_CASE("20,000 random damages of a delta and its main never lead out of them") {
  // In a child: a fault is then a failed check and not the end of all tests.
  Pair pair;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(200);
    std::mt19937_64 random(4711);
    struct Target {
      std::string sound;
      char* writable;
    };
    std::vector<Target> targets;
    for (const fs::path& path : {pair.path(pair.second), pair.path(pair.first)}) {
      Target target{read_file(path), nullptr};
      fs::remove(path);
      write_file(path, target.sound);
      const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
      target.writable = static_cast<char*>(
          ::mmap(nullptr, target.sound.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
      if (target.writable == MAP_FAILED) ::_exit(2);
      targets.push_back(target);
    }
    Index index;
    if (pair.open_second(index) != 0) ::_exit(3);
    const size_t body = sizeof(IndexHeader);
    for (int round = 0; round < 20'000; ++round) {
      for (const Target& target : targets) {
        for (uint64_t flips = random() % 6; flips > 0; --flips) {
          const size_t at = body + random() % (target.sound.size() - body);
          const uint32_t extreme = random() % 2 ? 0xffffffffu : static_cast<uint32_t>(random() % 64);
          switch (random() % 3) {
            case 0: target.writable[at] = static_cast<char>(target.writable[at] ^ (1 << random() % 8)); break;
            case 1: target.writable[at] = static_cast<char>(random()); break;
            default: if (at + 4 <= target.sound.size()) memcpy(target.writable + at, &extreme, 4);
          }
        }
      }
      use_all(index, pair.all);
      if (round % 100 == 0) {
        // Nor does what reads them to derive another, or to check them.
        check_index(pair.path(pair.second));
        check_index(pair.path(pair.first));
        Paths changed = pair.paths;
        changed.erase("dir1");
        std::erase_if(changed, [](const auto& item) { return item.first.starts_with("dir1/"); });
        const Snapshot third = pair.add(changed);
        write_index(pair.store, pair.manifest, third, &pair.first);
        fs::remove(pair.path(third));
      }
      for (const Target& target : targets) {
        memcpy(target.writable + body, target.sound.data() + body, target.sound.size() - body);
      }
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  INFO("wait status " << status);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace vfs::test
