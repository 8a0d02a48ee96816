#include "vfs/call/fact_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/compile.h>
#include <fmt/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace vfs::call {
namespace {

// A change of the format, or of what is written, is a new version: an old file is as none.
constexpr std::string_view kVersion = "vfs-functions 1 ";
constexpr size_t kHeader = kVersion.size() + 16 + 1;  // version, checksum, newline
constexpr size_t kMostSections = 16;
constexpr size_t kLargest = size_t(16) << 20;

struct Section {
  std::string_view key, lines;
};

std::string checksum(std::string_view bytes) { return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size())); }

std::string_view take_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

std::string read_whole(const std::string& path) {
  std::string text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return text;
  struct stat status;
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && static_cast<size_t>(status.st_size) <= kLargest + kHeader) {
    text.resize(static_cast<size_t>(status.st_size));
    size_t at = 0;
    ssize_t count;
    while (at < text.size() && (count = ::read(fd, text.data() + at, text.size() - at)) > 0) {
      at += static_cast<size_t>(count);
    }
    text.resize(at);
  }
  ::close(fd);
  return text;
}

// "section BYTES KEY" and so many bytes, again and again. Nothing if it is not exactly that.
std::vector<Section> sections_of(std::string_view text) {
  if (text.size() < kHeader || !text.starts_with(kVersion)) return {};
  std::string_view rest = text.substr(kHeader);
  if (text.substr(kVersion.size(), 16) != checksum(rest)) return {};
  std::vector<Section> sections;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    size_t bytes = 0;
    constexpr std::string_view kWord = "section ";
    if (!line.starts_with(kWord)) return {};
    line.remove_prefix(kWord.size());
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), bytes);
    if (error != std::errc() || bytes > rest.size() || stop == line.data() + line.size()) return {};
    line.remove_prefix(static_cast<size_t>(stop - line.data()) + 1);
    sections.push_back({line, rest.substr(0, bytes)});
    rest.remove_prefix(bytes);
  }
  return sections;
}

std::string text_of(const std::vector<Section>& sections) {
  std::string body;
  for (const Section& one : sections) {
    body += fmt::format("section {} {}\n", one.lines.size(), one.key);
    body += one.lines;
  }
  return fmt::format("{}{}\n{}", kVersion, checksum(body), body);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// "SIZE SECONDS.NANOSECONDS"; some hundred files are asked each time, so it is cheap.
struct State {
  explicit State(const char* path) {
    if (::stat(path, &status) != 0) return;
    there = true;
    const auto end = fmt::format_to_n(text, sizeof(text), FMT_COMPILE("{} {}.{:09}"), status.st_size,
                                      status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    length = static_cast<size_t>(end.out - text);
  }
  std::string_view view() const { return {text, length}; }

  bool there = false;
  struct stat status;
  char text[80];
  size_t length = 0;
};

}  // namespace

std::optional<std::string_view> Facts::find(std::string_view kind, std::string_view name) const {
  const std::string wanted = fmt::format("{}\t{}\t", kind, name);
  const std::string_view all = lines_;
  size_t low = 0;
  size_t high = all.size();  // both at the beginning of a line
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const size_t before = all.rfind('\n', middle == 0 ? 0 : middle - 1);
    const size_t start = middle == 0 || before == std::string_view::npos || before < low ? low : before + 1;
    const size_t end = std::min(all.find('\n', start), all.size());
    const std::string_view line = all.substr(start, end - start);
    if (line.starts_with(wanted)) return line.substr(wanted.size());
    if (line < wanted) {
      low = std::min(end + 1, all.size());
    } else {
      high = start;
    }
  }
  return std::nullopt;
}

void Facts::add_names(std::string_view kind, std::vector<std::string_view>& names) const {
  for (std::string_view rest = lines_; !rest.empty();) {
    std::string_view line = take_line(rest);
    if (!line.starts_with(kind) || line.size() <= kind.size() || line[kind.size()] != '\t') continue;
    line.remove_prefix(kind.size() + 1);
    names.push_back(line.substr(0, line.find('\t')));
  }
}

