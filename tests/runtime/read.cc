// What is known of files, reading them, views of them.
#include <sys/resource.h>

#include <system_error>

#include "tests/runtime/fixture.h"

using namespace rt_test;

namespace {

const size_t kSizes[] = {0, 1, 2, 4094, 4095, 4096, 4097, 8192, 65535, 65536, 69632, 1 << 20, (1 << 20) + 1};

string view_text(const string& path) {
  size_t size = 0;
  const char* view = rt_file_mmap_read_text(path.c_str(), &size);
  INFO(path << ": " << rt_error_message(errno));
  REQUIRE(view != nullptr);
  CHECK(view[size] == '\0');
  const string copy(view, size);
  rt_unmap(view);
  return copy;
}

string view_bytes(const string& path) {
  size_t size = 0;
  const unsigned char* view = rt_file_mmap_read_bytes(path.c_str(), &size);
  INFO(path << ": " << rt_error_message(errno));
  REQUIRE(view != nullptr);
  const string copy(reinterpret_cast<const char*>(view), size);
  rt_unmap(view);
  return copy;
}

rlim_t address_space() {
  std::ifstream in("/proc/self/statm");
  rlim_t pages = 0;
  in >> pages;
  return pages * 4096;
}

void make_kinds() {
  put("file", "content");
  put("empty", "");
  fs::create_directory("dir");
  fs::create_symlink("file", "link");
  fs::create_symlink("dir", "dir_link");
  fs::create_symlink("nowhere", "dangling");
  REQUIRE(::mkfifo("fifo", 0600) == 0);
}

}  // namespace

TEST_CASE("exists and size answer as std::filesystem does") {
  Place place;
  make_kinds();
  const char* const paths[] = {"file", "empty", "dir", "link", "dir_link", "dangling", "fifo", "none", "none/below",
    "file/below", "dir/", "file/", ".", "..", "/", "/dev/null", "", "/proc/self/status", "dir_link/../file"};
  for (const char* path : paths) {
    INFO(path);
    std::error_code error;
    CHECK(rt_file_exists(path) == (fs::exists(path, error) ? 1 : 0));
    const auto size = fs::file_size(path, error);
    if (error) CHECK(name_of(error_of([&] { return rt_file_size(path); })) == name_of(error.value()));
    else CHECK(rt_file_size(path) == static_cast<int64_t>(size));
  }
}

