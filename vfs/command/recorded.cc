#include "vfs/command/recorded.h"

#include <string.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "vfs/command/text.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

using Accesses = std::map<std::string, Rights>;

// What is gone by now was there: its directory is to be granted.
std::string place_to_grant(const std::string& path) {
  fs::path place = path;
  struct stat status;
  while (place.has_relative_path() && ::lstat(place.c_str(), &status) != 0) place = place.parent_path();
  return place.string();
}

Accesses read_accesses(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw system_error(file, errno);
  Accesses all;
  for (std::string line; std::getline(in, line, '\0');) {
    if (line.size() < 3 || line[1] != ' ' || line[2] != '/') continue;
    const auto needs = static_cast<Rights>(line[0] - '0');
    // To be looked at is part of every right.
    const Rights rights = needs == 0 ? kMayRead : needs;
    all[place_to_grant(line.substr(2))] |= rights;
  }
  return all;
}

Rights rights_above(const std::string& path, const Accesses& all, const std::vector<NamedGrant>& granted) {
  Rights rights = 0;
  for (fs::path above = path; above.has_relative_path();) {
    above = above.parent_path();
    if (const auto found = all.find(above.string()); found != all.end()) rights |= found->second;
  }
  for (const NamedGrant& grant : granted) {
    if (contains({grant.path.c_str(), static_cast<uint32_t>(grant.path.size())}, path.data(), path.size())) {
      rights |= grant.rights;
    }
  }
  return rights;
}

void drop_covered(Accesses& all, const std::vector<NamedGrant>& granted) {
  std::erase_if(all, [&](const auto& access) {
    return (access.second & ~rights_above(access.first, all, granted)) == 0;
  });
}

// The directory with the most of them takes their place.
void join_some(Accesses& all) {
  std::map<std::string, size_t> counts;
  for (const auto& [path, rights] : all) ++counts[fs::path(path).parent_path().string()];
  const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
    // Of equal ones the deepest, and never "/" where there is another.
    return std::pair(a.second, a.first.size()) < std::pair(b.second, b.first.size());
  });
  const std::string directory = most->first;
  Rights rights = 0;
  for (const auto& [path, needed] : all) {
    if (fs::path(path).parent_path() == directory) rights |= needed;
  }
  std::erase_if(all, [&](const auto& access) { return fs::path(access.first).parent_path() == directory; });
  all[directory] |= rights;
}

// Of the last component what may be in a name, with a number if it is taken.
std::string name_of(const std::string& path, std::vector<std::string>& taken) {
  std::string name = fs::path(path).filename().string();
  std::erase_if(name, [](unsigned char c) { return c >= 128 || (isalnum(c) == 0 && c != '_' && c != '-'); });
  name = name.empty() ? "root" : name.substr(0, Grants::kNameLength - 4);
  std::string fresh = name;
  for (int i = 2; std::find(taken.begin(), taken.end(), fresh) != taken.end(); ++i) fresh = fmt::format("{}-{}", name, i);
  taken.push_back(fresh);
  return fresh;
}

}  // namespace

void write_recorded(const std::string& accesses, const std::vector<NamedGrant>& granted, const std::string& to) {
  Accesses all = read_accesses(accesses);
  drop_covered(all, granted);
  while (granted.size() + all.size() > Grants::kCapacity) {
    join_some(all);
    drop_covered(all, granted);
  }
  std::vector<std::string> taken;
  for (const NamedGrant& grant : granted) taken.push_back(grant.name);
  std::ofstream out(to);
  for (const auto& [path, rights] : all) out << text_of({name_of(path, taken), path, rights}) << '\n';
  if (!out.flush()) throw system_error(to, errno != 0 ? errno : EIO);
}

}  // namespace vfs
