#include "vfs/command/control_check.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "cas/error.h"
#include "cas/descriptor.h"
#include "vfs/command/workspace_state.h"

namespace vfs {
namespace {

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t kind;
  uint64_t generation;
  uint64_t rename_generation;
};
static_assert(offsetof(Control, rename_generation) == offsetof(Header, rename_generation));

std::string path_of(const std::string& state) { return state + "/control"; }

// What is wrong with it; empty if nothing is, or if `newer` is set.
std::string problem_of(const std::string& path, Header& header, bool& newer) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  header = {};
  newer = false;
  if (!fd || ::fstat(fd.get(), &status) != 0) return fmt::format("cannot be opened ({})", strerrordesc_np(errno));
  if (!S_ISREG(status.st_mode)) return "is no regular file";
  const ssize_t count = ::pread(fd.get(), &header, sizeof(header), 0);
  if (count != static_cast<ssize_t>(sizeof(header)) ||
      memcmp(header.magic, kControlMagic, sizeof(kControlMagic)) != 0) {
    header = {};
    return "is none of ours (its first bytes are others)";
  }
  newer = header.version > kControlVersion;
  if (newer) return {};
  if (header.version != kControlVersion) return fmt::format("has version {}", header.version);
  if (status.st_size != static_cast<off_t>(sizeof(Control))) return fmt::format("has {} bytes", status.st_size);
  if (header.kind > static_cast<uint32_t>(BaseKind::snapshot)) return fmt::format("has kind {}", header.kind);
  return {};
}

// Records in upper speak of the base of this generation: no lower one will do.
uint64_t generation_of_records(const std::string& state) {
  uint64_t generation = 1;
  walk_upper(state, [&](const UpperItem& item) {
    Record record;
    parse_record(item.target.c_str(), static_cast<uint32_t>(item.target.size()), record);
    const bool of_directory = record.kind == RecordKind::opaque || record.kind == RecordKind::redirect;
    if (of_directory && !record.damaged) generation = std::max(generation, record.generation);
  });
  return generation;
}

// In the same inode: who has it mapped goes on with what is written now.
void write_again(const std::string& state, const Header& before, BaseKind kind) {
  const std::string path = path_of(state);
  Header header = before;
  memcpy(header.magic, kControlMagic, sizeof(kControlMagic));
  header.version = kControlVersion;
  header.kind = static_cast<uint32_t>(kind);
  header.generation = std::max(before.generation, generation_of_records(state));
  header.rename_generation = before.rename_generation + 1;
  // Not through a link: what that leads to is not ours to write.
  const Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!fd || ::ftruncate(fd.get(), sizeof(Control)) != 0) throw system_error(path, errno);
  const std::vector<char> hints(sizeof(Control) - offsetof(Control, filter), '\xff');
  if (::pwrite(fd.get(), hints.data(), hints.size(), offsetof(Control, filter)) != static_cast<ssize_t>(hints.size()) ||
      ::pwrite(fd.get(), &header, sizeof(header), 0) != static_cast<ssize_t>(sizeof(header))) {
    throw system_error(path, errno);
  }
}

}  // namespace

std::optional<BaseKind> check_control(const std::string& state, const std::string& shown, Findings& findings) {
  Header header;
  bool newer;
  const std::string problem = problem_of(path_of(state), header, newer);
  if (problem.empty() && !newer) return static_cast<BaseKind>(header.kind);
  Finding finding;
  finding.what = "workspace";
  finding.where = shown;
  if (newer) {
    finding.why = fmt::format("its control file has version {}, this program knows {}", header.version, kControlVersion);
    finding.repair = "use a newer libvfs";
    findings.add(std::move(finding));
    return std::nullopt;
  }
  struct stat status;
  const BaseKind kind = ::lstat((state + "/base").c_str(), &status) == 0 ? BaseKind::snapshot : BaseKind::live;
  finding.why = fmt::format("its control file {} {}", path_of(state), problem);
  finding.repair = fmt::format("it is written again, for a base that is a {}, with all hints set",
                               kind == BaseKind::snapshot ? "snapshot" : "live directory");
  bool done = false;
  findings.add(std::move(finding), [&] {
    write_again(state, header, kind);
    done = true;
  });
  return done ? std::optional(kind) : std::nullopt;
}

void raise_generation(const std::string& state) {
  const std::string path = path_of(state);
  const Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  void* mapped = fd ? ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0) : MAP_FAILED;
  if (mapped == MAP_FAILED) throw system_error(path, errno);
  static_cast<Control*>(mapped)->generation.fetch_add(1, std::memory_order_acq_rel);
  static_cast<Control*>(mapped)->rename_generation.fetch_add(1, std::memory_order_acq_rel);
  ::munmap(mapped, sizeof(Control));
}

}  // namespace vfs
