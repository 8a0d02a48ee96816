// Copying: what it makes, by each of its means.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <vector>

#include "tests/runtime/fixture.h"

using namespace rt_test;

namespace {

int copy(const string& from, const string& to, unsigned flags = 0) {
  return rt_file_copy(from.c_str(), to.c_str(), flags);
}

// From now on the kernel of this process does not know these calls.
bool forbid(const std::vector<int>& numbers) {
  std::vector<struct sock_filter> code = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
  for (const int number : numbers) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const struct sock_fprog program = {static_cast<unsigned short>(code.size()), code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Three islands of data in `size` bytes.
void make_sparse(const char* path, off_t size) {
  const int fd = ::open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0644);
  REQUIRE(::ftruncate(fd, size) == 0);
  for (const off_t at : {off_t{0}, size / 2, size - 5}) REQUIRE(::pwrite(fd, "data!", 5, at) == 5);
  ::close(fd);
}

bool is_sparse_copy(const char* from, const char* to) {
  const struct stat one = status_of(from);
  const struct stat two = status_of(to);
  if (one.st_size != two.st_size || two.st_blocks > one.st_blocks + 64) return false;
  const int fd = ::open(to, O_RDONLY | O_CLOEXEC);
  char bytes[6] = {};
  bool same = true;
  for (const off_t at : {off_t{0}, one.st_size / 2, one.st_size - 5}) {
    same = same && ::pread(fd, bytes, 5, at) == 5 && string(bytes) == "data!";
  }
  same = same && ::pread(fd, bytes, 5, one.st_size / 4) == 5 && memcmp(bytes, "\0\0\0\0\0", 5) == 0;
  ::close(fd);
  return same;
}

}  // namespace

TEST_CASE("a copy has what std::filesystem's has") {
  Place place;
  for (const unsigned flags : {0u, RT_ATOMIC, RT_DURABLE, RT_ATOMIC | RT_DURABLE}) {
    for (const size_t size : {0, 1, 4096, 100'000, 3 << 20, 5}) {
      INFO(flags << " " << size);
      put("from", pattern(size));
      ::chmod("from", 0751);
      CHECK(copy("from", "to", flags) == 0);
      fs::copy_file("from", "theirs", fs::copy_options::overwrite_existing);
      CHECK((get("to") == get("theirs")));
      CHECK((get("to") == pattern(size)));
      CHECK(status_of("to").st_mode == (S_IFREG | 0751));
    }
    // What is there keeps its mode, and a link stays one.
    ::chmod("to", 0600);
    fs::create_symlink("to", "link");
    CHECK(copy("from", "link", flags) == 0);
    CHECK(fs::is_symlink("link"));
    CHECK(status_of("to").st_mode == (S_IFREG | 0600));
    for (const char* name : {"to", "link", "from", "theirs"}) fs::remove(name);
    CHECK(left_behind() == 0);
  }
  put("from", "x");
  ::chmod("from", 06777);
  ::umask(027);
  CHECK(copy("from", "to") == 0);
  CHECK(status_of("to").st_mode == (S_IFREG | 0750));
}

TEST_CASE("each means of copying gives the same, and holes stay holes") {
  Place place;
  put("dense", pattern(3 << 20));
  make_sparse("sparse", 64 << 20);
  const std::vector<std::vector<int>> kMissing = {
    {}, {SYS_ioctl}, {SYS_ioctl, SYS_copy_file_range}, {SYS_ioctl, SYS_copy_file_range, SYS_sendfile}};
  for (const auto& missing : kMissing) {
    INFO(missing.size() << " calls are missing");
    CHECK(in_child([&]() -> string {
      if (!forbid(missing)) return "no filter: " + name_of(errno);
      if (copy("dense", "to") != 0 || copy("sparse", "thin") != 0) return name_of(errno);
      if (get("to") != pattern(3 << 20)) return "other content";
      return is_sparse_copy("sparse", "thin") ? "same" : "other holes";
    }) == "same");
    fs::remove("to");
    fs::remove("thin");
  }
}

TEST_CASE("files of 5 GiB and of 1 TiB that are holes mostly") {
  Place place;
  for (const off_t size : {off_t{5} << 30, off_t{1} << 40}) {
    make_sparse("huge", size);
    CHECK(copy("huge", "to") == 0);
    CHECK(is_sparse_copy("huge", "to"));
    CHECK(copy("huge", "to", RT_ATOMIC) == 0);
    CHECK(is_sparse_copy("huge", "to"));
  }
  // Nothing but a hole; a hole at the end.
  put("hole", "");
  fs::resize_file("hole", 1 << 30);
  CHECK(copy("hole", "to") == 0);
  CHECK((fs::file_size("to") == 1 << 30 && status_of("to").st_blocks < 100));
}

TEST_CASE("what has no size, or another file system, is copied as well") {
  Place place;
  for (const char* path : {"/proc/version", "/proc/self/cmdline", "/sys/devices/system/cpu/online"}) {
    INFO(path);
    for (const unsigned flags : {0u, RT_ATOMIC}) {
      CHECK(copy(path, "to", flags) == 0);
      CHECK(get("to") == get(path));
      fs::remove("to");
    }
  }
  put("file", pattern(300'000));
  string away = "/dev/shm/vfs-runtime-XXXXXX";
  const int fd = ::mkstemp(away.data());
  REQUIRE(fd >= 0);
  ::close(fd);
  CHECK(copy("file", away) == 0);
  CHECK(copy(away, "back") == 0);
  CHECK((get("back") == pattern(300'000)));
  fs::remove(away);
  CHECK(copy("file", "/dev/null") == 0);
  REQUIRE(::mkfifo("fifo", 0600) == 0);
  for (const bool into : {true, false}) {
    int there = -1;
    std::thread other([&] { there = into ? copy("fifo", "to") : copy("file", "fifo"); });
    const int here = into ? copy("file", "fifo") : copy("fifo", "to");
    other.join();
    CHECK((here == 0 && there == 0));
    CHECK((get("to") == pattern(300'000)));
    fs::remove("to");
  }
  // A sparse source, where holes cannot be made.
  make_sparse("sparse", 1 << 20);
  std::thread reader([] { copy("fifo", "to"); });
  CHECK(copy("sparse", "fifo") == 0);
  reader.join();
  CHECK((get("to") == get("sparse")));
}

TEST_CASE("a file is not copied over itself, by any name") {
  Place place;
  put("file", "content");
  fs::create_symlink("file", "link");
  fs::create_hard_link("file", "other");
  for (const unsigned flags : {0u, RT_ATOMIC, RT_DURABLE}) {
    for (const char* to : {"file", "link", "other", "./file"}) {
      INFO(to << " " << flags);
      CHECK(error_of([&] { return copy("file", to, flags); }) == EINVAL);
      CHECK(error_of([&] { return copy(to, "file", flags); }) == EINVAL);
    }
  }
  CHECK(get("file") == "content");
  CHECK(left_behind() == 0);
}

TEST_CASE("a copy that fails") {
  Place place;
  put("file", string(20'000, 'x'));
  fs::create_directory("dir");
  CHECK(error_of([] { return copy("none", "to"); }) == ENOENT);
  CHECK(error_of([] { return copy("dir", "to"); }) == EISDIR);
  CHECK(!fs::exists("to"));
  put("to", "old");
  CHECK(error_of([] { return copy("file", "to", RT_NEW); }) == EEXIST);
  CHECK(error_of([] { return copy("file", "to", RT_NEW | RT_ATOMIC); }) == EEXIST);
  for (const unsigned flags : {RT_ATOMIC, 0u}) {
    CHECK(in_child([flags] {
      const struct rlimit limit = {10'000, 10'000};  // SIGXFSZ is not ignored: nothing is even tried
      ::setrlimit(RLIMIT_FSIZE, &limit);
      return name_of(error_of([&] { return copy("file", "to", flags); }));
    }) == "EFBIG");
    CHECK(get("to") == (flags == RT_ATOMIC ? "old" : ""));
  }
  CHECK(copy("file", "fresh", RT_NEW) == 0);
  CHECK(copy("file", "fresher", RT_NEW | RT_ATOMIC) == 0);
  CHECK((get("fresher") == get("file")));
  CHECK(left_behind() == 0);
}
