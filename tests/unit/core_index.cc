// Reading an index: sound ones, and ones in every state of damage.
#include "vfs/core/index.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <xxhash.h>

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <random>

#include "manifest/index_writer.h"
#include "manifest/ingest.h"
#include "tests/unit/cas_fixture.h"
#include "vfs/core/path_hash.h"

using namespace vfs;
using namespace vfs::test;

namespace {

// A real tree, ingested, compiled, and its index as bytes.
struct Compiled {
  Scratch scratch;
  fs::path tree = scratch / "tree";
  fs::path index;
  std::string bytes;

  Compiled() {
    fs::create_directories(tree / "dir/sub");
    fs::create_directory(tree / "empty");
    write_file(tree / "file", "content");
    write_file(tree / "dir/one", "shared");
    fs::create_hard_link(tree / "dir/one", tree / "dir/sub/two");
    fs::create_hard_link(tree / "dir/one", tree / "three");
    fs::create_symlink("dir/one", tree / "link");
    for (int i = 0; i < 40; ++i) write_file(tree / "dir" / ("many" + std::to_string(i)), "x");
    ::mkfifo((tree / "pipe").c_str(), 0600);
    set_mtime(tree / "file", 1'234'567'890, 987'654'321);
    const Store store = scratch.store();
    Manifest manifest(store);
    const Snapshot snapshot = ingest(store, manifest, tree, {});
    write_index(store, manifest, snapshot);
    index = index_path(store, snapshot.id);
    bytes = read_file(index);
  }
};

const IndexEntry* find(const Index& index, const std::string& path) {
  const uint32_t length = static_cast<uint32_t>(path.size());
  return index.find(path.data(), length, path_hash(path.data(), length));
}

// Bytes as a file, opened as the shim opens it.
struct IndexFile {
  Scratch scratch;
  fs::path path = scratch / "index";

