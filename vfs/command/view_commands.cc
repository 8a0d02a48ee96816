#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "vfs/command/commands.h"
#include "vfs/core/attributes.h"

namespace vfs {
namespace {

struct View {
  OpenWorkspace workspace;
  bool long_format;
  bool recursive;
  bool json;
  nlohmann::json list = nlohmann::json::array();
};

std::string mode_text(mode_t mode) {
  std::string text = "?rwxrwxrwx";
  text[0] = S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISFIFO(mode) ? 'p' : S_ISSOCK(mode) ? 's'
            : S_ISCHR(mode) ? 'c' : S_ISBLK(mode) ? 'b' : '-';
  for (unsigned i = 0; i < 9; ++i) {
    if ((mode >> (8 - i) & 1) == 0) text[i + 1] = '-';
  }
  if ((mode & S_ISUID) != 0) text[3] = (mode & 0100) != 0 ? 's' : 'S';
  if ((mode & S_ISGID) != 0) text[6] = (mode & 0010) != 0 ? 's' : 'S';
  if ((mode & S_ISVTX) != 0) text[9] = (mode & 0001) != 0 ? 't' : 'T';
  return text;
}

nlohmann::json to_json(OpenWorkspace& workspace, const Lookup& found) {
  struct stat status;
  get_status(workspace.core(), found, status);
  const Entry entry = entry_of(workspace, found);
  nlohmann::json out{{"path", found.path.length != 0 ? json_text(found.path.text) : "."},
                     {"type", S_ISDIR(status.st_mode)   ? "directory"
                              : S_ISREG(status.st_mode) ? "file"
                              : S_ISLNK(status.st_mode) ? "link"
                                                        : "special"},
                     {"mode", fmt::format("{:04o}", status.st_mode & 07777)},
                     {"uid", status.st_uid},
                     {"gid", status.st_gid},
                     {"size", status.st_size},
                     {"links", status.st_nlink},
                     {"inode", status.st_ino},
                     {"mtime", status.st_mtim.tv_sec},
                     {"mtime_ns", status.st_mtim.tv_nsec},
                     {"source", found.source == Source::upper      ? "upper"
                                : found.source == Source::record   ? "record"
                                : found.source == Source::snapshot ? "snapshot"
                                                                   : "live"}};
  if (found.is_link()) out["target"] = json_text(entry.target);
  if (found.is_regular() && found.is_sealed()) out["digest"] = digest_text(found.digest);
  return out;
}

void print_entry(View& view, const Lookup& found, const std::string& path) {
  if (view.json) {
    view.list.push_back(to_json(view.workspace, found));
    return;
  }
  const std::string name = shown(path);
  if (!view.long_format) {
    fmt::print("{}\n", name);
    return;
  }
  struct stat status;
  get_status(view.workspace.core(), found, status);
  const std::string target =
      found.is_link() ? " -> " + entry_of(view.workspace, found).target : std::string();
  fmt::print("{} {:3} {:5} {:5} {:10} {}.{:09} {}{}\n", mode_text(status.st_mode), status.st_nlink,
             status.st_uid, status.st_gid, status.st_size, time_text(status.st_mtim.tv_sec),
             status.st_mtim.tv_nsec, name, shown(target));
}

void list_directory(View& view, const Lookup& directory) {
  for (const std::string& name : names_in(view.workspace, directory)) {
    Lookup child;
    view.workspace.look_up(child_of(directory.path, name), child);
    if (!child.exists()) continue;
    print_entry(view, child, view.recursive ? child.path.text : name);
    if (view.recursive && child.is_directory()) list_directory(view, child);
  }
}

void list(const Context& context, const std::string& path, bool long_format, bool recursive) {
  View view{OpenWorkspace(context), long_format, recursive, context.json};
  Lookup found;
  view.workspace.look_up_existing(view.workspace.below_root(context, path), found);
  if (found.is_directory()) {
    list_directory(view, found);
  } else {
    print_entry(view, found, found.path.text);
  }
  if (context.json) print_json(view.list.dump());
}

void write_all(const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(STDOUT_FILENO, data, size);
    if (written < 0) throw system_error("standard output", errno);
    data += written;
    size -= static_cast<size_t>(written);
  }
}

void print_content(const Context& context, const std::string& path) {
  OpenWorkspace workspace(context);
  const PathBuffer below = workspace.below_root(context, path);
  const PathBuffer top;
  Lookup found;
  const int result = look_up(workspace.core(), top, below.length != 0 ? below.text : ".",
                             Follow::yes, found);
  if (result != 0 || !found.inside || !found.exists()) {
    throw system_error(path, result != 0 ? -result : ENOENT, "`vfs ls` shows what there is");
  }
  if (found.is_directory()) throw system_error(path, EISDIR, "`vfs ls` lists it");
  const Descriptor fd = workspace.open_content(found);
  std::string piece(1 << 16, '\0');
  for (ssize_t count; (count = ::read(fd.get(), piece.data(), piece.size())) != 0;) {
    if (count < 0) throw system_error(path, errno);
    write_all(piece.data(), static_cast<size_t>(count));
  }
}

void print_status(const Context& context, const std::string& path) {
  OpenWorkspace workspace(context);
  Lookup found;
  workspace.look_up_existing(workspace.below_root(context, path), found);
  const nlohmann::json fields = to_json(workspace, found);
  if (context.json) return print_json(fields.dump());
  for (const auto& [name, value] : fields.items()) {
    fmt::print("{:9} {}\n", name, value.is_string() ? shown(value.get<std::string>()) : value.dump());
  }
}

}  // namespace

void add_view_commands(Commands& commands, Context& context) {
  static std::string path = ".";
  static bool long_format = false;
  static bool recursive = false;
  commands.add("ls", "List the merged tree, one path a line.", [&](CLI::App& command) {
    command.add_flag("-l", long_format, "with mode, owner, size and time");
    command.add_flag("-R", recursive, "everything below, relative to the root");
    command.add_option("PATH", path, "file or directory (default: here)");
    add_json_flag(command, context);
    command.callback([&] { list(context, path, long_format, recursive); });
  });

  commands.add("cat", "Print a file of the merged tree.", [&](CLI::App& command) {
    command.add_option("PATH", path, "the file")->required();
    command.callback([&] { print_content(context, path); });
  });

  commands.add("stat", "What the merged tree says of a path.", [&](CLI::App& command) {
    command.add_option("PATH", path, "file or directory")->required();
    add_json_flag(command, context);
    command.callback([&] { print_status(context, path); });
  });
}

}  // namespace vfs
