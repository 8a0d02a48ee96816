#include "call.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace differential {

const std::string& Call::word() {
  static const std::string missing = "?";
  return next_ < words_.size() ? words_[next_++] : missing;
}

long Call::number(int base) {
  return std::strtol(word().c_str(), nullptr, base);
}

size_t Call::slot() {
  return static_cast<size_t>(word()[0] - 'a') % worker.slots.size();
}

int Call::descriptor() {
  const std::string& name = word();
  if (name == "cwd") return AT_FDCWD;
  if (name == "bad") return -1;
  if (name == "wild") return 9999;
  return worker.slots[static_cast<size_t>(name[0] - 'a') % worker.slots.size()];
}

std::string Call::path() {
  const std::string& text = word();
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t end = text[i] == '<' ? text.find('>', i) : text.find('}', i);
    if (text[i] == '@') {
      result += worker.root;
    } else if (text[i] == '<' && end != std::string::npos) {
      result.append(std::strtoul(text.c_str() + i + 1, nullptr, 10), 'n');
      i = end;
    } else if (text[i] == '{' && end != std::string::npos) {
      const size_t slot = static_cast<size_t>(text[i + 1] - 'a') % worker.slots.size();
      result += "/proc/self/fd/" + std::to_string(worker.slots[slot]);
      i = end;
    } else if (text[i] != '\'') {  // '' is the empty path
      result += text[i];
    }
  }
  return result;
}

std::string Call::data() {
  const std::string& text = word();
  std::string result;
  for (size_t i = 0; i + 2 < text.size(); ++i) {
    const char letter = text[i];
    char* end = nullptr;
    result.append(std::strtoul(text.c_str() + i + 2, &end, 10), letter == '0' ? '\0' : letter);
    i = static_cast<size_t>(end - text.c_str());
  }
  return result;
}

At Call::at() {
  At result;
  if (next_ < words_.size() && words_[next_] == "-") {
    ++next_;
    result.plain = true;
    result.fd = AT_FDCWD;
  } else {
    result.fd = descriptor();
  }
  result.path = path();
  return result;
}

long Call::flags(const std::vector<Flag>& known) {
  const std::string_view text = word();
  long result = 0;
  for (size_t start = 0; start < text.size();) {
    size_t end = text.find(',', start);
    if (end == std::string_view::npos) end = text.size();
    for (const Flag& flag : known) {
      if (flag.name == text.substr(start, end - start)) result |= flag.value;
    }
    start = end + 1;
  }
  return result;
}

void Call::empty_slot(size_t index) {
  if (worker.open[index]) close(worker.slots[index]);
  worker.open[index] = false;
}

void Call::fill_slot(size_t index, int fd) {
  worker.slots[index] = fd;
  worker.open[index] = fd >= 0;
}

}  // namespace differential
