// Paths as programs write them: into the workspace, through it and out of it.
// What does not leave the tree must be answered as the kernel answers it for the
// same tree.
#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "tests/fuzz/bed.h"
#include "vfs/core/lookup.h"

namespace vfs::fuzz {
namespace {

Bed* bed;
int native_directory;

enum Flags : uint8_t { follows_links = 1, below_root = 2, restricted = 4 };

// The type, or a negative errno: -EXDEV for what leaves the tree, even if it comes
// back to it.
int look_natively(const std::string& path, bool follow) {
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC | (follow ? 0u : static_cast<unsigned>(O_NOFOLLOW));
  how.resolve = RESOLVE_BENEATH;
  struct stat status;
  const Descriptor fd(static_cast<int>(
      ::syscall(SYS_openat2, native_directory, path.c_str(), &how, sizeof(how))));
  if (!fd || ::fstat(fd.get(), &status) != 0) return -errno;
  return static_cast<int>(status.st_mode);
}

void check_place(const Lookup& found) {
  require(is_canonical(found.path), "a look-up's path is canonical");
  require(is_canonical(found.base_path()), "a look-up's place in the base is canonical");
}

void look(Workspace& workspace, const std::string& path, bool follow) {
  const PathBuffer top;
  Lookup found;
  const int result = look_up(workspace, top, path.c_str(), follow ? Follow::yes : Follow::no, found);
  if (result == 0 && !found.inside) return;
  if (result == 0) check_place(found);
  const int answer = result != 0      ? result
                     : found.exists() ? static_cast<int>(found.status.st_mode)
                                      : -ENOENT;
  const int native = look_natively(path, follow);
  // Inside, a path has less room: its root's path stands before it. EAGAIN is for
  // something that was renamed anywhere while the kernel went up.
  if (answer == -ENAMETOOLONG || native == -ENAMETOOLONG || native == -EXDEV || native == -EAGAIN) return;
  require(answer == native, "a path has the kernel's answer");
}

void look_restricted(Workspace& workspace, const std::string& path, uint64_t resolve) {
  PathBuffer start;
  start.assign("dir");
  Lookup found;
  const int result = look_up_restricted(workspace, start, path.c_str(), Follow::yes, resolve, found);
  if (result == 0 && found.inside) check_place(found);
}

}  // namespace
}  // namespace vfs::fuzz

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  std::vector<std::string> seeds;
  for (const char* path : {"dir/sub/low", "dir_link/../file", "/dir//./inner", "dir/up/low/", "loop/x",
                           "../live/file", "dangling/", "/tmp/../tmp/../tmp"}) {
    for (char flags = 0; flags < 8; ++flags) seeds.push_back(flags + std::string(path));
  }
  write_seeds(seeds);
  bed = new Bed;
  native_directory = ::open(bed->native.c_str(), O_PATH | O_DIRECTORY);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t flags = input.byte();
  const std::string path = as_text(input.rest());
  for (Workspace* workspace : {bed->live.get(), bed->snapshot.get()}) {
    PathBuffer rest;
    const std::string absolute = (flags & below_root) != 0 ? workspace->root.text + ("/" + path) : path;
    if (absolute.starts_with('/') && enter_workspace(*workspace, absolute.c_str(), rest)) {
      require(rest.length == strlen(rest.text) && rest.text[0] != '/', "what is below the root is relative");
      look(*workspace, rest.text, (flags & follows_links) != 0);
    } else if (!path.empty() && path[0] != '/' && (flags & restricted) != 0) {
      look_restricted(*workspace, path, flags >> 3);
    } else if (!path.empty() && path[0] != '/') {
      look(*workspace, path, (flags & follows_links) != 0);
    }
  }
  return 0;
}
