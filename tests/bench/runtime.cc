// How long libvfsrt takes for what the C++ standard library and stdio do as well.
//
//   runtime DIRECTORY ROUNDS BYTES   a line "name way nanoseconds..." for each way of doing each thing: a figure a
//                                    round, for one call, after a round to warm up. DIRECTORY is empty; BYTES is how
//                                    large a large file is.
//
// In each round the ways take turns, and each round begins with another. All give what the others give: a reader has
// the whole content in memory of its own, a list has every name. Where stdio has no call of its own (lists) it is
// POSIX's. What a call returns is looked at behind the timed loop.
#include <dirent.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "vfs/runtime/vfsrt.h"

namespace {

namespace fs = std::filesystem;
using std::string;

constexpr size_t kSmall = 4096;
constexpr size_t kLine = 100;
constexpr long kPage = 4096;

// One call; false if it did not do what it should.
using Call = std::function<bool()>;

struct Work {
  const char* name;
  int calls;  // in a round
  Call standard, stdio, runtime;
  Call before = [] { return true; };  // not timed
};

[[noreturn]] void give_up(const string& what) {
  std::fprintf(stderr, "runtime: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

double time_of(const Work& work, const char* way, const Call& call) {
  if (!work.before()) give_up(work.name);
  int bad = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < work.calls; ++i) bad += !call();
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  if (bad != 0) give_up(string(work.name) + " by " + way);
  return taken.count() / work.calls;
}

void measure(const Work& work, int rounds) {
  const struct {
    const char* name;
    const Call& call;
  } ways[] = {{"std", work.standard}, {"stdio", work.stdio}, {"libvfsrt", work.runtime}};
  std::vector<double> times[3];
  for (int round = 0; round <= rounds; ++round) {
    for (int turn = 0; turn < 3; ++turn) {
      const int way = (round + turn) % 3;
      const double taken = time_of(work, ways[way].name, ways[way].call);
      if (round > 0) times[way].push_back(taken);
    }
  }
  for (int way = 0; way < 3; ++way) {
    std::printf("%s %s", work.name, ways[way].name);
    for (const double time : times[way]) std::printf(" %.1f", time);
    std::printf("\n");
  }
}

string standard_read(const char* path) {
  string text(fs::file_size(path), '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  return in ? text : string();
}

std::vector<char> stdio_read(const char* path) {
  std::vector<char> text;
  FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return text;
  std::fseek(file, 0, SEEK_END);
  text.resize(static_cast<size_t>(std::ftell(file)));
  std::rewind(file);
  if (std::fread(text.data(), 1, text.size(), file) != text.size()) text.clear();
  std::fclose(file);
  return text;
}

bool standard_write(const char* path, const string& text, std::ios::openmode mode) {
  std::ofstream out(path, std::ios::binary | mode);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  return static_cast<bool>(out);
}

bool stdio_write(const char* path, const string& text, const char* mode) {
  FILE* file = std::fopen(path, mode);
  return file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fclose(file) == 0;
}

bool stdio_copy(const char* from, const char* to) {
  FILE* in = std::fopen(from, "rb");
  FILE* out = std::fopen(to, "wb");
  static char buffer[64 * 1024];
  size_t count;
  while ((count = std::fread(buffer, 1, sizeof(buffer), in)) > 0) std::fwrite(buffer, 1, count, out);
  return std::ferror(in) == 0 && std::fclose(in) == 0 && std::fclose(out) == 0;
}

size_t posix_list(const char* path) {
  std::vector<char*> names;
  DIR* directory = ::opendir(path);
  while (const struct dirent* entry = ::readdir(directory)) {
    const bool own = std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0;
    if (!own) names.push_back(::strdup(entry->d_name));
  }
  ::closedir(directory);
  for (char* name : names) std::free(name);
  return names.size();
}

size_t standard_list(const char* path) {
  std::vector<string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename().string());
  return names.size();
}

size_t runtime_list(const char* path) {
  size_t count = 0;
  char** names = rt_dir_list(path, &count);
  rt_free(names);
  return count;
}

size_t runtime_read(const char* path) {
  size_t size = 0;
  char* text = rt_file_read_text(path, &size);
  rt_free(text);
  return size;
}

// So that every page of a content is there, however it came.
template <typename Bytes>
unsigned touch(const Bytes* bytes, size_t size) {
  unsigned sum = 1;
  for (size_t at = 0; at < size; at += kPage) sum += static_cast<unsigned char>(bytes[at]) & 1u;
  return sum;
}

bool runtime_view(const char* path) {
  size_t size = 0;
  const char* text = rt_file_mmap_read_text(path, &size);
  const bool there = text != nullptr && touch(text, size) != 0;
  rt_unmap(text);
  return there;
}

long stdio_size(const char* path) {
  FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return -1;
  std::fseek(file, 0, SEEK_END);
  const long size = std::ftell(file);
  std::fclose(file);
  return size;
}

bool stdio_exists(const char* path) {
  FILE* file = std::fopen(path, "rb");
  if (file != nullptr) std::fclose(file);
  return file != nullptr;
}

// What depends on how large the file is.
std::vector<Work> of_size(bool large, const char* file, const char* to, const string& text) {
  const auto flags = std::ios::trunc;
  const int calls = large ? 1 : 200;
  const int changes = large ? 1 : 20;  // where the disk is told what is freed, one may take milliseconds
  const size_t size = text.size();
  const auto make = [=, &text] { return rt_file_write_text(file, text.data(), size, 0) == 0; };
  const auto write = [=, &text](unsigned how) { return rt_file_write_text(to, text.data(), size, how) == 0; };
  const string temporary = string(to) + ".new";
  return {
    {large ? "read-large" : "read", calls, [=] { return standard_read(file).size() == size; },
     [=] { return stdio_read(file).size() == size; }, [=] { return runtime_read(file) == size; }, make},
    {large ? "view-large" : "view", calls,
     [=] { const string all = standard_read(file); return all.size() == size && touch(all.data(), size) != 0; },
     [=] { const auto all = stdio_read(file); return all.size() == size && touch(all.data(), size) != 0; },
     [=] { return runtime_view(file); }, make},
    {large ? "write-large" : "write", changes, [=, &text] { return standard_write(to, text, flags); },
     [=, &text] { return stdio_write(to, text, "wb"); }, [=] { return write(0); }},
    {large ? "replace-large" : "replace", changes,
     [=, &text] { return standard_write(temporary.c_str(), text, flags) && (fs::rename(temporary, to), true); },
     [=, &text] { return stdio_write(temporary.c_str(), text, "wb") && std::rename(temporary.c_str(), to) == 0; },
     [=] { return write(RT_ATOMIC); }},
    {large ? "copy-large" : "copy", changes,
     [=] { return fs::copy_file(file, to, fs::copy_options::overwrite_existing); },
     [=] { return stdio_copy(file, to); }, [=] { return rt_file_copy(file, to, 0) == 0; }, make},
    {large ? "size-large" : "size", 1000, [=] { return fs::file_size(file) == size; },
     [=] { return stdio_size(file) == static_cast<long>(size); },
     [=] { return rt_file_size(file) == static_cast<int64_t>(size); }, make},
    {large ? "exists-large" : "exists", 1000, [=] { return fs::exists(file); }, [=] { return stdio_exists(file); },
     [=] { return rt_file_exists(file) == 1; }, make},
  };
}

std::vector<Work> of_lines(const string& line) {
  return {{"append", 200, [&] { return standard_write("log", line, std::ios::app); },
           [&] { return stdio_write("log", line, "ab"); },
           [&] { return rt_file_append_text("log", line.data(), line.size(), 0) == 0; },
           [] { return rt_file_write_text("log", nullptr, 0, 0) == 0; }}};
}

std::vector<Work> of_lists(const char* few, const char* many) {
  for (int i = 0; i < 10'000; ++i) {
    if (i < 100) std::ofstream(string(few) + "/file" + std::to_string(i));
    std::ofstream(string(many) + "/file" + std::to_string(i));
  }
  return {{"list", 100, [=] { return standard_list(few) == 100; }, [=] { return posix_list(few) == 100; },
           [=] { return runtime_list(few) == 100; }},
          {"list-large", 2, [=] { return standard_list(many) == 10'000; }, [=] { return posix_list(many) == 10'000; },
           [=] { return runtime_list(many) == 10'000; }}};
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc == 4 ? std::atoi(argv[2]) : 0;
  const size_t large = argc == 4 ? std::strtoul(argv[3], nullptr, 10) : 0;
  if (rounds < 1 || large < kSmall) {
    std::fprintf(stderr, "usage: runtime DIRECTORY ROUNDS BYTES\n");
    return 2;
  }
  fs::current_path(argv[1]);
  fs::create_directory("few");
  fs::create_directory("many");
  const string small_text(kSmall, 's');
  const string large_text(large, 'l');
  const string line = string(kLine - 1, 'a') + "\n";
  for (const auto& works : {of_size(false, "small", "small.to", small_text), of_lines(line), of_lists("few", "many"),
                            of_size(true, "large", "large.to", large_text)}) {
    for (const Work& work : works) measure(work, rounds);
  }
}