bool Facts::are_fresh() const {
  constexpr std::string_view kWord = "file\t";
  // They stand together, between the constants and the functions.
  const size_t before = lines_.find("\nfile\t");
  for (std::string_view rest = lines_.substr(before == std::string_view::npos ? 0 : before + 1); !rest.empty();) {
    std::string_view line = take_line(rest);
    if (line.starts_with("func\t")) break;
    if (!line.starts_with(kWord)) continue;
    line.remove_prefix(kWord.size());
    const size_t tab = std::min(line.find('\t'), line.size());
    const State state(std::string(line.substr(0, tab)).c_str());
    if (!state.there || state.view() != line.substr(std::min(tab + 1, line.size()))) return false;
  }
  return true;
}

namespace {

// Most of what vfs-headers prints is in order already.
void append_sorted(std::vector<std::string_view>& lines, std::string& text) {
  const auto middle = std::is_sorted_until(lines.begin(), lines.end());
  std::sort(middle, lines.end());
  std::inplace_merge(lines.begin(), middle, lines.end());
  const auto end = std::unique(lines.begin(), lines.end());
  for (auto line = lines.begin(); line != end; ++line) text.append(*line).append("\n");
}

}  // namespace

std::optional<Facts> make_facts(std::string_view printed, int64_t started) {
  std::vector<std::string_view> constants, functions;
  std::vector<std::string> files;
  std::string sorted;
  sorted.reserve(printed.size() * 2);  // files get their state
  while (!printed.empty()) {
    const std::string_view line = take_line(printed);
    if (line.starts_with("const\t")) constants.push_back(line);
    if (line.starts_with("func\t")) functions.push_back(line);
    if (!line.starts_with("file\t")) continue;
    const std::string path(line.substr(5));
    const State state(path.c_str());
    if (!state.there || state.status.st_mtim.tv_sec >= started) return std::nullopt;
    files.push_back(fmt::format("file\t{}\t{}", path, state.view()));
  }
  std::vector<std::string_view> file_lines(files.begin(), files.end());
  append_sorted(constants, sorted);
  append_sorted(file_lines, sorted);
  append_sorted(functions, sorted);
  return Facts(std::move(sorted));
}

std::optional<Facts> read_facts(const std::string& path, const std::string& key) {
  const auto text = std::make_shared<const std::string>(read_whole(path));
  for (const Section& one : sections_of(*text)) {
    if (one.key == key) return Facts(text, one.lines);
  }
  return std::nullopt;
}

void write_facts(const std::string& path, const std::string& key, const Facts& facts) {
  if (path.empty()) return;  // its temporary file would be one of the working directory
  const std::string old = read_whole(path);
  std::vector<Section> sections = sections_of(old);
  std::erase_if(sections, [&](const Section& one) { return one.key == key; });
  sections.push_back({key, facts.lines()});
  size_t bytes = 0;
  for (const Section& one : sections) bytes += one.lines.size() + one.key.size() + 64;
  while (!sections.empty() && (sections.size() > kMostSections || bytes > kLargest)) {
    bytes -= sections.front().lines.size() + sections.front().key.size() + 64;
    sections.erase(sections.begin());
  }
  const std::string text = text_of(sections);
  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return;
  const bool written = write_all(fd, text);
  const bool closed = ::close(fd) == 0;
  if (!written || !closed || ::rename(temporary.c_str(), path.c_str()) != 0) ::unlink(temporary.c_str());
}

void with_lock(const std::string& path, const std::function<void()>& work) {
  const int fd = path.empty() ? -1 : ::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  while (fd >= 0 && ::fcntl(fd, F_OFD_SETLKW, &whole) != 0 && errno == EINTR) {
  }
  try {
    work();
  } catch (...) {
    if (fd >= 0) ::close(fd);
    throw;
  }
  if (fd >= 0) ::close(fd);  // unlocks
}

std::string fact_path() {
  const auto variable = [](const char* name) {
    const char* value = getenv(name);
    return std::string(value != nullptr && *value == '/' ? value : "");
  };
  std::string directory = variable("XDG_CACHE_HOME");
  if (directory.empty() && !variable("HOME").empty()) directory = variable("HOME") + "/.cache";
  if (directory.empty()) return "";
  ::mkdir(directory.c_str(), 0700);
  directory += "/vfs";
  ::mkdir(directory.c_str(), 0700);
  return directory + "/functions";
}

}  // namespace vfs::call
