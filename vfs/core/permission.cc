#include "vfs/core/permission.h"

#include <linux/capability.h>

#include "vfs/core/copy_up.h"
#include "vfs/core/directory_mode.h"
#include "vfs/core/sys.h"

namespace vfs {
namespace {

struct Capabilities {
  uint64_t effective;
  uint64_t permitted;
};

// Asked only where the mode alone would deny, so nothing is remembered that a
// setuid(2) would make wrong.
Capabilities capabilities() {
  struct __user_cap_header_struct header = {};
  struct __user_cap_data_struct data[2] = {};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  if (sys::call(SYS_capget, sys::as_argument(&header), sys::as_argument(data)) != 0) {
    const uint64_t all = sys::geteuid() == 0 ? ~0ull : 0;
    return {all, all};
  }
  return {data[0].effective | static_cast<uint64_t>(data[1].effective) << 32,
          data[0].permitted | static_cast<uint64_t>(data[1].permitted) << 32};
}

bool has_capability(unsigned number) { return (capabilities().effective >> number & 1) != 0; }

bool is_in_group(gid_t gid, bool effective) {
  if (gid == (effective ? sys::getegid() : sys::getgid())) return true;
  gid_t groups[256];
  const long count = sys::call(SYS_getgroups, 256, sys::as_argument(groups));
  for (long i = 0; i < count; ++i) {
    if (groups[i] == gid) return true;
  }
  return false;
}

// What the privileged may although the mode says no.
bool overrides(const struct stat& status, unsigned wanted, bool effective) {
  const bool directory = S_ISDIR(status.st_mode);
  // Nobody executes what nobody may.
  if (!directory && (wanted & X_OK) != 0 && (status.st_mode & 0111) == 0) return false;
  const Capabilities all = capabilities();
  // With real ids the kernel takes root's capabilities, or nobody's.
  const uint64_t held = effective ? all.effective : sys::getuid() == 0 ? all.permitted : 0;
  if ((held >> CAP_DAC_OVERRIDE & 1) != 0) return true;
  const bool reads = directory ? (wanted & W_OK) == 0 : wanted == R_OK;
  return reads && (held >> CAP_DAC_READ_SEARCH & 1) != 0;
}

}  // namespace

int check_access(const struct stat& status, int mask, bool effective) {
  const unsigned wanted = static_cast<unsigned>(mask) & 7;
  const unsigned mode = status.st_mode;
  if ((wanted & ~(mode >> 6 & mode >> 3 & mode)) == 0) return 0;
  unsigned shift = 0;
  if ((effective ? sys::geteuid() : sys::getuid()) == status.st_uid) {
    shift = 6;
  } else if (is_in_group(status.st_gid, effective)) {
    shift = 3;
  }
  if ((wanted & ~(mode >> shift)) == 0) return 0;
  return overrides(status, wanted, effective) ? 0 : -EACCES;
}

bool is_granted_to_owner(const struct stat& status, int mask, bool effective) {
  return (static_cast<unsigned>(mask) & ~(status.st_mode >> 6)) == 0 &&
         (effective ? sys::geteuid() : sys::getuid()) == status.st_uid;
}

bool is_owner(const struct stat& status) {
  return sys::geteuid() == status.st_uid || has_capability(CAP_FOWNER);
}

int check_mode_change(const struct stat& status, mode_t& mode) {
  if (!is_owner(status)) return -EPERM;
  if ((mode & S_ISGID) != 0 && !is_in_group(status.st_gid, true) && !has_capability(CAP_FSETID)) {
    mode &= ~static_cast<mode_t>(S_ISGID);
  }
  return 0;
}

int check_owner_change(const struct stat& status, uid_t uid, gid_t gid) {
  constexpr uid_t kSame = static_cast<uid_t>(-1);
  if (uid == kSame && gid == static_cast<gid_t>(kSame)) return 0;
  const bool owner = sys::geteuid() == status.st_uid;
  const bool keeps_user = uid == kSame || (owner && uid == status.st_uid);
  const bool keeps_group = gid == static_cast<gid_t>(kSame) ||
                           (owner && (gid == status.st_gid || is_in_group(gid, true)));
  return (keeps_user && keeps_group) || has_capability(CAP_CHOWN) ? 0 : -EPERM;
}

int prepare_parent(Workspace& workspace, const Lookup& found, NameChange change) {
  // In a directory of upper that shows its real permissions the kernel's own
  // check, when the name is changed, is the right one.
  if (!found.parent_guarded) {
    if (found.source == Source::upper || found.source == Source::record || found.whiteout) return 0;
  }
  PathBuffer path;
  path.assign(found.path);
  path.pop();
  if (!found.parent_guarded) {
    PathBuffer upper;
    struct stat status;
    if (!workspace.upper_path(path, upper)) return -ENAMETOOLONG;
    // Sticky: mirrored since the look-up, maybe, by the other half of a rename.
    if (sys::lstat(upper.text, &status) == 0 && S_ISDIR(status.st_mode) &&
        (status.st_mode & (S_IRWXU | S_ISVTX)) == S_IRWXU) {
      return 0;
    }
  }
  Lookup parent;
  int result = look_up_canonical(workspace, path, parent);
  if (result != 0) return result;
  if (!parent.exists()) return -ENOENT;
  if (!parent.is_directory()) return -ENOTDIR;
  result = check_access(parent.status, W_OK | X_OK, true);
  if (result != 0) return result;
  const bool sticky = (parent.status.st_mode & S_ISVTX) != 0;
  if (change == NameChange::remove && sticky && !is_owner(parent.status) &&
      !is_owner(found.status)) {
    return -EPERM;
  }
  return mirror_directory(workspace, path);
}

}  // namespace vfs
