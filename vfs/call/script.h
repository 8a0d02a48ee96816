// The language of `vfs call`: calls, separated by ":", of words. Parsing alone; what a word means to a function is
// decided by the function's signature (arguments.h).
#pragma once

#include <stddef.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vfs::call {

// The script itself is wrong: said before anything is called.
struct ScriptError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// ".tv_sec" or "[1]"
struct PathStep {
  std::string field;  // empty: an element
  size_t index = 0;
};

struct Element;

struct Argument {
  enum class Form {
    word,       // open, 0644, O_RDWR|O_CREAT, 1.5: as the parameter wants it
    text,       // "a\n": text whatever the parameter is
    reference,  // @fd, @st.st_size, @t[1].tv_nsec
    buffer,     // @buf:4096, @st:stat, @t:timespec[2]{{1,2},{3,4}}, @name:="template"
    list,       // {a,b}, {l_type=F_WRLCK}, flock{l_type=F_WRLCK}
    address,    // &alphasort
  };
  Form form = Form::word;
  std::string text;  // of words: as written; of texts: their bytes
  std::string name;  // of references, buffers and addresses
  std::string type;  // of buffers and lists: "stat"; empty: bytes, or what the parameter says
  size_t count = 1;  // of buffers: how many of `type`
  std::vector<PathStep> path;
  std::vector<Element> elements;
  bool is_filled = false;  // a buffer with elements or text
};

struct Element {
  std::string field;  // may be empty
  std::string raw;    // all of it, as written
  Argument value;
};

struct Call {
  enum class Expected { success, failure };
  std::string result;     // what its result is called, or empty
  std::string signature;  // if the script says it
  std::string function;
  std::vector<Argument> arguments;
  Expected expected = Expected::success;
  std::string error;  // "ENOENT", if it has to be this one
};

// Throw ScriptError for what is no script; nothing else (but bad_alloc), whatever the words are.
std::vector<Call> parse_words(const std::vector<std::string>& words);
// Lines, comments behind "#", and quotes: '...' keeps blanks together as in a shell, "..." is a text of C.
std::vector<Call> parse_text(std::string_view text);

Argument parse_argument(std::string_view word);

// The bytes of a C string literal, with its quotes. Throws ScriptError.
std::string parse_literal(std::string_view text);

bool is_name(std::string_view text);

constexpr size_t kLargestBuffer = size_t(1) << 30;

}  // namespace vfs::call
