#include "vfs/call/libraries.h"

#include <dlfcn.h>
#include <glob.h>

#include <vector>

#include "cas/error.h"

namespace vfs::call {
namespace {

std::string directory_of_libc() {
  const std::string libc = library_of(dlsym(RTLD_NEXT, "puts"));
  return libc.substr(0, libc.rfind('/'));
}

// "libm.so.6" for "libm.so": a name without a version is there only for the linker, and may be a text.
void add_versions(std::vector<std::string>& candidates, const std::string& name) {
  for (const std::string& directory : {directory_of_libc(), std::string("/usr/local/lib"), std::string("/usr/lib")}) {
    glob_t found = {};
    if (glob((directory + "/" + name + ".so.[0-9]*").c_str(), 0, nullptr, &found) == 0) {
      for (size_t i = 0; i < found.gl_pathc; ++i) candidates.emplace_back(found.gl_pathv[i]);
    }
    globfree(&found);
  }
}

}  // namespace

void load_library(const std::string& name) {
  std::vector<std::string> candidates = {name};
  if (name.find('/') == std::string::npos) {
    candidates = {name, name + ".so", "lib" + name + ".so"};
    add_versions(candidates, name);
    add_versions(candidates, "lib" + name);
  }
  std::string why;
  for (const std::string& candidate : candidates) {
    if (dlopen(candidate.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
    const char* said = dlerror();
    if (why.empty() && said != nullptr) why = said;
  }
  throw Error("-l " + name, why, "give the path of the library, or its file name as `ldconfig -p` has it");
}

void* find_symbol(const std::string& name) { return dlsym(RTLD_DEFAULT, name.c_str()); }

std::string library_of(const void* symbol) {
  Dl_info info = {};
  if (symbol == nullptr || dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) return "";
  return info.dli_fname;
}

}  // namespace vfs::call
