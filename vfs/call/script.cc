#include "vfs/call/script.h"

#include <algorithm>
#include <charconv>

namespace vfs::call {
namespace {

constexpr int kDeepest = 8;

bool starts_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// As much of the front as could be a name.
size_t name_length(std::string_view text) {
  if (text.empty() || !starts_name(text[0])) return 0;
  size_t length = 1;
  while (length < text.size() && (starts_name(text[length]) || is_digit(text[length]))) ++length;
  return length;
}

std::string quoted(std::string_view text) {
  constexpr size_t kMost = 60;
  return "'" + std::string(text.substr(0, kMost)) + (text.size() > kMost ? "..." : "") + "'";
}

[[noreturn]] void refuse(std::string_view word, const char* why) { throw ScriptError(quoted(word) + ": " + why); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Past the quote that ends what begins at `at`; npos if none does.
size_t end_of_literal(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

unsigned hex_digit(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 16;
}

// What stands behind a backslash; moves `at` past it.
char escaped(std::string_view text, size_t& at) {
  const char c = text[at++];
  constexpr std::string_view kNames = "abfnrtv0\\\"'?";
  constexpr std::string_view kBytes("\a\b\f\n\r\t\v\0\\\"'?", 12);
  if (c == 'x') {
    unsigned value = 0;
    size_t digits = 0;
    while (digits < 2 && at < text.size() && hex_digit(text[at]) < 16) {
      value = value * 16 + hex_digit(text[at++]);
      ++digits;
    }
    if (digits == 0) refuse(text, "\\x needs digits");
    return static_cast<char>(value);
  }
  if (c >= '0' && c <= '7') {
    unsigned value = static_cast<unsigned>(c - '0');
    for (int i = 0; i < 2 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i) {
      value = value * 8 + static_cast<unsigned>(text[at++] - '0');
    }
    return static_cast<char>(value);
  }
  const size_t found = kNames.find(c);
  if (found == std::string_view::npos) refuse(text, "has an escape that C does not know");
  return kBytes[found];
}

std::vector<PathStep> parse_path(std::string_view rest, std::string_view word) {
  std::vector<PathStep> path;
  while (!rest.empty()) {
    PathStep step;
    if (rest[0] == '.') {
      const size_t length = name_length(rest.substr(1));
      if (length == 0) refuse(word, "a field is missing behind '.'");
      step.field = rest.substr(1, length);
      rest.remove_prefix(1 + length);
    } else if (rest[0] == '[') {
      const char* const end = rest.data() + rest.size();
      const auto [stop, error] = std::from_chars(rest.data() + 1, end, step.index);
      if (error != std::errc() || stop == end || *stop != ']') refuse(word, "an element is written [N]");
      rest.remove_prefix(static_cast<size_t>(stop - rest.data()) + 1);
    } else {
      refuse(word, "a reference is written @name, @name.field or @name[N]; text that begins with @ needs quotes: "
                   "\"@...\"");
    }
    path.push_back(std::move(step));
  }
  return path;
}

Argument parse_at(std::string_view text, int depth);

Element parse_element(std::string_view text, int depth) {
  Element element;
  element.raw = text;
  const size_t length = name_length(text.starts_with('.') ? text.substr(1) : text) + (text.starts_with('.') ? 1 : 0);
  std::string_view rest = trimmed(text.substr(length));
  if (length != 0 && rest.starts_with('=')) {
    element.field = text.substr(text.starts_with('.') ? 1 : 0, length - (text.starts_with('.') ? 1 : 0));
    text = trimmed(rest.substr(1));
  }
  element.value = parse_at(text, depth + 1);
  return element;
}

// "{a,b}": what stands between the commas that are in no quotes and no inner braces.
std::vector<Element> parse_elements(std::string_view text, int depth) {
  if (depth > kDeepest) refuse(text, "braces are too deep");
  std::vector<Element> elements;
  size_t open = 0;
  size_t start = 1;
  for (size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const size_t end = end_of_literal(text, i);
      if (end == std::string_view::npos) refuse(text, "a quote is not closed");
      i = end - 1;
      continue;
    }
    if (c == '{') ++open;
    const bool ends = c == '}' && open == 0;
    if (ends || (c == ',' && open == 0)) {
      const std::string_view one = trimmed(text.substr(start, i - start));
      if (!(ends && elements.empty() && one.empty())) elements.push_back(parse_element(one, depth));
      start = i + 1;
      if (ends && i + 1 != text.size()) refuse(text, "something stands behind the brace");
      if (ends) return elements;
    }
    if (c == '}') --open;
  }
  refuse(text, "a brace is not closed");
}

size_t parse_count(std::string_view text, std::string_view word) {
  size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stop != end || count == 0 || count > kLargestBuffer) {
    refuse(word, "a size is a number from 1 to 1073741824");
  }
  return count;
}

// Behind "@name:".
void parse_buffer(Argument& argument, std::string_view spec, std::string_view word, int depth) {
  argument.form = Argument::Form::buffer;
  if (spec.starts_with('=')) {
    argument.text = spec.starts_with("=\"") ? parse_literal(spec.substr(1)) : std::string(spec.substr(1));
    argument.count = argument.text.size() + 1;  // as C has it: a NUL behind
    argument.is_filled = true;
    return;
  }
  if (const size_t brace = spec.find('{'); brace != std::string_view::npos) {
    argument.elements = parse_elements(spec.substr(brace), depth);
    argument.is_filled = true;
    spec = spec.substr(0, brace);
  }
  const size_t length = name_length(spec);
  if (length == 0) {
    if (argument.is_filled) refuse(word, "a type is missing before the brace");
    argument.count = parse_count(spec, word);
    return;
  }
  argument.type = spec.substr(0, length);
  spec.remove_prefix(length);
  if (spec.empty()) return;
  if (!spec.starts_with('[') || !spec.ends_with(']')) refuse(word, "a buffer is @name:SIZE, @name:TYPE or @name:TYPE[N]");
  argument.count = parse_count(spec.substr(1, spec.size() - 2), word);
}

Argument parse_at(std::string_view text, int depth) {
  Argument argument;
  argument.text = text;
  if (text.starts_with('"')) {
    argument.form = Argument::Form::text;
    argument.text = parse_literal(text);
  } else if (text.starts_with('@')) {
    const size_t length = name_length(text.substr(1));
    if (length == 0) refuse(text, "a name is missing behind @; text that begins with @ needs quotes: \"@...\"");
    argument.name = text.substr(1, length);
    const std::string_view rest = text.substr(1 + length);
    argument.form = Argument::Form::reference;
    if (rest.starts_with(':')) {
      parse_buffer(argument, rest.substr(1), text, depth);
    } else if (rest.find('|') == std::string_view::npos) {
      argument.path = parse_path(rest, text);
    } else {
      argument.form = Argument::Form::word;  // @flags|O_APPEND: an expression
    }
  } else if (text.starts_with('&') && is_name(text.substr(1))) {
    argument.form = Argument::Form::address;
    argument.name = text.substr(1);
  } else if (const size_t length = name_length(text); text.ends_with('}') && text.substr(length).starts_with('{')) {
    argument.form = Argument::Form::list;
    argument.type = text.substr(0, length);
    argument.elements = parse_elements(text.substr(length), depth);
  }
  return argument;
}

// "!", "!ENOENT"
bool parse_expectation(Call& call, const std::string& word) {
  if (!word.starts_with('!')) return false;
  call.expected = Call::Expected::failure;
  call.error = word.substr(1);
  const bool known = call.error.empty() || (call.error[0] == 'E' && is_name(call.error));
  if (!known) refuse(word, "a failure that is expected is written ! or !ENOENT");
  return true;
}

// [!|!ERROR] [NAME=] [SIGNATURE] FUNCTION ARGUMENT...
Call parse_call(const std::vector<std::string>& words) {
  Call call;
  auto word = words.begin();
  if (parse_expectation(call, *word)) ++word;
  std::string first = word != words.end() ? *word : std::string();
  if (const size_t length = name_length(first); length != 0 && first.substr(length).starts_with('=')) {
    call.result = first.substr(0, length);
    first.erase(0, length + 1);
    if (first.empty()) {
      ++word;
      first = word != words.end() ? *word : std::string();
    }
  }
  // "fd=!ENOENT open": where eyes put it as well.
  if (call.expected == Call::Expected::success && word != words.end() && parse_expectation(call, first)) {
    ++word;
    first = word != words.end() ? *word : std::string();
  }
  if (first.find('(') != std::string::npos && word != words.end()) {
    call.signature = first;
    ++word;
    first = word != words.end() ? *word : std::string();
  }
  if (word == words.end()) throw ScriptError("a function is missing behind " + quoted(words.back()));
  if (!is_name(first)) refuse(first, "is no name of a function");
  call.function = first;
  for (++word; word != words.end(); ++word) call.arguments.push_back(parse_argument(*word));
  return call;
}

struct Word {
  std::string text;
  bool separates = false;
};

std::vector<Call> parse_separated(const std::vector<Word>& words, bool may_be_empty) {
  std::vector<Call> calls;
  std::vector<std::string> one;
  const auto take = [&] {
    if (one.empty() && !may_be_empty) throw ScriptError("a call is missing before or behind ':'");
    if (!one.empty()) calls.push_back(parse_call(one));
    one.clear();
  };
  for (const Word& word : words) {
    if (word.separates) {
      take();
    } else {
      one.push_back(word.text);
    }
  }
  take();
  return calls;
}

// One word of a text; `at` stands at its first character and goes behind its last.
Word take_word(std::string_view text, size_t& at) {
  Word word;
  const size_t start = at;
  size_t open = 0;
  bool is_quoted = false;
  for (; at < text.size() && (open != 0 || !is_blank(text[at])); ++at) {
    const char c = text[at];
    if (c == '\'') {
      const size_t end = text.find('\'', at + 1);
      if (end == std::string_view::npos) refuse(text.substr(start), "a quote is not closed");
      word.text += text.substr(at + 1, end - at - 1);
      at = end;
      is_quoted = true;
    } else if (c == '"') {
      const size_t end = end_of_literal(text, at);
      if (end == std::string_view::npos) refuse(text.substr(start), "a quote is not closed");
      word.text += text.substr(at, end - at);
      at = end - 1;
    } else {
      if (c == '{') ++open;
      if (c == '}' && open != 0) --open;
      word.text += c;
    }
  }
  word.separates = word.text == ":" && !is_quoted;
  return word;
}

}  // namespace

bool is_name(std::string_view text) { return !text.empty() && name_length(text) == text.size(); }

std::string parse_literal(std::string_view text) {
  if (text.size() < 2 || end_of_literal(text, 0) != text.size()) refuse(text, "a quote is not closed");
  const std::string_view inside = text.substr(0, text.size() - 1);
  std::string bytes;
  for (size_t at = 1; at < inside.size();) {
    if (inside[at] == '\\') {
      ++at;
      bytes += escaped(inside, at);
    } else {
      bytes += inside[at++];
    }
  }
  return bytes;
}

Argument parse_argument(std::string_view word) { return parse_at(word, 0); }

std::vector<Call> parse_words(const std::vector<std::string>& words) {
  std::vector<Word> all;
  for (const std::string& word : words) all.push_back({word, word == ":"});
  return parse_separated(all, false);
}

std::vector<Call> parse_text(std::string_view text) {
  std::vector<Word> all;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\n') all.push_back({"", true});
    if (text[at] == '\0') throw ScriptError("the script has a NUL in it");
    if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (is_blank(text[at])) {
      ++at;
    } else {
      all.push_back(take_word(text, at));
    }
  }
  return parse_separated(all, true);
}

}  // namespace vfs::call
