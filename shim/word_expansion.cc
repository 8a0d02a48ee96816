// wordexp: glibc expands patterns with its own glob, past ours.
//
// So the wildcards that the program wrote are hidden from it behind control
// characters, and what comes out with such characters is a pattern for our
// glob. A wildcard that only comes out of a variable or a command is glibc's.
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <wordexp.h>

#include "shim/environment.h"
#include "shim/table.h"

namespace {

constexpr char kWildcards[] = "*?[";

// The character that stands for a wildcard, and back; 0: for none.
char hidden(char c) {
  const char* at = c != '\0' ? strchr(kWildcards, c) : nullptr;
  return at != nullptr ? static_cast<char>(1 + (at - kWildcards)) : '\0';
}
char shown(char c) { return c >= 1 && c <= 3 ? kWildcards[c - 1] : '\0'; }

// The end of "$(...)", "${...}" or "`...`", which begins at `text`.
const char* end_of_substitution(const char* text) {
  if (*text == '`') {
    for (++text; *text != '\0' && *text != '`'; ++text) {
      if (*text == '\\' && text[1] != '\0') ++text;
    }
    return *text != '\0' ? text + 1 : text;
  }
  const char open = text[1];
  const char close = open == '(' ? ')' : '}';
  int depth = 0;
  for (++text; *text != '\0'; ++text) {
    if (*text == '\\' && text[1] != '\0') ++text;
    else if (*text == open) ++depth;
    else if (*text == close && --depth == 0) return text + 1;
  }
  return text;
}

// A copy with the unquoted wildcards hidden; null: there are none, no memory,
// or the text has such characters already.
char* hide_wildcards(const char* words) {
  char* copy = strdup(words);
  if (copy == nullptr) return nullptr;
  bool any = false;
  char quote = '\0';
  for (const char* at = words; *at != '\0'; ++at) {
    if (shown(*at) != '\0') {
      any = false;
      break;
    }
    const bool begins = *at == '`' || (*at == '$' && (at[1] == '(' || at[1] == '{'));
    if (*at == '\\' && quote != '\'' && at[1] != '\0') {
      ++at;
    } else if (quote != '\'' && begins) {
      at = end_of_substitution(at) - 1;
    } else if (quote != '\0') {
      if (*at == quote) quote = '\0';
    } else if (*at == '\'' || *at == '"') {
      quote = *at;
    } else if (hidden(*at) != '\0') {
      copy[at - words] = hidden(*at);
      any = true;
    }
  }
  if (any) return copy;
  free(copy);
  return nullptr;
}

void show_wildcards(char* word) {
  for (; *word != '\0'; ++word) {
    if (shown(*word) != '\0') *word = shown(*word);
  }
}

// Appends copies of `count` words to the list that has `used` and the null
// behind them already.
bool append(char**& list, size_t& used, char* const* words, size_t count) {
  auto** grown = static_cast<char**>(realloc(list, (used + count + 1) * sizeof(char*)));
  if (grown == nullptr) return false;
  list = grown;
  for (size_t i = 0; i < count; ++i) {
    list[used] = strdup(words[i]);
    if (list[used] == nullptr) return false;
    ++used;
  }
  list[used] = nullptr;
  return true;
}

// Puts what the patterns among the words from `first` on match in their place.
int expand(wordexp_t* result, size_t first) {
  char** list = nullptr;
  size_t used = 0;
  bool fits = true;
  for (size_t i = first; i < result->we_offs + result->we_wordc; ++i) {
    char* word = result->we_wordv[i];
    glob_t matches = {};
    // In such a word glibc takes its quoted wildcards for wildcards too.
    const bool is_pattern = strpbrk(word, "\1\2\3") != nullptr;
    show_wildcards(word);
    if (is_pattern && glob(word, 0, nullptr, &matches) == 0) {
      fits = append(list, used, matches.gl_pathv, matches.gl_pathc) && fits;
    } else {
      fits = append(list, used, &word, 1) && fits;
    }
    globfree(&matches);
    free(word);
  }
  auto** all = static_cast<char**>(
      realloc(result->we_wordv, (first + used + 1) * sizeof(char*)));
  if (all == nullptr) {
    result->we_wordv[first] = nullptr;
    result->we_wordc = first - result->we_offs;
    free(list);
    return WRDE_NOSPACE;
  }
  if (used > 0) memcpy(all + first, list, used * sizeof(char*));
  all[first + used] = nullptr;
  free(list);
  result->we_wordv = all;
  result->we_wordc = first + used - result->we_offs;
  return fits ? 0 : WRDE_NOSPACE;
}

}  // namespace

VFS_INTERPOSE(int, wordexp, (const char* words, wordexp_t* result, int flags)) {
  if (!shim::engaged()) return VFS_NEXT(wordexp)(words, result, flags);
  const shim::OwnEnvironment environment;
  char* copy = hide_wildcards(words);
  if (copy == nullptr) return VFS_NEXT(wordexp)(words, result, flags);
  const size_t offset = (flags & WRDE_DOOFFS) != 0 ? result->we_offs : 0;
  const size_t before = (flags & WRDE_APPEND) != 0 ? result->we_wordc : 0;
  const int error = VFS_NEXT(wordexp)(copy, result, flags);
  free(copy);
  if ((flags & WRDE_DOOFFS) == 0) result->we_offs = 0;
  return error == 0 ? expand(result, offset + before) : error;
}

#define VFS_TABLE_WORD_EXPANSION
#include "shim/entry_points.def"
