// From what was touched to grants.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "tests/unit/cas_fixture.h"
#include "vfs/command/recorded.h"

namespace vfs {
namespace {

namespace fs = std::filesystem;

// What write_recorded() makes of accesses "RIGHTS PATH", as lines.
std::vector<std::string> recorded(const fs::path& top, const std::vector<std::string>& accesses,
                                  const std::vector<NamedGrant>& granted) {
  std::ofstream out(top / "accesses", std::ios::binary);
  for (const std::string& access : accesses) out << access << '\0';
  out.close();
  write_recorded((top / "accesses").string(), granted, (top / "grants").string());
  std::ifstream in(top / "grants");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

fs::path make_file(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "x";
  return path;
}

}  // namespace

TEST_CASE("recorded: what is granted anyway, or by a directory above, is not told") {
  const test::Scratch top;
  const std::string file = make_file(top.path() / "in/d/file").string();
  const std::string other = make_file(top.path() / "out/other").string();
  const std::string directory = (top.path() / "out").string();
  const std::vector<NamedGrant> granted = {{"in", (top.path() / "in").string(), kMayRead}};
  CHECK(recorded(top.path(), {"4 " + file, "0 " + file}, granted).empty());
  CHECK(recorded(top.path(), {"2 " + file}, granted) == std::vector<std::string>{"file=" + file + ":w"});
  CHECK(recorded(top.path(), {"4 " + other, "4 " + directory}, granted) ==
        std::vector<std::string>{"out=" + directory + ":r"});
  CHECK(recorded(top.path(), {"4 " + other, "2 " + directory}, granted) ==
        std::vector<std::string>{"out=" + directory + ":w", "other=" + other + ":r"});
}

TEST_CASE("recorded: names are made of paths, and are different") {
  const test::Scratch top;
  const std::string a = make_file(top.path() / "a/b c\n").string();
  const std::string b = make_file(top.path() / "b/bc").string();
  const std::vector<std::string> lines = recorded(top.path(), {"4 " + a, "1 " + b}, {});
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "bc=" + a.substr(0, a.size() - 1) + "\\n:r");
  CHECK(lines[1] == "bc-2=" + b + ":x");
}

TEST_CASE("recorded: more than there may be become their directories', and all is granted") {
  const test::Scratch top;
  std::vector<std::string> accesses;
  std::vector<std::string> files;
  for (int i = 0; i < 300; ++i) {
    files.push_back(make_file(top.path() / fmt::format("d{}/e{}/f{}", i % 3, i % 7, i)).string());
    accesses.push_back("4 " + files.back());
  }
  const std::vector<std::string> lines = recorded(top.path(), accesses, {});
  CHECK(lines.size() <= Grants::kCapacity);
  const auto covered = [&](const std::string& file) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      const size_t equals = line.find('=');
      const std::string path = line.substr(equals + 1, line.size() - equals - 3);
      return file == path || file.starts_with(path + "/");
    });
  };
  CHECK(std::all_of(files.begin(), files.end(), covered));
  CHECK(std::none_of(lines.begin(), lines.end(), [](const std::string& line) { return line.ends_with("=/:r"); }));
}

TEST_CASE("recorded: what cannot be read is passed over") {
  const test::Scratch top;
  CHECK(recorded(top.path(), {"", "4", "x", "4 relative", "4 "}, {}).empty());
}

}  // namespace vfs