  int open(std::string_view bytes, Index& index) {
    fs::remove(path);
    write_file(path, bytes);
    return index.open(path.c_str(), "");
  }
};

IndexHeader& header_of(std::string& bytes) { return *reinterpret_cast<IndexHeader*>(bytes.data()); }

void sign(std::string& bytes) {
  IndexHeader& header = header_of(bytes);
  header.header_checksum = header_checksum(header);
}

// Calls everything a reader can call.
uint64_t use(const Index& index, const std::vector<std::string>& paths) {
  uint64_t sum = 0;
  const auto look = [&](const IndexEntry& entry) {
    struct stat status;
    index.status(entry, status);
    sum += status.st_ino + static_cast<uint64_t>(status.st_size);
    if (const char* name = index.name(entry)) sum += strlen(name);
    if (S_ISLNK(entry.mode)) {
      if (const char* target = index.target(entry)) sum += strlen(target);
    }
    IndexChildren children = index.children(entry);
    while (const IndexEntry* child = children.next()) sum += child->path_hash;
    if (const IndexEntry* parent = index.parent(entry)) sum += parent->path_hash;
    if (const IndexEntry* next = index.next_link(entry)) sum += next->path_hash;
    char buffer[PATH_MAX];
    if (const char* path = index.path_of(entry, buffer, sizeof(buffer))) sum += strlen(path);
  };
  for (const std::string& path : paths) {
    if (const IndexEntry* entry = find(index, path)) look(*entry);
  }
  for (uint64_t i = 0; i < index.top().entry_count() && i < 200; ++i) look(*index.top().entry(i));
  return sum;
}

const std::vector<std::string> kPaths = {"",        "dir",      "dir/sub", "dir/one", "dir/sub/two",
                                         "three",   "link",     "file",    "empty",   "dir/many7",
                                         "missing", "dir/none", "empty/x", "pipe",    "file/x"};

}  // namespace

TEST_CASE("the index finds every path with the metadata of the real file") {
  const Compiled compiled;
  Index index;
  REQUIRE(index.open(compiled.index.c_str(), "") == 0);
  CHECK(index.is_open());
  size_t seen = 1;
  for (const auto& item : fs::recursive_directory_iterator(compiled.tree)) {
    const std::string path = item.path().lexically_relative(compiled.tree).string();
    INFO(path);
    ++seen;
    const IndexEntry* entry = find(index, path);
    REQUIRE(entry != nullptr);
    const struct stat real = status_of(item.path());
    struct stat status;
    index.status(*entry, status);
    CHECK(status.st_mode == real.st_mode);
    CHECK(status.st_uid == real.st_uid);
    CHECK(status.st_gid == real.st_gid);
    CHECK(status.st_nlink == real.st_nlink);
    CHECK(status.st_mtim.tv_sec == real.st_mtim.tv_sec);
    CHECK(status.st_mtim.tv_nsec == real.st_mtim.tv_nsec);
    if (!S_ISDIR(real.st_mode)) CHECK(status.st_size == real.st_size);
    if (S_ISLNK(real.st_mode)) CHECK(std::string(index.target(*entry)) == fs::read_symlink(item));
    CHECK((status.st_ino & kBaseInodeBit) != 0);
    char buffer[PATH_MAX];
    REQUIRE(index.path_of(*entry, buffer, sizeof(buffer)) != nullptr);
    CHECK(path == index.path_of(*entry, buffer, sizeof(buffer)));
    CHECK(std::string(index.name(*entry)) == item.path().filename());
  }
  CHECK(index.top().entry_count() == seen);
}

TEST_CASE("what the snapshot does not have is not found") {
  const Compiled compiled;
  Index index;
  REQUIRE(index.open(compiled.index.c_str(), "") == 0);
  for (const char* path : {"missing", "dir/missing", "file/x", "di", "dirr", "dir/su", "Dir", "two",
                           "sub/two", "dir/sub/two/x", "link/x"}) {
    INFO(path);
    CHECK(find(index, path) == nullptr);
  }
  // A right hash with a wrong path is no hit.
  CHECK(index.find("fila", 4, path_hash("file", 4)) == nullptr);
  CHECK(index.find("xx/file", 7, path_hash("file", 4)) == nullptr);
  CHECK(index.find("", 0, path_hash("file", 4)) == nullptr);
  CHECK(index.top().entry(index.top().entry_count()) == nullptr);
  CHECK(index.top().entry(~0ull) == nullptr);
}

TEST_CASE("names of one inode share their number, others do not") {
  const Compiled compiled;
  Index index;
  REQUIRE(index.open(compiled.index.c_str(), "") == 0);
  const uint64_t shared = index.inode(*find(index, "dir/one"));
  CHECK(index.inode(*find(index, "dir/sub/two")) == shared);
  CHECK(index.inode(*find(index, "three")) == shared);
  std::map<uint64_t, int> numbers;
  for (uint64_t i = 0; i < index.top().entry_count(); ++i) ++numbers[index.inode(*index.top().entry(i))];
  CHECK(numbers.size() == index.top().entry_count() - 2);
}

TEST_CASE("children are those of the directory, in order") {
  const Compiled compiled;
  Index index;
  REQUIRE(index.open(compiled.index.c_str(), "") == 0);
  const auto names = [&](const char* path) {
    std::vector<std::string> names;
    IndexChildren children = index.children(*find(index, path));
    while (const IndexEntry* child = children.next()) names.emplace_back(index.name(*child));
    return names;
  };
  const std::vector<std::string> dir = names("dir");
  CHECK(dir.size() == 42);
  CHECK(std::is_sorted(dir.begin(), dir.end()));
  CHECK(names("empty").empty());
  CHECK(names("file").empty());
}

TEST_CASE("a path that does not fit the buffer is refused") {
  const Compiled compiled;
  Index index;
  REQUIRE(index.open(compiled.index.c_str(), "") == 0);
  const IndexEntry* entry = find(index, "dir/sub/two");
  char buffer[64];
  for (uint32_t size = 0; size < sizeof(buffer); ++size) {
    memset(buffer, 'Z', sizeof(buffer));
    const char* path = index.path_of(*entry, buffer, size);
    if (size < sizeof("dir/sub/two")) CHECK(path == nullptr);
    if (size > sizeof("dir/sub/two")) {
      REQUIRE(path != nullptr);
      CHECK(std::string(path) == "dir/sub/two");
    }
    for (uint32_t i = size; i < sizeof(buffer); ++i) REQUIRE(buffer[i] == 'Z');
  }
}

TEST_CASE("no file, no index") {
  const Scratch scratch;
  Index index;
  CHECK(index.open((scratch / "none").c_str(), "") == -ENOENT);
  CHECK_FALSE(index.is_open());
  write_file(scratch / "empty", "");
  CHECK(index.open((scratch / "empty").c_str(), "") == -EUCLEAN);
  CHECK_FALSE(index.is_open());
}

TEST_CASE("a flipped bit anywhere in the header is noticed") {
  const Compiled compiled;
  IndexFile file;
  for (size_t at = 0; at < sizeof(IndexHeader); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string bytes = compiled.bytes;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      INFO("byte " << at << " bit " << bit);
      Index index;
      CHECK(file.open(bytes, index) == -EUCLEAN);
      CHECK_FALSE(index.is_open());
    }
  }
}

