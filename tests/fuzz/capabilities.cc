// Calls on capabilities: any bytes as parameters, any size for the result, any method, on ids that were given, closed and
// made up. What comes back is a length that fits or an errno, and nothing of the real root changes.
#include <errno.h>

#include "tests/fuzz/bed.h"
#include "vfs/vfs.h"

namespace vfs::fuzz {
namespace {

Bed* bed;
vfs_cap directory;
vfs_cap console;

constexpr uint32_t kMethods[] = {
    VFS_CONSOLE_WRITE_LINE, VFS_CONSOLE_WRITE,     VFS_CONSOLE_READ,     VFS_DIRECTORY_OPEN,
    VFS_DIRECTORY_STAT,     VFS_DIRECTORY_LIST,    VFS_DIRECTORY_MAKE,   VFS_DIRECTORY_RENAME,
    VFS_DIRECTORY_REMOVE,   VFS_DIRECTORY_LINK,    VFS_DIRECTORY_SYMLINK, VFS_DIRECTORY_READ_LINK,
    VFS_FILE_READ,          VFS_FILE_WRITE,        VFS_FILE_PREAD,       VFS_FILE_PWRITE,
    VFS_FILE_TRUNCATE,      VFS_FILE_SET_TIMES,    VFS_FILE_STAT,        VFS_FILE_SEEK};
constexpr size_t kMethodCount = sizeof(kMethods) / sizeof(*kMethods);

// The ids that an input works with: two that are always there, then what it opened.
struct Ids {
  std::vector<vfs_cap> all{directory, console};

