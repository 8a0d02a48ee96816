// One operation of the tester's language: its words, taken from left to right.
#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace differential {

// What a process has besides what the kernel keeps for it: the descriptors by name. A closed slot
// keeps its number, so that closed descriptors can be used.
struct Worker {
  std::string program;  // this executable, for the operation `exec`
  std::string root;     // the tree's root, which `@` stands for
  bool hold = false;    // keep every inode that was looked at, so that no number is given again
  int from_parent = -1;
  int to_parent = -1;
  std::array<int, 8> slots{};  // `a` to `h`; -1: never used
  std::array<bool, 8> open{};
};

struct Flag {
  std::string_view name;
  long value;
};

// A path and the directory it starts from. `-` asks for the function without a descriptor.
struct At {
  bool plain = false;
  int fd = -1;
  std::string path;
};

class Call {
 public:
  Call(Worker& worker, const std::vector<std::string>& words) : worker(worker), words_(words) {}

  Worker& worker;

  const std::string& word();
  long number(int base = 10);
  int descriptor();
  size_t slot();
  std::string path();  // `@` and `<COUNT>` and `{SLOT}` expanded
  std::string data();  // X*COUNT,Y*COUNT
  At at();
  long flags(const std::vector<Flag>& known);

  // Puts a new descriptor into a slot; what the slot held before is closed first.
  void empty_slot(size_t index);
  void fill_slot(size_t index, int fd);

 private:
  const std::vector<std::string>& words_;
  size_t next_ = 0;
};

using Operation = std::function<std::string(Call&)>;
using Operations = std::map<std::string, Operation, std::less<>>;

void add_descriptor_operations(Operations& all);
void add_open_operations(Operations& all);
void add_name_operations(Operations& all);
void add_attribute_operations(Operations& all);
void add_look_operations(Operations& all);
void add_process_operations(Operations& all);

}  // namespace differential