TEST_CASE("a header that is signed but does not fit the file is refused") {
  const Compiled compiled;
  IndexFile file;
  using Change = void (*)(IndexHeader&);
  const std::pair<const char*, Change> changes[] = {
      {"version", [](IndexHeader& h) { ++h.version; }},
      {"header size", [](IndexHeader& h) { h.header_size = 0; }},
      {"longer file", [](IndexHeader& h) { ++h.file_size; }},
      {"shorter file", [](IndexHeader& h) { --h.file_size; }},
      {"no entries", [](IndexHeader& h) { h.entry_count = 0; }},
      {"too many entries", [](IndexHeader& h) { h.entry_count = kNoEntry; }},
      {"entries beyond the file", [](IndexHeader& h) { h.entry_count = h.file_size / 88 + 1; }},
      {"entries overflow", [](IndexHeader& h) { h.entry_count = ~0ull / 88 + 2; }},
      {"entries behind the end", [](IndexHeader& h) { h.entries_offset = h.file_size + 8; }},
      {"entries in the header", [](IndexHeader& h) { h.entries_offset = 8; }},
      {"entries not aligned", [](IndexHeader& h) { h.entries_offset += 4; }},
      {"entries offset wraps", [](IndexHeader& h) { h.entries_offset = ~7ull; }},
      {"no buckets", [](IndexHeader& h) { h.bucket_count = 0; }},
      {"buckets not a power of two", [](IndexHeader& h) { h.bucket_count -= 1; }},
      {"buckets beyond the file", [](IndexHeader& h) { h.bucket_count = 1ull << 40; }},
      {"buckets overflow", [](IndexHeader& h) { h.bucket_count = 1ull << 63; }},
      {"fewer buckets than entries", [](IndexHeader& h) { h.bucket_count = 2; }},
      {"buckets behind the end", [](IndexHeader& h) { h.buckets_offset = ~7ull; }},
      {"names behind the end", [](IndexHeader& h) { h.names_offset = h.file_size + 1; }},
      {"names in the header", [](IndexHeader& h) { h.names_offset = 1; }},
      {"names beyond the file", [](IndexHeader& h) { h.names_size += 1; }},
      {"names overflow", [](IndexHeader& h) { h.names_size = ~0ull; }},
  };
  for (const auto& [name, change] : changes) {
    INFO(name);
    std::string bytes = compiled.bytes;
    change(header_of(bytes));
    sign(bytes);
    Index index;
    CHECK(file.open(bytes, index) == -EUCLEAN);
  }
}

TEST_CASE("a file cut short is refused at any length") {
  const Compiled compiled;
  IndexFile file;
  for (size_t length = 0; length < compiled.bytes.size(); length += length < 200 ? 1 : 97) {
    Index index;
    INFO(length);
    CHECK(file.open(compiled.bytes.substr(0, length), index) == -EUCLEAN);
  }
  Index index;
  CHECK(file.open(compiled.bytes + '\0', index) == -EUCLEAN);
  CHECK(file.open(compiled.bytes, index) == 0);
}

