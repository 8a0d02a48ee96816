// Bad input and failures: each function, each error.
#include <sys/resource.h>

#include <map>

#include "tests/runtime/fixture.h"

using namespace rt_test;

namespace {

using Call = std::function<int(const char*)>;

// Each function that takes a path, as what it fails with; what it gives is released.
std::map<string, Call> path_calls() {
  static size_t size;
  static int64_t time;
  const auto release = [](auto* memory) {
    rt_free(memory);
    return memory;
  };
  const auto unlock = [](int lock) { return lock >= 0 ? rt_file_unlock(lock) : lock; };
  const auto unmap = [](const auto* view) {
    rt_unmap(view);
    return view;
  };
  const auto write = [](const char* p, unsigned flags) {
    return error_of([&] { return rt_file_write_text(p, "x", 1, flags); });
  };
  return {
    {"exists", [](const char* p) { return error_of([p] { return rt_file_exists(p); }); }},
    {"size", [](const char* p) { return error_of([p] { return rt_file_size(p); }); }},
    {"modified_time", [](const char* p) { return error_of([p] { return rt_file_modified_time(p, &time); }); }},
    {"read_text", [=](const char* p) { return error_of([=] { return release(rt_file_read_text(p, &size)); }); }},
    {"mmap_text", [=](const char* p) { return error_of([=] { return unmap(rt_file_mmap_read_text(p, &size)); }); }},
    {"mmap_bytes", [=](const char* p) { return error_of([=] { return unmap(rt_file_mmap_read_bytes(p, &size)); }); }},
    {"write_text", [=](const char* p) { return write(p, 0); }},
    {"write_atomic", [=](const char* p) { return write(p, RT_ATOMIC); }},
    {"write_durable", [=](const char* p) { return write(p, RT_DURABLE); }},
    {"write_new", [=](const char* p) { return write(p, RT_NEW | RT_ATOMIC); }},
    {"append_text", [](const char* p) { return error_of([p] { return rt_file_append_text(p, "x", 1, 0); }); }},
    {"copy_from", [](const char* p) { return error_of([p] { return rt_file_copy(p, "copied", 0); }); }},
    {"copy_to", [](const char* p) { return error_of([p] { return rt_file_copy("/proc/version", p, 0); }); }},
    {"copy_atomic",
     [](const char* p) { return error_of([p] { return rt_file_copy("/proc/version", p, RT_ATOMIC); }); }},
    {"delete", [](const char* p) { return error_of([p] { return rt_file_delete(p); }); }},
    {"remove", [](const char* p) { return error_of([p] { return rt_file_remove(p); }); }},
    {"lock", [=](const char* p) { return error_of([=] { return unlock(rt_file_lock(p, 0)); }); }},
    {"lock_shared", [=](const char* p) { return error_of([=] { return unlock(rt_file_lock(p, RT_SHARED)); }); }},
    {"dir_create", [](const char* p) { return error_of([p] { return rt_dir_create(p, 0); }); }},
    {"dir_create_all", [](const char* p) { return error_of([p] { return rt_dir_create(p, RT_RECURSIVE); }); }},
    {"dir_list", [=](const char* p) { return error_of([=] { return release(rt_dir_list(p, &size)); }); }},
  };
}

// What each call meets: those before it may have made or removed something.
void prepare() {
  for (const auto& entry : fs::directory_iterator(".")) fs::remove_all(entry.path());
  put("file", "content");
  fs::create_symlink("loop", "loop");
  fs::create_directory("dir");
}

// All functions have to fail so, but for the exceptions.
void all_fail(const char* path, int error, const std::map<string, int>& exceptions = {}) {
  for (const auto& [name, call] : path_calls()) {
    prepare();
    INFO(name << " of " << (path != nullptr ? string(path).substr(0, 80) : "null"));
    const auto other = exceptions.find(name);
    CHECK(name_of(call(path)) == name_of(other != exceptions.end() ? other->second : error));
    CHECK(get("file") == "content");
    CHECK(left_behind() == 0);
  }
}

}  // namespace

