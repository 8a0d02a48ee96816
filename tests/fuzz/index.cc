// The index reader that every program carries, and the one of `vfs verify`, over
// files of any bytes: whole ones, deltas, and mains below a sound delta.
#include <sanitizer/asan_interface.h>

#include "tests/fuzz/snapshots.h"
#include "tests/unit/index_use.h"

namespace vfs::fuzz {
namespace {

const char* const kPaths[] = {"", "dir", "dir/a", "dir/one", "dir/sub/x", "gone", "gone/deep/y",
                              "two", "three", "new/link", "link", "null", "no", "dir/no/more"};

enum Mode { full, delta, main_of_delta, modes };

struct Bed : Snapshots {
  std::string sound_first = bytes(first);
  std::string sound_second = bytes(second);
};
Bed* bed;

// An index that is open, with the ends of its mappings marked, and taken away
// again: a process keeps it for ever, but here there are a million of them.
class Opened {
 public:
  explicit Opened(const fs::path& path) {
    if (index.open(path.c_str(), bed->store.indexes().c_str()) != 0) return;
    base_ = reinterpret_cast<const char*>(&index.top().header());
    const uint64_t top_size = index.top().header().file_size;
    size_ = index.is_delta() ? index.top().header().main_offset + index.main().header().file_size
                             : top_size;
    mark(top_size);
    if (index.is_delta()) mark(size_);
  }
  ~Opened() {
    if (base_ == nullptr) return;
    ASAN_UNPOISON_MEMORY_REGION(base_, page_end(size_));
    ::munmap(const_cast<char*>(base_), size_);
  }

  explicit operator bool() const { return base_ != nullptr; }
  Index index;

 private:
  static uint64_t page_end(uint64_t size) { return (size + 4095) & ~4095ull; }
  void mark(uint64_t size) { ASAN_POISON_MEMORY_REGION(base_ + size, page_end(size) - size); }

  const char* base_ = nullptr;
  uint64_t size_ = 0;
};

const IndexEntry* find(const Index& index, std::string_view path) {
  const uint32_t length = static_cast<uint32_t>(path.size());
  return index.find(path.data(), length, path_hash(path.data(), length));
}

uint64_t use(const Index& index, const IndexEntry& entry) {
  if (const char* name = index.name(entry)) {
    require(strlen(name) == entry.name_length && strchr(name, '/') == nullptr &&
                strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && entry.name_length <= NAME_MAX,
            "a name is one that a directory can have");
  }
  return test::use(index, entry);
}

void read_all(const Index& index) {
  for (const char* path : kPaths) {
    const IndexEntry* entry = find(index, path);
    if (entry == nullptr) continue;
    use(index, *entry);
    char buffer[PATH_MAX];
    const char* own = index.path_of(*entry, buffer, sizeof(buffer));
    require(own != nullptr && strcmp(own, path) == 0, "an entry is found by no other path than its own");
  }
  size_t sum = 0;
  for (const IndexLevel level : {index.top(), index.main()}) {
    for (uint64_t i = 0; i < level.entry_count(); ++i) sum += use(index, *level.entry(i));
  }
  consume(sum);
}

// What `vfs verify` finds in order answers for all that is in it.
void read_checked(const Index& index) {
  for (uint64_t i = 0; i < index.top().entry_count(); ++i) {
    const IndexEntry& entry = *index.top().entry(i);
    char buffer[PATH_MAX];
    const char* path = index.path_of(entry, buffer, sizeof(buffer));
    if (path == nullptr) continue;  // too long
    const IndexEntry* found = find(index, path);
    require(entry.mode == 0 ? found == nullptr : found == &entry, "a checked index finds its entries");
  }
}

}  // namespace
}  // namespace vfs::fuzz

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  bed = new Bed;
  std::vector<std::string> seeds;
  for (const char mode : {full, delta, main_of_delta}) {
    for (const char repair : {'\0', '\4'}) {
      const std::string& sound = mode == delta ? bed->sound_second : bed->sound_first;
      seeds.push_back(std::string(1, static_cast<char>(mode | repair)) + sound);
    }
  }
  write_seeds(seeds);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t flags = input.byte();
  const unsigned mode = (flags & 3) % modes;
  const bool repair = (flags & 4) != 0;
  std::string bytes(input.rest());
  const IndexHeader first = header_of(bed->sound_first);
  const Snapshot& hostile = mode == delta ? bed->second : bed->first;
  if (repair) repair_header(bytes, hostile.id, mode == delta ? &first : nullptr);
  std::string other = mode == delta ? bed->sound_first : bed->sound_second;
  if (mode == main_of_delta && bytes.size() >= sizeof(IndexHeader)) {
    const IndexHeader main = header_of(bytes);
    repair_header(other, bed->second.id, &main);
  }
  test::write_file(bed->path(hostile), bytes);
  test::write_file(bed->path(mode == delta ? bed->first : bed->second), other);
  const fs::path& opened_path = bed->path(mode == full ? bed->first : bed->second);
  check_index_header(opened_path, bed->second.id);
  const bool sound = check_index(opened_path).empty();
  if (const Opened opened(opened_path); opened) {
    read_all(opened.index);
    if (sound && mode != main_of_delta) read_checked(opened.index);
  }
  return 0;
}
