// What is known of C functions and constants, and where from: the cache of what headers said, the headers
// themselves, the built-in table. One thread.
#pragma once

#include <stdint.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vfs/call/type.h"

namespace vfs::call {

struct Function {
  std::string name;
  Signature signature;
  std::string header;  // "fcntl.h"; may be empty
  std::string source;  // "cache", "headers", "built-in table", "script"
};

using Constant = std::variant<int64_t, double>;

class Sources;

class Knowledge {
 public:
  struct Options {
    std::vector<std::string> headers;      // besides the standard ones, before them
    std::vector<std::string> directories;  // where they are looked for
    bool builtin_only = false;             // neither cache nor headers
  };
  explicit Knowledge(Options options);
  ~Knowledge();

  // Nothing if nobody knows it. Throws Error if a header was asked for and cannot be read. Throws
  // std::invalid_argument if it is known, but no type that a call can pass.
  std::optional<Function> function(std::string_view name);
  std::optional<Constant> constant(std::string_view name);

  // Names that are written nearly so, the nearest first; at most three.
  std::vector<std::string> near_functions(std::string_view name);
  std::vector<std::string> near_constants(std::string_view name);

  // Why headers were not asked, for messages; empty if they were, or need not be.
  const std::string& excuse() const;

 private:
  std::unique_ptr<Sources> sources_;
};

// At most three of `names`, nearest first, which `name` may be a misspelling of.
std::vector<std::string> near_names(std::string_view name, const std::vector<std::string_view>& names);

}  // namespace vfs::call
