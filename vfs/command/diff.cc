#include "vfs/command/diff.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "vfs/command/text.h"

namespace vfs {
namespace {

// A side of a comparison as a file for diff(1).
class SideFile {
 public:
  explicit SideFile(const std::string& bytes) {
    Descriptor fd(::mkstemp(path_));
    if (!fd) throw system_error(path_, errno, "set TMPDIR to a directory that is writable");
    std::ofstream out(path_, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  ~SideFile() { ::unlink(path_); }
  SideFile(const SideFile&) = delete;
  SideFile& operator=(const SideFile&) = delete;
  const char* path() const { return path_; }

 private:
  char path_[32] = "/tmp/vfs-diff-XXXXXX";
};

// What diff(1) prints; empty if both are equal.
std::string run_diff(const std::string& old_label, const std::string& before,
                     const std::string& new_label, const std::string& after) {
  const SideFile left(before);
  const SideFile right(after);
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw system_error("diff", errno);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::execlp("diff", "diff", "-u", "--label", old_label.c_str(), "--label", new_label.c_str(), "--",
             left.path(), right.path(), nullptr);
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  const Descriptor from(pipe_ends[0]);
  std::string text;
  char piece[8192];
  for (ssize_t count; (count = ::read(from.get(), piece, sizeof(piece))) > 0;) {
    text.append(piece, static_cast<size_t>(count));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
    throw Error("diff", "the program diff could not be run", "install the package diffutils");
  }
  return text;
}

bool is_binary(const std::string& bytes) {
  return bytes.substr(0, 8000).find('\0') != std::string::npos;
}

struct Side {
  std::optional<Entry> entry;
  std::string content;
};

Side side_of(Reference& reference, const std::string& path) {
  Side side;
  side.entry = reference.find(path);
  if (!side.entry) return side;
  if (S_ISREG(side.entry->metadata.mode)) side.content = reference.content(path, *side.entry);
  if (S_ISLNK(side.entry->metadata.mode)) side.content = "link to " + side.entry->target + "\n";
  return side;
}

void count_lines(const std::string& text, uint64_t& added, uint64_t& removed) {
  size_t line_number = 0;
  for (size_t at = 0; at < text.size(); ++line_number) {
    if (line_number >= 2 && text[at] == '+') ++added;
    if (line_number >= 2 && text[at] == '-') ++removed;
    const size_t end = text.find('\n', at);
    at = end == std::string::npos ? text.size() : end + 1;
  }
}

void print_attributes(const std::string& path, const Side& before, const Side& after) {
  if (!before.entry || !after.entry) return;
  const Metadata& a = before.entry->metadata;
  const Metadata& b = after.entry->metadata;
  if (a.mode != b.mode) fmt::print("mode {:06o} -> {:06o} {}\n", a.mode, b.mode, shown(path));
  if (a.uid != b.uid || a.gid != b.gid) {
    fmt::print("owner {}:{} -> {}:{} {}\n", a.uid, a.gid, b.uid, b.gid, shown(path));
  }
}

// One changed path, read and compared.
struct Difference {
  Side left;
  Side right;
  std::string old_label;
  std::string new_label;
  bool binary = false;
  std::string text;  // unified diff
  uint64_t added = 0;
  uint64_t removed = 0;
};

Difference compare(const Change& change, const std::string& path, Reference& before,
                   Reference& after) {
  const std::string& old_path = change.kind == ChangeKind::renamed ? change.old_path : path;
  Difference out;
  out.left = side_of(before, old_path);
  out.right = side_of(after, path);
  out.old_label = out.left.entry ? "a/" + shown(old_path) : "/dev/null";
  out.new_label = out.right.entry ? "b/" + shown(path) : "/dev/null";
  out.binary = is_binary(out.left.content) || is_binary(out.right.content);
  if (!out.binary && out.left.content != out.right.content) {
    out.text = run_diff(out.old_label, out.left.content, out.new_label, out.right.content);
    count_lines(out.text, out.added, out.removed);
  }
  return out;
}

void print_text(const Change& change, const std::string& path, const Difference& found) {
  print_attributes(path, found.left, found.right);
  if (change.kind == ChangeKind::renamed) fmt::print("rename {} -> {}\n", shown(change.old_path), shown(path));
  if (found.binary && found.left.content != found.right.content) {
    fmt::print("Binary files {} and {} differ\n", found.old_label, found.new_label);
  }
  fmt::print("{}", found.text);
}

void print_counts(const Change& change, const std::string& path, const Difference& found) {
  if (found.binary) {
    fmt::print(" {} | binary, {} -> {} bytes\n", shown(path), found.left.content.size(),
               found.right.content.size());
  } else {
    fmt::print(" {} | {} +{} -{}\n", shown(path), static_cast<char>(change.kind), found.added,
               found.removed);
  }
}

nlohmann::json to_json(const Change& change, const Difference& found) {
  nlohmann::json out = change_to_json(change);
  out["binary"] = found.binary;
  out["added"] = found.added;
  out["removed"] = found.removed;
  return out;
}

}  // namespace

nlohmann::json change_to_json(const Change& change) {
  nlohmann::json out{{"kind", std::string(1, static_cast<char>(change.kind))},
                     {"path", json_text(change.path)}};
  if (!change.old_path.empty()) out["old_path"] = json_text(change.old_path);
  return out;
}

void print_diff(const std::vector<Change>& changes, Reference& before, Reference& after,
                DiffFormat format) {
  uint64_t added = 0;
  uint64_t removed = 0;
  nlohmann::json list = nlohmann::json::array();
  for (const Change& change : changes) {
    const bool directory = change.path.back() == '/';
    const std::string path = directory ? change.path.substr(0, change.path.size() - 1) : change.path;
    const Difference found = compare(change, path, before, after);
    added += found.added;
    removed += found.removed;
    switch (format) {
      case DiffFormat::text: print_text(change, path, found); break;
      case DiffFormat::counts: print_counts(change, path, found); break;
      case DiffFormat::json: list.push_back(to_json(change, found)); break;
    }
  }
  if (format == DiffFormat::counts) {
    fmt::print(" {} paths changed, {} insertions(+), {} deletions(-)\n", changes.size(), added,
               removed);
  } else if (format == DiffFormat::json) {
    fmt::print("{}\n", nlohmann::json{{"changes", list}, {"added", added}, {"removed", removed}}.dump());
  }
}

}  // namespace vfs
