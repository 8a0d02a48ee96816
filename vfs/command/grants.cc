#include "vfs/command/grants.h"

#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "vfs/command/shim_file.h"
#include "vfs/command/text.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

struct Default {
  const char* name;
  const char* path;
  Rights rights;
};
constexpr Rights kRunnable = kMayRead | kMayExecute;
constexpr Rights kDevice = kMayRead | kMayWrite;
// What programs need to run at all. Not /dev itself, whose disks root could read, nor
// /proc to be written, whose settings are the machine's.
constexpr Default kDefaults[] = {
    {"usr", "/usr", kRunnable},      {"bin", "/bin", kRunnable},         {"sbin", "/sbin", kRunnable},
    {"lib", "/lib", kRunnable},      {"lib32", "/lib32", kRunnable},     {"lib64", "/lib64", kRunnable},
    {"libx32", "/libx32", kRunnable}, {"etc", "/etc", kRunnable},        {"proc", "/proc", kMayRead},
    {"sys", "/sys", kMayRead},       {"null", "/dev/null", kDevice},     {"zero", "/dev/zero", kDevice},
    {"full", "/dev/full", kDevice},  {"random", "/dev/random", kDevice}, {"urandom", "/dev/urandom", kDevice},
    {"tty", "/dev/tty", kDevice},    {"ptmx", "/dev/ptmx", kDevice},     {"pts", "/dev/pts", kDevice},
};

[[noreturn]] void bad(const std::string& text, const std::string& why) {
  throw Error("--grant " + text, why, "write NAME=PATH:RIGHTS, as in cache=/home/me/.cache:rw");
}

// -1: not rights.
int rights_of_text(const std::string& text) {
  int rights = 0;
  for (const char c : text) {
    const int right = c == 'r' ? kMayRead : c == 'w' ? kMayWrite : c == 'x' ? kMayExecute : 0;
    if (right == 0 || (rights & right) != 0) return -1;
    rights |= right;
  }
  return text.empty() ? -1 : rights;
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= Grants::kNameLength &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return c < 128 && (isalnum(c) != 0 || c == '_' || c == '-');
         });
}

// Without links: the kernel and the shim look at what a path leads to.
std::string place_of(const Context& context, OpenWorkspace& workspace, const std::string& path) {
  const std::string absolute = workspace.without_links_into(context.absolute(path));
  PathBuffer rest;
  if (enter_workspace(workspace.core(), absolute.c_str(), rest)) {
    return fs::path(absolute).lexically_normal().string();
  }
  std::error_code error;
  const std::string real = fs::canonical(absolute, error).string();
  if (error) throw Error(absolute, error.message(), "grant what is there");
  return real;
}

std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    out += !escape ? text[i] : text[++i] == 'n' ? '\n' : text[i];
  }
  return out;
}

}  // namespace

std::string rights_text(Rights rights) {
  std::string text;
  if ((rights & kMayRead) != 0) text += 'r';
  if ((rights & kMayWrite) != 0) text += 'w';
  if ((rights & kMayExecute) != 0) text += 'x';
  return text;
}

std::string text_of(const NamedGrant& grant) {
  std::string text = grant.name + "=";
  for (const char c : grant.path) {
    if (c == '\\' || c == '\n') text += '\\';
    text += c == '\n' ? 'n' : c;
  }
  return text + ":" + rights_text(grant.rights);
}

NamedGrant parse_grant(const Context& context, OpenWorkspace& workspace, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals + 1 == text.size()) bad(text, "it names no path");
  NamedGrant grant{text.substr(0, equals), text.substr(equals + 1), kMayRead};
  if (!is_name(grant.name)) bad(text, "a name has 1 to 63 letters, digits, '_' and '-'");
  const size_t colon = grant.path.rfind(':');
  if (colon != std::string::npos && grant.path.find('/', colon) == std::string::npos) {
    const int rights = rights_of_text(grant.path.substr(colon + 1));
    if (rights < 0) bad(text, "rights are letters of rwx, each once");
    grant.rights = static_cast<Rights>(rights);
    grant.path.erase(colon);
  }
  if (grant.path.empty()) bad(text, "it names no path");
  grant.path = place_of(context, workspace, grant.path);
  if (grant.path.size() > 1 && grant.path.back() == '/') grant.path.pop_back();
  return grant;
}

std::vector<NamedGrant> read_grants(const Context& context, OpenWorkspace& workspace, const std::string& file) {
  std::ifstream in(context.absolute(file));
  if (!in) throw system_error(file, errno != 0 ? errno : ENOENT);
  std::vector<NamedGrant> grants;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    grants.push_back(parse_grant(context, workspace, unescaped(line)));
  }
  return grants;
}

std::vector<NamedGrant> default_grants(const std::string& root, const std::string& temporary) {
  std::vector<NamedGrant> grants = {{kWorkspaceGrant, root, kAllRights}};
  if (!temporary.empty()) grants.push_back({"temporary", temporary, kAllRights});
  for (const Default& known : kDefaults) {
    if (fs::exists(known.path)) grants.push_back({known.name, known.path, known.rights});
  }
  grants.push_back({"vfs", fs::read_symlink("/proc/self/exe").string(), kMayExecute});
  grants.push_back({"libvfs", find_shim(), kMayRead});
  return grants;
}

void merge_grants(std::vector<NamedGrant>& grants, const std::vector<NamedGrant>& more) {
  for (const NamedGrant& grant : more) {
    const auto same = std::find_if(grants.begin(), grants.end(), [&](const NamedGrant& other) {
      return other.name == grant.name;
    });
    if (same != grants.end()) {
      *same = grant;
    } else {
      grants.push_back(grant);
    }
  }
}

std::string encode_grants(const std::vector<NamedGrant>& grants) {
  const auto all = std::make_unique<Grants>();
  for (const NamedGrant& grant : grants) {
    const int result = all->add(grant.name.data(), grant.name.size(), grant.path.data(), grant.path.size(), grant.rights);
    if (result == -E2BIG) {
      throw Error("--grant " + grant.name, fmt::format("there may be {} grants with 32 KiB of text", Grants::kCapacity),
                  "grant a directory above several of them");
    }
    if (result != 0) throw system_error("--grant " + text_of(grant), -result);
  }
  std::string text(all->format(nullptr, 0), '\0');
  all->format(text.data(), text.size());
  return text;
}

std::optional<std::vector<NamedGrant>> held_grants() {
  const char* const only = getenv("VFS_ONLY");
  if (only == nullptr || strcmp(only, "1") != 0) return std::nullopt;
  const auto all = std::make_unique<Grants>();
  const char* const text = getenv(kGrantsVariable);
  if (text != nullptr) all->parse(text, strlen(text));
  std::vector<NamedGrant> grants;
  for (const Grant& grant : *all) {
    grants.push_back({std::string(grant.name.text, grant.name.length), std::string(grant.path.text, grant.path.length),
                      grant.rights});
  }
  return grants;
}

void check_held(const std::vector<NamedGrant>& held, const std::vector<NamedGrant>& grants) {
  const auto all = std::make_unique<Grants>();
  for (const NamedGrant& grant : held) {
    all->add(grant.name.data(), grant.name.size(), grant.path.data(), grant.path.size(), grant.rights);
  }
  for (const NamedGrant& grant : grants) {
    const Rights rights = all->rights_of(grant.path.data(), grant.path.size());
    if ((grant.rights & ~rights) == 0) continue;
    throw Error("--grant " + text_of(grant), "this command itself may not do that there (it runs behind a fence)",
                "`vfs grants` shows what it may");
  }
}

}  // namespace vfs
