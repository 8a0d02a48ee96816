#include "vfs/command/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cas/error.h"

namespace vfs {
namespace {

// As the kernel has them: the headers of an older system know less.
struct RulesetAttributes {
  uint64_t handled_files;
  uint64_t handled_network;
  uint64_t scoped;
};
struct __attribute__((packed)) BeneathAttributes {
  uint64_t allowed;
  int32_t parent;
};
constexpr uint32_t kAskVersion = 1;
constexpr int kBeneath = 1;            // kind of a rule
constexpr uint64_t kTcp = 1 << 0 | 1 << 1;       // to bind, to connect
constexpr uint64_t kScopes = 1 << 0 | 1 << 1;    // abstract sockets, signals
// What a rule on a file may say; the kernel refuses the rest.
constexpr uint64_t kOfFiles = access::kExecute | access::kReadFile | access::kChangeContent;

uint64_t known_rights(int version) {
  uint64_t rights = (uint64_t{1} << 13) - 1;
  if (version >= 2) rights |= access::kRefer;
  if (version >= 3) rights |= access::kTruncate;
  if (version >= 5) rights |= access::kDeviceControl;
  return rights;
}

}  // namespace

int fence_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  return version < 0 ? 0 : static_cast<int>(version);
}

Fence::Fence(const Wanted& wanted) : handled_(0) {
  const int version = fence_version();
  handled_ = wanted.handled & known_rights(version);
  const RulesetAttributes attributes = {handled_, wanted.network && version >= 4 ? kTcp : 0,
                                        wanted.scoped && version >= 6 ? kScopes : 0};
  const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  ruleset_ = Descriptor(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset_) throw system_error("the kernel's fence (Landlock)", errno);
}

void Fence::allow(const std::string& path, uint64_t rights) { add(path, rights, 0); }
void Fence::allow_itself(const std::string& path, uint64_t rights) { add(path, rights, O_NOFOLLOW); }

void Fence::add(const std::string& path, uint64_t rights, int flags) {
  const Descriptor fd(::open(path.c_str(), O_PATH | O_CLOEXEC | flags));
  if (!fd && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) return;
  struct stat status;
  if (!fd || ::fstat(fd.get(), &status) != 0) throw system_error(path, errno);
  if (S_ISLNK(status.st_mode)) return;
  rights &= handled_;
  if (!S_ISDIR(status.st_mode)) rights &= kOfFiles;
  if (rights == 0) return;
  const BeneathAttributes rule = {rights, fd.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset_.get(), kBeneath, &rule, 0) == 0) return;
  // Of pipes, sockets and the like nothing is refused.
  if (errno != EBADFD && errno != EBADF) throw system_error(path, errno, "the kernel's fence does not take it");
}

void Fence::enter() const {
  // Else only root may: a setuid program behind a fence could be led astray.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::syscall(SYS_landlock_restrict_self, ruleset_.get(), 0) != 0) {
    throw system_error("the kernel's fence (Landlock)", errno);
  }
}

}  // namespace vfs
