// How long single calls take, as an unmodified program makes them.
//
//   calls prepare DIRECTORY      makes what the calls need there: 100 files of
//                                4096 bytes in "dir", a link "link" to one
//   calls run DIRECTORY ROUNDS   a line "name nanoseconds" for each call: the
//                                median of so many rounds, after one to warm up
//
// DIRECTORY may be "." or an absolute path. What a call returns is added up in
// the timed loop and looked at after it, so that nothing but the call is timed.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr int kFiles = 100;
constexpr long kBlock = 4096;
char block[kBlock];

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Tree {
  std::string directory, missing, link, changed, made;
  std::vector<std::string> files;

  explicit Tree(const std::string& at) {
    const std::string prefix = at == "." ? "" : at + "/";
    directory = prefix + "dir";
    missing = prefix + "dir/none";
    link = prefix + "link";
    // Not in the directory that is listed: that has to stay unchanged.
    changed = prefix + "changed";
    made = changed + "/new";
    for (int i = 0; i < kFiles; ++i) files.push_back(directory + "/file" + std::to_string(i));
  }
  const char* file(int i) const { return files[static_cast<size_t>(i % kFiles)].c_str(); }
};

void prepare(const Tree& tree) {
  if (::mkdir(tree.directory.c_str(), 0755) != 0 || ::mkdir(tree.changed.c_str(), 0755) != 0) {
    give_up("mkdir");
  }
  for (int i = 0; i < kFiles; ++i) {
    const int fd = ::open(tree.file(i), O_CREAT | O_EXCL | O_WRONLY, 0644);
    block[0] = static_cast<char>(i);  // no two files alike: they would share an object
    if (fd < 0 || ::write(fd, block, kBlock) != kBlock || ::close(fd) != 0) give_up("write");
  }
  if (::symlink("dir/file1", tree.link.c_str()) != 0) give_up("symlink");
}

// The median time of one call in nanoseconds. `call` returns 0 if it did what
// it should.
template <typename Call>
void measure(const char* name, int rounds, int calls, const Call& call) {
  std::vector<double> times;
  for (int round = 0; round <= rounds; ++round) {
    long bad = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) bad += call(i);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    if (bad != 0) give_up(name);
    if (round > 0) times.push_back(taken.count() / calls);
  }
  std::sort(times.begin(), times.end());
  std::printf("%s %.1f\n", name, times[times.size() / 2]);
}

long open_close(const char* path) {
  const int fd = ::open(path, O_RDONLY);
  return (fd < 0) + (::close(fd) != 0);
}

long open_read_close(const char* path) {
  struct stat status;
  const int fd = ::open(path, O_RDONLY);
  return (::fstat(fd, &status) != 0 || status.st_size != kBlock) + (::read(fd, block, kBlock) != kBlock) +
         (::close(fd) != 0);
}

long list(const char* path) {
  DIR* directory = ::opendir(path);
  if (directory == nullptr) return 1;
  int count = 0;
  while (::readdir(directory) != nullptr) ++count;
  return (count != kFiles + 2) + (::closedir(directory) != 0);
}

long make_and_remove(const char* path) {
  const int fd = ::open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
  return (fd < 0) + (::write(fd, block, kBlock) != kBlock) + (::close(fd) != 0) + (::unlink(path) != 0);
}

void run(const Tree& tree, int rounds) {
  struct stat status;
  char target[256];
  const char* missing = tree.missing.c_str();
  const char* link = tree.link.c_str();
  const char* directory = tree.directory.c_str();
  const char* made = tree.made.c_str();
  measure("stat", rounds, 2000, [&](int i) -> long { return ::stat(tree.file(i), &status) != 0; });
  measure("stat-missing", rounds, 2000, [&](int) -> long { return ::stat(missing, &status) == 0; });
  measure("access", rounds, 2000, [&](int i) -> long { return ::access(tree.file(i), R_OK) != 0; });
  measure("readlink", rounds, 2000,
          [&](int) -> long { return ::readlink(link, target, sizeof(target)) != 9; });
  measure("open-close", rounds, 1000, [&](int i) { return open_close(tree.file(i)); });
  measure("open-read-close", rounds, 1000, [&](int i) { return open_read_close(tree.file(i)); });
  measure("list", rounds, 100, [&](int) { return list(directory); });
  measure("create-unlink", rounds, 100, [&](int) { return make_and_remove(made); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "prepare") == 0) {
    prepare(Tree(argv[2]));
  } else if (argc == 4 && std::strcmp(argv[1], "run") == 0 && std::atoi(argv[3]) > 0) {
    run(Tree(argv[2]), std::atoi(argv[3]));
  } else {
    std::fprintf(stderr, "usage: calls prepare DIRECTORY | calls run DIRECTORY ROUNDS\n");
    return 2;
  }
}