TEST_CASE("paths that name nothing") {
  Place place;
  all_fail(nullptr, EINVAL);
  all_fail("", ENOENT, {{"exists", 0}});
  all_fail(string(256, 'n').c_str(), ENAMETOOLONG);
  string deep = "file";
  while (deep.size() < 4096) deep = "./" + deep;
  all_fail(deep.c_str(), ENAMETOOLONG);
  all_fail("file/below", ENOTDIR, {{"exists", 0}});
  all_fail("none/below", ENOENT, {{"exists", 0}, {"dir_create_all", 0}});
  // A link itself can be removed, and is there where a new name is wanted.
  all_fail("loop", ELOOP, {{"delete", 0}, {"remove", 0}, {"write_new", EEXIST}, {"dir_create", EEXIST},
                           {"dir_create_all", EEXIST}});
}

TEST_CASE("directories, where a file is wanted") {
  Place place;
  all_fail("dir", EISDIR, {{"exists", 0}, {"modified_time", 0}, {"write_new", EEXIST}, {"dir_create", EEXIST},
                           {"dir_create_all", 0}, {"dir_list", 0}, {"lock_shared", 0}});
  CHECK(fs::is_empty("dir"));
}

TEST_CASE("without permission") {
  Place place;
  fs::create_directory("closed");
  put("closed/file", "content");
  put("unreadable", "content");
  ::chmod("unreadable", 0);
  fs::create_directory("fixed");  // may be entered, not changed
  put("fixed/file", "content");
  ::chmod("fixed/file", 0444);
  ::chmod("fixed", 0555);
  ::chmod("closed", 0);
  const string said = as_ordinary_user([] {
    string out;
    for (const auto& [name, call] : path_calls()) {
      out += name + ":";
      for (const char* path : {"closed/file", "closed/none", "fixed/file", "fixed/new", "unreadable"}) {
        out += " " + name_of(call(path));
      }
      out += "\n";
    }
    return out;
  });
  // The names of a directory that cannot be searched are not known to exist; "unreadable" is in a directory that
  // is not this user's, so it stays.
  const bool owner = ::geteuid() != 0;
  const string no = " EACCES EACCES";
  const string gone = owner ? " success" : " EACCES";
  const string expected =
    "append_text:" + no + " EACCES EACCES EACCES\n"
    "copy_atomic:" + no + " EACCES EACCES EACCES\n"
    "copy_from:" + no + (owner ? " success" : " EACCES") + " ENOENT EACCES\n"
    "copy_to:" + no + " EACCES EACCES EACCES\n"
    "delete:" + no + " EACCES ENOENT" + gone + "\n"
    "dir_create:" + no + " EEXIST EACCES " + (owner ? "success" : "EEXIST") + "\n";
  CHECK(said.substr(0, said.find("dir_create_all:")) == expected);
  for (const char* line : {"exists: EACCES EACCES success success", "size: EACCES EACCES success ENOENT",
         "read_text: EACCES EACCES success ENOENT", "mmap_text: EACCES EACCES success ENOENT",
         "mmap_bytes: EACCES EACCES success ENOENT", "write_text: EACCES EACCES EACCES EACCES",
         "write_atomic: EACCES EACCES EACCES EACCES", "write_durable: EACCES EACCES EACCES EACCES",
         "write_new: EACCES EACCES EEXIST EACCES", "lock: EACCES EACCES EACCES EACCES",
         "lock_shared: EACCES EACCES success EACCES", "modified_time: EACCES EACCES success ENOENT",
         "remove: EACCES EACCES EACCES ENOENT", "dir_list: EACCES EACCES ENOTDIR ENOENT"}) {
    INFO(said);
    CHECK(said.find(string("\n") + line) != string::npos);
  }
  ::chmod("closed", 0755);
  CHECK(get("closed/file") == "content");
  CHECK(get("fixed/file") == "content");
}

