#include "vfs/command/shim_file.h"

#include <filesystem>

#include "cas/error.h"

namespace vfs {

namespace fs = std::filesystem;

std::string find_shim() {
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& path : {here / "../shim/libvfs.so", fs::path(VFS_LIBRARY_DIRECTORY) / "libvfs.so",
                               here / "../lib/libvfs.so"}) {
    std::error_code error;
    const fs::path canonical = fs::canonical(path, error);
    if (!error) return canonical.string();
  }
  throw Error("libvfs.so", "not found beside the command", "build or install it with meson");
}

}  // namespace vfs
