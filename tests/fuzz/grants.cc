// The text of VFS_GRANTS: any bytes are grants that come back from their own text, or nothing at all.
#include <memory>

#include "tests/fuzz/harness.h"
#include "vfs/core/grants.h"

namespace vfs::fuzz {
namespace {

std::unique_ptr<Grants> grants;
std::unique_ptr<Grants> again;

std::string text_of(const Grants& from) {
  std::string text(from.format(nullptr, 0), '\0');
  require(from.format(text.data(), text.size()) == text.size(), "a text has the size it was said to have");
  return text;
}

bool is_same(const KeptPath& a, const KeptPath& b) {
  return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

void check_grant(const Grant& grant) {
  PathBuffer path;
  require(grant.path.length > 0 && grant.path.text[0] == '/', "a path is absolute");
  require(path.assign(grant.path.text + 1) && is_canonical(path), "a path is normal");
  require(grants->find(grant.name.text, grant.name.length) == &grant, "a name is there once");
  const Rights rights = grants->rights_of(grant.path.text, grant.path.length);
  require((rights & grant.rights) == grant.rights, "what is granted may be done");
}

}  // namespace
}  // namespace vfs::fuzz

using namespace vfs;
using namespace vfs::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  grants = std::make_unique<Grants>();
  again = std::make_unique<Grants>();
  write_seeds({"workspace=rwx:/home/you/work\ntemporary=rw:/tmp/x", "a=:/", "a=r:/x\\ny\\\\z\nb=wx:/.a/..b",
               "a=r:/a\na=r:/b", "a=rw:/a/../b", "a=xr:/a\\"});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // At the end of a block of its own, so that a byte too far is noticed.
  const std::vector<char> text(data, data + size);
  const int result = grants->parse(text.data(), text.size());
  require(result <= 0, "an error is an errno");
  require(result == 0 || grants->count() == 0, "what is malformed grants nothing");
  for (const Grant& grant : *grants) check_grant(grant);
  const std::string own = text_of(*grants);
  require(again->parse(own.data(), own.size()) == 0 && again->count() == grants->count(), "a text can be read again");
  for (uint32_t i = 0; i < grants->count(); ++i) {
    const Grant& one = grants->begin()[i];
    const Grant& other = again->begin()[i];
    require(is_same(one.name, other.name) && is_same(one.path, other.path) && one.rights == other.rights,
            "a text says what was read");
  }
  return 0;
}