TEST_CASE("without a free descriptor") {
  Place place;
  put("file", "content");
  const string said = in_child([] {
    string out;
    // Not through error_of: to count descriptors takes one.
    struct rlimit limit = {static_cast<rlim_t>(open_descriptors()) - 1, 1024};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 3; fd < 1024 && ::dup(0) >= 0; ++fd) {}
    const auto fails = [&](const char* name, bool failed) {
      if (!failed || errno != EMFILE) out += string(name) + " ";
    };
    fails("read_text", rt_file_read_text("file", nullptr) == nullptr);
    fails("mmap", rt_file_mmap_read_text("file", nullptr) == nullptr);
    fails("write", rt_file_write_text("file", "x", 1, 0) == -1);
    fails("atomic", rt_file_write_text("file", "x", 1, RT_ATOMIC) == -1);
    fails("append", rt_file_append_text("file", "x", 1, 0) == -1);
    fails("copy", rt_file_copy("file", "other", 0) == -1);
    fails("lock", rt_file_lock("file", 0) == -1);
    fails("list", rt_dir_list(".", nullptr) == nullptr);
    return out;
  });
  CHECK(said.empty());
}

TEST_CASE("options that a function does not have, and pointers that may not be null") {
  Place place;
  put("file", "content");
  const unsigned all = RT_RECURSIVE | RT_ATOMIC | RT_DURABLE | RT_NEW | RT_SHARED | RT_WAIT;
  for (unsigned bit = 0; bit < 32; ++bit) {
    const unsigned flag = 1u << bit;
    INFO(flag);
    if ((flag & (RT_ATOMIC | RT_DURABLE | RT_NEW)) == 0) {
      CHECK(error_of([&] { return rt_file_write_text("file", "x", 1, flag); }) == EINVAL);
      CHECK(error_of([&] { return rt_file_copy("file", "other", flag); }) == EINVAL);
    }
    if (flag != RT_DURABLE) CHECK(error_of([&] { return rt_file_append_text("file", "x", 1, flag); }) == EINVAL);
    if (flag != RT_RECURSIVE) CHECK(error_of([&] { return rt_dir_create("dir", flag); }) == EINVAL);
    if ((flag & (RT_SHARED | RT_WAIT)) == 0) CHECK(error_of([&] { return rt_file_lock("file", flag); }) == EINVAL);
  }
  CHECK(error_of([&] { return rt_file_write_text("file", "x", 1, all); }) == EINVAL);
  CHECK(error_of([] { return rt_file_write_text("file", nullptr, 1, 0); }) == EINVAL);
  CHECK(error_of([] { return rt_file_append_text("file", nullptr, 1, 0); }) == EINVAL);
  CHECK(error_of([] { return rt_file_copy("file", nullptr, 0); }) == EINVAL);
  CHECK(error_of([] { return rt_file_mmap_read_bytes("file", nullptr); }) == EINVAL);
  CHECK(error_of([] { return rt_env_get(nullptr); }) == EINVAL);
  CHECK(error_of([] { return rt_env_set(nullptr, "x"); }) == EINVAL);
  CHECK(error_of([] { return rt_process_run(nullptr); }) == EINVAL);
  CHECK(get("file") == "content");
  CHECK((!fs::exists("other") && !fs::exists("dir")));
  CHECK(rt_file_write_text("file", nullptr, 0, 0) == 0);
  CHECK(fs::file_size("file") == 0);
}

TEST_CASE("every number has a message, and each thread its own last error") {
  for (int error = 0; error < 4096; ++error) {
    const char* expected = strerrordesc_np(error);
    CHECK(string(rt_error_message(error)) == (expected != nullptr ? expected : "Unknown error"));
  }
  CHECK(string(rt_error_message(-1)) == "Unknown error");
  CHECK(string(rt_error_message(ENOENT)) == "No such file or directory");
  CHECK(rt_file_size("/none") == -1);
  CHECK(rt_last_error() == ENOENT);
  CHECK(rt_file_size("/") == -1);
  CHECK(rt_last_error() == EISDIR);
  std::thread([] {
    CHECK(rt_last_error() == 0);
    CHECK(rt_file_delete("") == -1);
    CHECK(rt_last_error() == ENOENT);
  }).join();
  CHECK(rt_file_exists("/") == 1);
  CHECK(rt_last_error() == EISDIR);
}
