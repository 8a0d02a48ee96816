#include "vfs/call/knowledge.h"

#include <time.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "vfs/call/builtin.h"
#include "vfs/call/discover.h"
#include "vfs/call/fact_file.h"

namespace vfs::call {

// Where to look, in this order, once something is asked.
class Sources {
 public:
  explicit Sources(Knowledge::Options given) : options(std::move(given)) {}

  struct Source {
    Facts facts;
    const char* name;  // "cache", "headers"
  };

  const std::vector<Source>& read();

  Knowledge::Options options;
  std::string excuse;

 private:
  void read(const std::vector<std::string>& headers);

  bool done_ = false;
  std::vector<Source> sources_;
};

namespace {

// A name of a header and of its directories means another file elsewhere.
std::string key_of(const std::vector<std::string>& headers, const std::vector<std::string>& directories) {
  if (headers.empty() && directories.empty()) return "standard";
  std::error_code error;
  std::string key = std::filesystem::current_path(error).string();
  for (const std::string& directory : directories) key += "\t-I" + directory;
  for (const std::string& header : headers) key += "\t" + header;
  for (char& c : key) c = c == '\n' ? ' ' : c;
  return key;
}

std::optional<Function> builtin_function(std::string_view name) {
  for (const BuiltinFunction& one : builtin_functions()) {
    if (one.name == name) {
      return Function{std::string(name), parse_signature(one.prototype), std::string(one.header), "built-in table"};
    }
  }
  return std::nullopt;
}

std::optional<Constant> builtin_constant(std::string_view name) {
  for (const BuiltinConstant& one : builtin_constants()) {
    if (one.name == name) return Constant(one.value);
  }
  return std::nullopt;
}

std::optional<Constant> parse_constant(std::string_view text) {
  int64_t integer = 0;
  const char* const end = text.data() + text.size();
  if (const auto [stop, error] = std::from_chars(text.data(), end, integer); error == std::errc() && stop == end) {
    return Constant(integer);
  }
  double floating = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, floating);
  return error == std::errc() && stop == end ? std::optional<Constant>(floating) : std::nullopt;
}

}  // namespace

// From the cache, if nothing has changed; else from the headers, by one process at a time, while others wait for what
// it finds; else from the cache all the same, which is more than nothing.
void Sources::read(const std::vector<std::string>& headers) {
  const std::string path = fact_path();
  const std::vector<std::string>& directories = headers.empty() ? std::vector<std::string>() : options.directories;
  const std::string key = key_of(headers, directories);
  std::optional<Facts> known = read_facts(path, key);
  const char* name = "cache";
  if (!known || !known->are_fresh()) {
    with_lock(path, [&] {
      known = read_facts(path, key);
      if (known && known->are_fresh()) return;
      const int64_t started = time(nullptr);
      const Printed printed = discover(headers, directories);
      excuse = printed.excuse;
      if (!excuse.empty()) return;
      name = "headers";
      known = make_facts(printed.lines, started);
      if (known) {
        write_facts(path, key, *known);
      } else {  // written to at this moment: right for now
        known = make_facts(printed.lines, INT64_MAX);
      }
    });
  }
  if (known) sources_.push_back({std::move(*known), name});
}

const std::vector<Sources::Source>& Sources::read() {
  if (done_ || options.builtin_only) return sources_;
  done_ = true;
  if (!options.headers.empty()) read(options.headers);
  read({});
  return sources_;
}

Knowledge::Knowledge(Options options) : sources_(std::make_unique<Sources>(std::move(options))) {}
Knowledge::~Knowledge() = default;

std::optional<Function> Knowledge::function(std::string_view name) {
  for (const Sources::Source& source : sources_->read()) {
    const std::optional<std::string_view> found = source.facts.find("func", name);
    if (!found) continue;
    const size_t tab = std::min(found->find('\t'), found->size());
    return Function{std::string(name), parse_signature(found->substr(0, tab)),
                    std::string(found->substr(std::min(tab + 1, found->size()))), source.name};
  }
  return builtin_function(name);
}

std::optional<Constant> Knowledge::constant(std::string_view name) {
  for (const Sources::Source& source : sources_->read()) {
    if (const std::optional<std::string_view> found = source.facts.find("const", name)) return parse_constant(*found);
  }
  return builtin_constant(name);
}

std::vector<std::string> Knowledge::near_functions(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Sources::Source& source : sources_->read()) source.facts.add_names("func", names);
  for (const BuiltinFunction& one : builtin_functions()) names.push_back(one.name);
  return near_names(name, names);
}

std::vector<std::string> Knowledge::near_constants(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Sources::Source& source : sources_->read()) source.facts.add_names("const", names);
  for (const BuiltinConstant& one : builtin_constants()) names.push_back(one.name);
  return near_names(name, names);
}

const std::string& Knowledge::excuse() const { return sources_->excuse; }

}  // namespace vfs::call