  vfs_cap take(uint8_t which) const {
    return which < 0xf0 ? all[which % all.size()] : all[0] + (vfs_cap{which} << 10);
  }
  void add(const std::vector<char>& result) {
    vfs_opened opened;
    memcpy(&opened, result.data(), sizeof(opened));
    all.push_back(opened.id);
  }
  ~Ids() {
    for (size_t i = 2; i < all.size(); ++i) vfs_cap_close(all[i]);
  }
};

// A two-path call names its second directory by an id, which bytes alone would never hit.
void set_second(std::vector<char>& parameters, uint32_t method, const Ids& ids) {
  if (method != VFS_DIRECTORY_RENAME && method != VFS_DIRECTORY_LINK) return;
  if (parameters.size() < sizeof(vfs_cap)) return;
  const vfs_cap id = ids.take(static_cast<uint8_t>(parameters[0]));
  memcpy(parameters.data(), &id, sizeof(id));
}

// [id 1][method 1; 0xff: four bytes follow][size of the result 2][size of the parameters 2][parameters]
void call_once(Input& input, Ids& ids) {
  const vfs_cap id = ids.take(input.byte());
  const uint8_t which = input.byte();
  if (which == 0xfe) {
    vfs_cap_close(ids.all.size() > 2 ? ids.all.back() : 0);
    return;
  }
  const uint32_t method = which == 0xff ? input.number(4) : kMethods[which % kMethodCount];
  // Exactly as large as is said, so that a byte too many is noticed.
  std::vector<char> result(input.number(2) % 4096);
  const std::string_view bytes = input.bytes(input.number(2) % 4096);
  std::vector<char> parameters(bytes.begin(), bytes.end());
  set_second(parameters, method, ids);
  const int64_t length = vfs_cap_call(id, method, parameters.data(), parameters.size(),
                                      result.data(), result.size());
  require(length >= -4095, "an error is an errno");
  const bool writes = method == VFS_FILE_WRITE || method == VFS_FILE_PWRITE;
  require(length < 0 || static_cast<size_t>(length) <= (writes ? parameters.size() : result.size()),
          "no more comes back than fits");
  if (method == VFS_DIRECTORY_OPEN && length == sizeof(vfs_opened)) ids.add(result);
}

std::string call_bytes(char id, uint32_t method, uint16_t room, const std::string& parameters) {
  const auto* found = std::find(kMethods, kMethods + kMethodCount, method);
  std::string bytes{id, static_cast<char>(found - kMethods)};
  for (const size_t number : {size_t{room}, parameters.size()}) {
    bytes += static_cast<char>(number >> 8);
    bytes += static_cast<char>(number);
  }
  return bytes + parameters;
}

template <typename T>
std::string packed(const T& parameters, const std::string& behind = "") {
  return std::string(reinterpret_cast<const char*>(&parameters), sizeof(parameters)) + behind;
}

std::vector<std::string> seeds() {
  const auto open = [](uint32_t flags, const std::string& path) {
    return call_bytes(0, VFS_DIRECTORY_OPEN, sizeof(vfs_opened), packed(vfs_open_parameters{flags, 0644}, path));
  };
  const vfs_two_paths_parameters two{0, 0, 4, 6};
  const vfs_position_parameters position{3};
  constexpr uint32_t kMake = VFS_OPEN_READ | VFS_OPEN_WRITE | VFS_OPEN_CREATE;
  return {
      open(VFS_OPEN_READ, "dir/inner") + call_bytes(2, VFS_FILE_READ, 100, "") +
          call_bytes(2, VFS_FILE_PREAD, 100, packed(position)) + call_bytes(2, VFS_FILE_STAT, sizeof(vfs_status), ""),
      open(kMake, "new") + call_bytes(2, VFS_FILE_WRITE, 0, "text") +
          call_bytes(2, VFS_FILE_PWRITE, 0, packed(position, "more")) +
          call_bytes(2, VFS_FILE_TRUNCATE, 0, packed(position)) +
          call_bytes(2, VFS_FILE_SET_TIMES, 0, packed(vfs_times_parameters{{1, 2, 0}, {3, 4, 0}})) +
          call_bytes(2, VFS_FILE_SEEK, 8, packed(vfs_seek_parameters{1, 2, 0})),
      open(VFS_OPEN_DIRECTORY, "dir") + call_bytes(2, VFS_DIRECTORY_LIST, 1000, packed(vfs_list_parameters{0})) +
          call_bytes(2, VFS_DIRECTORY_LIST, 40, packed(vfs_list_parameters{77})),
      call_bytes(0, VFS_DIRECTORY_STAT, sizeof(vfs_status), packed(vfs_stat_parameters{0, 0}, "dir/../link")),
      call_bytes(0, VFS_DIRECTORY_MAKE, 0, packed(vfs_make_parameters{0755, 0}, "made")) +
          call_bytes(0, VFS_DIRECTORY_REMOVE, 0, packed(vfs_remove_parameters{1, 0}, "made")),
      call_bytes(0, VFS_DIRECTORY_RENAME, 0, packed(two, "filefile-2")) +
          call_bytes(0, VFS_DIRECTORY_RENAME, 0, packed(vfs_two_paths_parameters{0, 0, 6, 4}, "file-2file")),
      call_bytes(0, VFS_DIRECTORY_LINK, 0, packed(two, "filename-2")) +
          call_bytes(0, VFS_DIRECTORY_REMOVE, 0, packed(vfs_remove_parameters{0, 0}, "name-2")),
      call_bytes(0, VFS_DIRECTORY_SYMLINK, 0, packed(vfs_symlink_parameters{5, 4}, "../upaway")) +
          call_bytes(0, VFS_DIRECTORY_READ_LINK, 10, "away") +
          call_bytes(0, VFS_DIRECTORY_STAT, sizeof(vfs_status), packed(vfs_stat_parameters{0, 0}, "away/x")) +
          call_bytes(0, VFS_DIRECTORY_REMOVE, 0, packed(vfs_remove_parameters{0, 0}, "away")),
      call_bytes(1, VFS_CONSOLE_WRITE_LINE, 0, packed(vfs_console_parameters{1, 0}, "line"))};
}

}  // namespace
}  // namespace vfs::fuzz

// The library's own heap would hide what is written beside a block.
extern "C" {
void* vfs_malloc(size_t size) { return malloc(size); }
void* vfs_realloc(void* block, size_t size) { return realloc(block, size); }
void vfs_free(void* block) { free(block); }
}

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  bed = new Bed;
  ::setenv("VFS_WORKSPACE", bed->snapshot_root.c_str(), 1);
  ::unsetenv("VFS_GRANTS");
  uint32_t interface_id = 0;
  vfs_cap open_console = 0;
  require(vfs_cap_get("workspace", 9, &directory, &interface_id) == 0, "there is a workspace");
  require(vfs_cap_get("console", 7, &open_console, &interface_id) == 0, "there is a console");
  // Its calls are decoded and then refused: standard output and error are the fuzzer's.
  require(vfs_cap_narrow(open_console, 0, &console) == 0, "a capability can be narrowed");
  write_seeds(seeds());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  {
    Ids ids;
    for (int i = 0; i < 24 && !input.at_end(); ++i) call_once(input, ids);
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(bed->snapshot_root)) {
    require(entry.path().filename() == ".vfs", "nothing is made in the real root");
  }
  require(fs::exists(bed->snapshot_root / ".vfs"), "nothing is taken from the real root");
  return 0;
}