TEST_CASE("damaged entries are answered without leaving the file") {
  const Compiled compiled;
  IndexFile file;
  const auto damage = [&](const std::function<void(IndexEntry&)>& change) {
    std::string bytes = compiled.bytes;
    const IndexHeader& header = header_of(bytes);
    for (uint64_t i = 0; i < header.entry_count; ++i) {
      change(reinterpret_cast<IndexEntry*>(bytes.data() + header.entries_offset)[i]);
    }
    Index index;
    REQUIRE(file.open(bytes, index) == 0);
    use(index, kPaths);
    return index;
  };
  for (const uint32_t wild : {0x7fffffffu, 0xffffffffu, 0xffff0000u, 1000u}) {
    const Index names = damage([&](IndexEntry& e) { e.name_offset = wild; });
    CHECK(find(names, "file") == nullptr);
    const Index parents = damage([&](IndexEntry& e) { e.parent = wild; });
    CHECK(find(parents, "file") == nullptr);
    damage([&](IndexEntry& e) { e.link_first = wild; });
    damage([&](IndexEntry& e) { e.link_next = wild; });
    damage([&](IndexEntry& e) { if (S_ISDIR(e.mode)) e.children.first_child = wild; });
    damage([&](IndexEntry& e) { if (S_ISDIR(e.mode)) e.children.count = wild; });
    const Index targets = damage([&](IndexEntry& e) { if (S_ISLNK(e.mode)) e.target.offset = wild; });
    CHECK(targets.target(*find(targets, "link")) == nullptr);
    damage([&](IndexEntry& e) { if (S_ISLNK(e.mode)) e.target.length = wild; });
  }
  damage([](IndexEntry& e) { e.name_length = 0xffff; });
  damage([](IndexEntry& e) { e.name_length = 0; });
  damage([](IndexEntry& e) { e.mode = S_IFLNK; });
  damage([](IndexEntry& e) { e.mode = S_IFDIR; });
  // A circle of parents must end.
  damage([](IndexEntry& e) { e.parent = 1; });
}

TEST_CASE("a table without an empty bucket, or full of nonsense, ends the search") {
  const Compiled compiled;
  IndexFile file;
  for (const uint32_t value : {1u, 2u, 0xffffffffu}) {
    std::string bytes = compiled.bytes;
    const IndexHeader& header = header_of(bytes);
    auto* buckets = reinterpret_cast<uint32_t*>(bytes.data() + header.buckets_offset);
    for (uint64_t i = 0; i < header.bucket_count; ++i) buckets[i] = value;
    Index index;
    REQUIRE(file.open(bytes, index) == 0);
    CHECK(find(index, "no/such/path") == nullptr);
    use(index, kPaths);
  }
}

TEST_CASE("10,000 random damages of the body never lead out of it") {
  // In a child: a fault is then a failed check and not the end of all tests.
  const Compiled compiled;
  const size_t body = sizeof(IndexHeader);
  const size_t page = 4096;
  const size_t size = (compiled.bytes.size() + page - 1) / page * page;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(120);
    std::mt19937_64 random(20'240'501);
    const fs::path path = compiled.scratch / "mutated";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    if (::write(fd, compiled.bytes.data(), compiled.bytes.size()) < 0) ::_exit(2);
    char* writable = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    Index index;
    if (index.open(path.c_str(), "") != 0) ::_exit(3);
    for (int round = 0; round < 10'000; ++round) {
      for (uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
        const size_t at = body + random() % (compiled.bytes.size() - body);
        switch (random() % 3) {
          case 0: writable[at] = static_cast<char>(writable[at] ^ (1 << random() % 8)); break;
          case 1: writable[at] = static_cast<char>(random()); break;
          default: {
            const uint32_t extreme = random() % 2 ? 0xffffffffu : static_cast<uint32_t>(random() % 64);
            if (at + 4 <= compiled.bytes.size()) memcpy(writable + at, &extreme, 4);
          }
        }
      }
      use(index, kPaths);
      memcpy(writable + body, compiled.bytes.data() + body, compiled.bytes.size() - body);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  INFO("wait status " << status);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