TEST_CASE("the modified time is in nanoseconds, before 1970 too, and an error where it does not fit") {
  Place place;
  put("file", "");
  for (const int64_t seconds : {int64_t{0}, int64_t{1}, int64_t{1'700'000'000}, int64_t{-1}, int64_t{-100'000},
                                int64_t{4'000'000'000}, int64_t{12'000'000'000}}) {
    const struct timespec times[2] = {{0, 0}, {seconds, 123'456'789}};
    REQUIRE(::utimensat(AT_FDCWD, "file", times, 0) == 0);
    const struct timespec kept = status_of("file").st_mtim;  // file systems have limits of their own
    INFO(seconds << " kept as " << kept.tv_sec);
    int64_t found = 0;
    const int error = error_of([&] { return rt_file_modified_time("file", &found); });
    if (kept.tv_sec > INT64_MAX / 1'000'000'000) CHECK(error == EOVERFLOW);
    else CHECK((error == 0 && found == kept.tv_sec * 1'000'000'000 + kept.tv_nsec));
  }
  fs::create_symlink("file", "link");
  int64_t found = 0;
  int64_t through = 0;
  const struct timespec times[2] = {{0, 0}, {77, 7}};
  REQUIRE(::utimensat(AT_FDCWD, "file", times, 0) == 0);
  CHECK((rt_file_modified_time("file", &found) == 0 && rt_file_modified_time("link", &through) == 0));
  CHECK((found == 77'000'000'007 && through == found));
  CHECK(error_of([] { return rt_file_modified_time("file", nullptr); }) == EINVAL);
}

TEST_CASE("reading and both views give what a stream gives, whatever the size") {
  Place place;
  for (const size_t size : kSizes) {
    INFO(size);
    put("file", pattern(size));
    const string expected = get("file");
    REQUIRE(expected.size() == size);
    CHECK((read_text("file") == expected));
    CHECK((view_text("file") == expected));
    CHECK((view_bytes("file") == expected));
  }
  // Without asking for the size.
  put("file", "text");
  CHECK(text_of(rt_file_read_text("file", nullptr)) == "text");
  const char* view = rt_file_mmap_read_text("file", nullptr);
  REQUIRE(view != nullptr);
  CHECK(string(view) == "text");
  rt_unmap(view);
  rt_unmap(nullptr);
  rt_free(nullptr);
}

TEST_CASE("what is read is a copy, and stays when the file changes or goes") {
  Place place;
  put("file", "before");
  char* text = rt_file_read_text("file", nullptr);
  put("file", "after!");
  fs::remove("file");
  CHECK(text_of(text) == "before");
  // A view stays too where the name goes.
  put("file", "viewed");
  size_t size = 0;
  const unsigned char* view = rt_file_mmap_read_bytes("file", &size);
  fs::remove("file");
  CHECK((size == 6 && memcmp(view, "viewed", 6) == 0));
  rt_unmap(view);
}

TEST_CASE("files of /proc and /sys, whose size is not what they hold") {
  for (const char* path : {"/proc/version", "/proc/self/cmdline", "/proc/filesystems", "/proc/self/mountinfo",
                           "/sys/devices/system/cpu/online", "/sys/kernel/mm/transparent_hugepage/enabled"}) {
    INFO(path);
    const string expected = get(path);
    REQUIRE(!expected.empty());
    CHECK(read_text(path) == expected);
    CHECK(view_text(path) == expected);
    CHECK(view_bytes(path) == expected);
  }
}

TEST_CASE("a pipe that gives little at a time, to a reader who is interrupted") {
  Place place;
  REQUIRE(::mkfifo("fifo", 0600) == 0);
  const string text = pattern(20'000);
  std::thread writer = quiet_thread([&] {
    pause_for(20'000);  // the reader waits in open(2) first
    const int fd = ::open("fifo", O_WRONLY | O_CLOEXEC);
    for (size_t at = 0; at < text.size(); at += 100) {
      if (::write(fd, text.data() + at, 100) != 100) break;
      pause_for(300);
    }
    ::close(fd);
  });
  {
    Interruptions interruptions;
    CHECK((read_text("fifo") == text));
    CHECK(Interruptions::count() > 10);
  }
  writer.join();
}

TEST_CASE("a file that grows while it is read is read up to an end that it had") {
  Place place;
  const string text = pattern(4 << 20);
  put("file", text.substr(0, 1000));
  std::thread writer([&] {
    for (size_t at = 1000; at < text.size(); at += 20'000) {
      const string piece = text.substr(at, 20'000);
      rt_file_append_text("file", piece.data(), piece.size(), 0);
    }
  });
  size_t least = 1000;
  for (int i = 0; i < 200; ++i) {
    const string seen = read_text("file");
    REQUIRE(seen.size() >= least);
    REQUIRE((text.compare(0, seen.size(), seen) == 0));
    least = seen.size();
  }
  writer.join();
  CHECK((read_text("file") == text));
}

TEST_CASE("a file of 1 TiB: its size, a view of it, and no memory for all of it") {
  Place place;
  constexpr off_t kSize = off_t{1} << 40;
  constexpr off_t kFar = off_t{5} << 30;
  const int fd = ::open("huge", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  REQUIRE(::ftruncate(fd, kSize) == 0);
  REQUIRE(::pwrite(fd, "far away", 8, kFar) == 8);
  ::close(fd);
  CHECK(rt_file_size("huge") == kSize);
  size_t size = 0;
  const unsigned char* view = rt_file_mmap_read_bytes("huge", &size);
  REQUIRE(view != nullptr);
  CHECK(size == static_cast<size_t>(kSize));
  CHECK(memcmp(view + kFar, "far away", 8) == 0);
  CHECK((view[0] == 0 && view[kSize - 1] == 0));
  rt_unmap(view);
  const string said = in_child([] {
    const struct rlimit limit = {address_space() + (1 << 30), RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &limit);
    size_t ignored;
    return name_of(error_of([] { return rt_file_read_text("huge", nullptr); })) + " " +
           name_of(error_of([&] { return rt_file_mmap_read_bytes("huge", &ignored); }));
  });
  CHECK(said == "ENOMEM ENOMEM");
}

TEST_CASE("views give their address space back") {
  Place place;
  put("file", pattern(1 << 20));
  REQUIRE(::mkfifo("fifo", 0600) == 0);
  size_t size = 0;
  rt_unmap(rt_file_mmap_read_bytes("file", &size));
  const rlim_t before = address_space();
  for (int i = 0; i < 100; ++i) {
    rt_unmap(rt_file_mmap_read_bytes("file", &size));
    rt_unmap(rt_file_mmap_read_text("/proc/version", &size));
    CHECK(rt_file_mmap_read_text("none", &size) == nullptr);
  }
  CHECK(address_space() < before + (50 << 20));
  std::ifstream maps("/proc/self/maps");
  for (string line; std::getline(maps, line);) CHECK(line.find(place.path.string()) == string::npos);
}
